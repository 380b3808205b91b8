//! `narrows prove --load`, one load at one rate.

use anyhow::Context;

use crate::arguments::prove::{Prove, for_a_program};
use crate::exit::Exit;
use crate::output;
use crate::prove::traffic::{self, ProgressLine};

/// Offers the load and prints what came of it.
pub(crate) fn run(arguments: &Prove) -> anyhow::Result<Exit> {
    let url = arguments.load.as_deref().context("no address")?;
    let spec = traffic::spec(&arguments.traffic, url)?;
    let mut line = ProgressLine::new(for_a_program(arguments));
    let result = prove::load::run(&spec, &mut |progress| {
        line.titled(if progress.elapsed_s < spec.warm_up.as_secs_f64() { "warming up" } else { "measuring" });
        line.show(progress);
    })?;
    drop(line);
    output::print(&format!("{}\n", serde_json::to_string_pretty(&result)?))?;
    Ok(Exit::Clear)
}
