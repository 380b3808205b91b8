//! `narrows queries`.

pub(crate) mod advise;
mod digest;
mod explain;
mod fingerprint;
mod input;
mod server;

use crate::arguments::queries::{Queries, QueriesCommand};
use crate::exit::Exit;

/// Runs the command that was named.
pub(crate) fn run(arguments: &Queries) -> anyhow::Result<Exit> {
    match &arguments.command {
        QueriesCommand::Digest(digest) => digest::run(digest),
        QueriesCommand::Fingerprint(fingerprint) => fingerprint::run(fingerprint),
        QueriesCommand::Explain(explain) => explain::run(explain),
        QueriesCommand::Advise(advise) => advise::run(advise),
    }
}
