//! The command line of `narrows queries`.

use clap::{Args, Subcommand, ValueEnum};

pub(crate) mod advise;
pub(crate) mod digest;
pub(crate) mod explain;
pub(crate) mod fingerprint;
pub(crate) mod server;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Queries {
    #[command(subcommand)]
    pub(crate) command: QueriesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueriesCommand {
    /// Group the queries of slow logs into classes, and rank them
    Digest(digest::Digest),
    /// Print the fingerprint and the class ID of statements
    Fingerprint(fingerprint::Fingerprint),
    /// Draw the plan of a query as a tree, with what each step costs
    Explain(explain::Explain),
    /// Say which index, table or query to change, and what that is worth
    Advise(advise::Advise),
}

/// Whose rules fingerprints follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compatibility {
    /// pt-query-digest 3.4 and later
    #[value(name = "3.4")]
    V34,
    /// pt-query-digest up to 3.3, which is what Debian 12 has
    #[value(name = "3.2")]
    V32,
}

impl From<Compatibility> for querylog::Rules {
    fn from(compatibility: Compatibility) -> querylog::Rules {
        match compatibility {
            Compatibility::V34 => querylog::Rules::Toolkit34,
            Compatibility::V32 => querylog::Rules::Toolkit32,
        }
    }
}
