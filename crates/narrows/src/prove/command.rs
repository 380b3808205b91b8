//! `narrows prove --run` without a plan: measures the command.

use prove::command::Run;
use prove::interrupt::on_interrupt;
use prove::statistics::{median, median_absolute_deviation, median_interval};

use super::measure::Measurer;
use super::proof::{CommandProof, Spread, Subject};
use crate::arguments::prove::{Prove, for_a_program};
use crate::exit::Exit;
use crate::{output, render};

/// Measures one block and prints it.
pub(crate) fn run(arguments: &Prove) -> anyhow::Result<Exit> {
    let mut measurer = Measurer::new(arguments)?;
    let brake = measurer.brake();
    on_interrupt(move |signal| {
        brake.pull();
        std::process::exit(128 + signal);
    })?;
    let runs = measurer.runs(&mut || ())?;
    let failed = runs.iter().filter(|run| run.failure.is_some()).count();
    let proof = CommandProof {
        schema: super::proof::SCHEMA,
        subject: Subject::of(arguments),
        runs: runs.len(),
        failed,
        failure: measurer.failure.clone(),
        seconds: spread(&runs, |run| run.seconds),
        cpu_s: spread(&runs, |run| run.cpu_s),
        peak_bytes: runs.iter().map(|run| run.peak_bytes).max().unwrap_or_default(),
    };
    output::print(&match for_a_program(arguments) {
        true => format!("{}\n", serde_json::to_string_pretty(&proof)?),
        false => render::proof::command(&proof),
    })?;
    Ok(if failed == runs.len() { Exit::Unreadable } else { Exit::Clear })
}

fn spread(runs: &[Run], figure: fn(&Run) -> f64) -> Spread {
    let values: Vec<f64> = runs.iter().map(figure).collect();
    let (low, high, confidence) = median_interval(&values).unwrap_or_default();
    Spread {
        median: median(&values).unwrap_or_default(),
        low,
        high,
        confidence,
        deviation: median_absolute_deviation(&values).unwrap_or_default(),
    }
}
