//! `narrows prove --load --knee`: the rate that the stack carries, foretold at low load and then measured.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use host::{Host, LiveHost};
use model::report::Report;
use prove::knee::{Knee, Limits, Search, find};
use prove::load::{LoadError, LoadResult, LoadSpec};
use stack::collect::{Plan, collect};

use crate::arguments::change::ResultFormat;
use crate::arguments::prove::{Prove, for_a_program};
use crate::exit::Exit;
use crate::prove::traffic::{self, ProgressLine};
use crate::{output, render};

/// Load goes on for so long after the host was read.
const MARGIN: Duration = Duration::from_millis(500);
/// A step is counted once its rate has come for so many times the median latency of the step before: earlier answers are
/// those to a lower rate.
const SETTLED: f64 = 3.0;

/// Foretells, measures and prints both.
pub(crate) fn run(arguments: &Prove) -> anyhow::Result<Exit> {
    let url = arguments.load.as_deref().context("no address")?;
    let spec = traffic::spec(&arguments.traffic, url)?;
    let mut line = ProgressLine::new(for_a_program(arguments));
    let report = foretell(&spec, &mut line)?;
    let knee = measure(arguments, &spec, &mut line)?;
    drop(line);
    let text = match arguments.state.format {
        ResultFormat::Human => render::knee::human(&report, &knee),
        ResultFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&render::knee::json(&report, &knee)?)?)
        }
    };
    output::print(&text)?;
    Ok(Exit::Clear)
}

/// Reads this host while the first rate is offered, after the warm-up.
fn foretell(spec: &LoadSpec, line: &mut ProgressLine) -> anyhow::Result<Report> {
    let window = spec.duration;
    let spec = LoadSpec { duration: window + MARGIN, ..spec.clone() };
    let warm_up = spec.warm_up;
    let reading = thread::spawn(move || {
        thread::sleep(warm_up);
        let host: Arc<dyn Host> = Arc::new(LiveHost::new());
        collect(&host, Plan::over(window), &mut |_| {})
    });
    line.titled(&format!("reading this host at {}/s", spec.arrivals.per_s));
    prove::load::run(&spec, &mut |progress| line.show(progress))?;
    let evidence = reading.join().map_err(|_| anyhow::anyhow!("reading this host failed unexpectedly"))?;
    let mut report = stack::diagnose(&evidence);
    stack::foretell(&mut report, spec.arrivals.per_s);
    Ok(report)
}

/// Offers rate after rate.
fn measure(arguments: &Prove, spec: &LoadSpec, line: &mut ProgressLine) -> anyhow::Result<Knee> {
    let steps = &arguments.steps;
    let limits = Limits {
        failed_share: steps.failed_limit / 100.0,
        p99_ms: steps.p99_limit.map(|limit| limit.as_secs_f64() * 1000.0),
        most_connections: spec.most_connections,
    };
    let search = Search { from_per_s: spec.arrivals.per_s, most_per_s: steps.most, limits };
    let (shortest, mut step, mut settled) = (spec.warm_up, 0, spec.warm_up);
    let mut offer = |rate: f64| -> Result<LoadResult, LoadError> {
        step += 1;
        let mut spec = spec.clone();
        spec.arrivals.per_s = rate;
        spec.warm_up = settled;
        line.titled(&format!("step {step}, {rate:.0}/s"));
        let result = prove::load::run(&spec, &mut |progress| line.show(progress))?;
        let latency_s = result.latency.quantile_ms(0.5).unwrap_or(0.0) / 1000.0;
        settled = shortest.max(Duration::from_secs_f64(latency_s * SETTLED)).min(spec.duration);
        Ok(result)
    };
    Ok(find(&search, &mut offer)?)
}
