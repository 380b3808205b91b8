//! `cargo xtask lab`: runs scenarios and prints the scoreboard.
#![allow(clippy::disallowed_methods, reason = "it writes the files that its arguments name")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a developer")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, Subcommand};
use lab::parts::server::{self, Serve};
use lab::parts::stat;
use lab::scenario::{Scenario, World};
use lab::scenarios::{self, SCENARIOS};
use lab::score::Score;
use lab::{guest, scoreboard};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask lab")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the scenarios
    List,
    /// Run these scenarios
    Run {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Save the scores as JSON
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Run every scenario
    All {
        /// Only those that are quick
        #[arg(long)]
        quick: bool,
        /// Save the scores as JSON
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Serve HTTP/1.1 with a known capacity
    #[command(hide = true)]
    Serve(Serve),
    /// Show an incident from its first error page to the proof
    #[command(hide = true)]
    Demo,
    /// Run a scenario on this kernel, whatever it is
    #[command(hide = true)]
    Inside {
        /// Its name
        name: String,
        /// Where the score goes
        #[arg(long)]
        output: PathBuf,
    },
    /// Look at files again and again, and print the seconds that each worker's rounds took, as JSON
    #[command(hide = true)]
    Stat {
        /// Where the files are
        #[arg(long)]
        folder: PathBuf,
        /// Processes
        #[arg(long)]
        workers: usize,
        /// Files that each looks at in a round
        #[arg(long)]
        files: usize,
        /// Rounds of each
        #[arg(long)]
        rounds: usize,
        /// Milliseconds of rest after each
        #[arg(long, default_value_t = 0)]
        pause_ms: u64,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::List => {
            for Scenario { name, title, world, quick, .. } in SCENARIOS {
                let quick = if *quick { "quick" } else { "" };
                println!("{name:<28} {:<6} {quick:<6} {title}", world.name());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { names, output } => {
            let chosen = names.iter().map(|name| find(name)).collect::<anyhow::Result<Vec<_>>>()?;
            run(&chosen, output)
        }
        Command::All { quick, output } => {
            let chosen: Vec<_> = SCENARIOS.iter().filter(|scenario| scenario.quick || !quick).collect();
            run(&chosen, output)
        }
        Command::Serve(what) => {
            server::serve(&what)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo => {
            lab::demo::heed_interrupts();
            lab::demo::show(&mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Inside { name, output } => {
            let score = here(find(&name)?);
            std::fs::write(&output, serde_json::to_vec(&score)?)
                .with_context(|| format!("cannot write {}", output.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Stat { folder, workers, files, rounds, pause_ms } => {
            let pause = Duration::from_millis(pause_ms);
            let seconds = stat::run(&folder, stat::Work { workers, files, rounds, pause })?;
            println!("{}", serde_json::to_string(&seconds)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn find(name: &str) -> anyhow::Result<&'static Scenario> {
    scenarios::named(name)
        .with_context(|| format!("there is no scenario {name}; `cargo xtask lab list` lists them"))
}

fn run(chosen: &[&Scenario], output: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let mut scores = vec![];
    for scenario in chosen {
        eprintln!("{}: {}", scenario.name, scenario.title);
        let score = play(scenario);
        for complaint in score.complaints() {
            eprintln!("  ✘ {complaint}");
        }
        eprintln!("  {:.0} s", score.seconds);
        scores.push(score);
    }
    print!("{}", scoreboard::markdown(&scores));
    if let Some(path) = output {
        std::fs::write(&path, serde_json::to_vec_pretty(&scores)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let held = scores.iter().all(|score| score.complaints().is_empty());
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(scenario: &Scenario) -> Score {
    let World::Guest(needs) = &scenario.world else { return here(scenario) };
    let started = Instant::now();
    let mut score = guest::run(scenario, needs).unwrap_or_else(|error| Score {
        scenario: scenario.name.to_owned(),
        error: Some(error.to_string()),
        ..Score::default()
    });
    score.seconds = started.elapsed().as_secs_f64();
    score
}

fn here(scenario: &Scenario) -> Score {
    let started = Instant::now();
    let mut score = Score { scenario: scenario.name.to_owned(), ..Score::default() };
    if let Err(error) = (scenario.run)(&mut score) {
        score.error = Some(error.to_string());
    }
    score.seconds = started.elapsed().as_secs_f64();
    score
}
