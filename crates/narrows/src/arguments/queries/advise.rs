//! The command line of `narrows queries advise`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::server::Server;
use crate::arguments::Format;

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        narrows queries advise /var/log/mysql/slow.log --server /run/mysqld/mysqld.sock --db shop\n  \
        narrows queries advise --query 'SELECT …' --schema dump.sql\n  \
        narrows queries advise slow.nd --db shop --try --plan advice.json && narrows apply advice.json\n\n\
        Nothing is changed: the server is only asked for definitions and statistics.\n\n\
        Exit status: 0 no advice, 1 advice, 2 usage, 3 could not read"
)]
pub(crate) struct Advise {
    /// Slow logs, or digests that `narrows queries digest --save` wrote; `-` for standard input
    #[arg(value_name = "LOG|DIGEST", value_hint = ValueHint::FilePath)]
    pub(crate) logs: Vec<PathBuf>,
    /// Advise on this query; may be repeated
    #[arg(long, value_name = "SQL")]
    pub(crate) query: Vec<String>,
    /// Advise on the statements of this file, which end with `;`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) queries: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: Server,
    /// Read the tables from a dump, or from what SHOW CREATE TABLE printed, and ask no server
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["server", "user", "defaults_file", "try_it"])]
    pub(crate) schema: Option<PathBuf>,
    /// Look at this many classes of queries, those that took most time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) limit: u16,
    /// Try the advice on a copy of the tables first, and withdraw what does not help
    #[arg(long = "try")]
    pub(crate) try_it: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Write a plan of the statements that `narrows apply` takes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "schema")]
    pub(crate) plan: Option<PathBuf>,
}
