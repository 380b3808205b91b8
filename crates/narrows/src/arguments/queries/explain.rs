//! The command line of `narrows queries explain`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::server::Server;
use crate::arguments::Format;

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        narrows queries explain plan.json            a plan that EXPLAIN or ANALYZE printed\n  \
        narrows queries explain --db shop --query 'SELECT …'\n  \
        narrows queries explain --db shop --query 'SELECT …' --analyze\n\n\
        Without --analyze the query is not run. With it, only a SELECT that takes no locks is, within a transaction that\n\
        may only read.\n\n\
        Exit status: 0 drawn, 2 usage, 3 could not read"
)]
pub(crate) struct Explain {
    /// A plan as EXPLAIN printed it, or with --server a query; `-` for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// The query to explain
    #[arg(long, value_name = "SQL", conflicts_with = "file")]
    pub(crate) query: Option<String>,
    /// Run the query, and compare what was expected with what came
    #[arg(long)]
    pub(crate) analyze: bool,
    /// Give up on the query after this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = super::super::duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) server: Server,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}
