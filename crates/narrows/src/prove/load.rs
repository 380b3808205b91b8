//! `narrows prove --load`, one load at one rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use host::{Host, LiveHost};
use prove::load::{LoadResult, LoadSpec, Process, Protocol};
use prove::replay::Skipped;
use serde_json::{Value, json};
use stack::cpu::{Times, parse_stat, shares::shares};

use crate::arguments::prove::{Prove, for_a_program};
use crate::exit::Exit;
use crate::output;
use crate::prove::traffic::{self, ProgressLine};
use crate::render::load::{Offered, load};

/// What `--format json` prints.
const SCHEMA: &str = "narrows.load/1";

/// Offers the load and prints what came of it, also when it is ended early.
pub(crate) fn run(arguments: &Prove) -> anyhow::Result<Exit> {
    let url = arguments.load.as_deref().context("no address to offer load to")?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    prove::interrupt::on_interrupt(move |_| stopped.store(true, Ordering::Relaxed))
        .context("could not wait for Ctrl-C")?;
    let (spec, skipped) = traffic::spec_and_skipped(&arguments.traffic, url)?;
    let mut line = ProgressLine::new(for_a_program(arguments));
    let before = cpu_times();
    let result = prove::load::run_until(&spec, &stop, &mut |progress| {
        line.titled(if progress.elapsed_s < spec.warm_up.as_secs_f64() { "warming up" } else { "measuring" });
        line.show(progress);
    })?;
    drop(line);
    let offered = Offered {
        address: traffic::shown(url),
        spec: &spec,
        skipped,
        result: &result,
        machine_busy_share: before
            .zip(cpu_times())
            .and_then(|(before, after)| Some(1.0 - shares(&before, &after)?.free())),
        was_ended_early: stop.load(Ordering::Relaxed),
    };
    let text = if for_a_program(arguments) {
        format!("{}\n", serde_json::to_string_pretty(&document(&offered)?)?)
    } else {
        load(&offered)
    };
    output::print(&text)?;
    Ok(Exit::Clear)
}

/// What all CPUs did since boot; `None` where the kernel does not tell.
fn cpu_times() -> Option<Times> {
    LiveHost::new().read("/proc/stat").ok().map(|stat| parse_stat(&stat).total)
}

fn document(offered: &Offered<'_>) -> anyhow::Result<Value> {
    let Offered { address, spec, skipped, result, machine_busy_share, was_ended_early } = offered;
    Ok(json!({
        "schema": SCHEMA,
        "address": address,
        "load": described(spec, *skipped)?,
        "ended_early": was_ended_early,
        "result": measured(result)?,
        "machine_busy_share": machine_busy_share,
    }))
}

fn described(spec: &LoadSpec, skipped: Option<Skipped>) -> anyhow::Result<Value> {
    Ok(json!({
        "per_s": spec.arrivals.per_s,
        "process": match spec.arrivals.process { Process::Constant => "constant", Process::Poisson => "poisson" },
        "seed": spec.arrivals.seed,
        "protocol": match spec.protocol { Protocol::Http1 => "http/1.1", Protocol::Http2 => "http/2" },
        "keep_alive": spec.keep_alive,
        "warm_up_s": spec.warm_up.as_secs_f64(),
        "duration_s": spec.duration.as_secs_f64(),
        "timeout_s": spec.timeout.as_secs_f64(),
        "most_connections": spec.most_connections,
        "requests_in_mix": spec.requests.len(),
        "left_out_of_log": serde_json::to_value(skipped)?,
    }))
}

/// The figures, and whether they are the server's.
fn measured(result: &LoadResult) -> anyhow::Result<Value> {
    use prove::load::Lateness;
    let mut value = serde_json::to_value(result)?;
    let late = result.lateness().map(|late| match late {
        Lateness::Generator { .. } => "generator",
        Lateness::Connections { .. } => "connections",
        Lateness::Machine => "machine",
    });
    value["late_because_of"] = late.into();
    value["generator_wanted_share"] = result.generator_wanted_share().into();
    Ok(value)
}
