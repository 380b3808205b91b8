//! `narrows prove`.

mod command;
mod compare;
mod figures;
mod knee;
mod load;
mod measure;
mod probe;
pub(crate) mod proof;
mod traffic;
mod trial;

use crate::arguments::prove::Prove;
use crate::exit::Exit;

/// Measures: a load, the rate that the stack carries, or what a plan does to either.
pub(crate) fn run(arguments: &Prove) -> anyhow::Result<Exit> {
    match (&arguments.plan, arguments.knee) {
        (None, true) => knee::run(arguments),
        (None, false) if arguments.load.is_some() => load::run(arguments),
        (None, false) => command::run(arguments),
        (Some(plan), _) => compare::run(arguments, plan),
    }
}
