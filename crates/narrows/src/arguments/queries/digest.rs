//! The command line of `narrows queries digest`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use querylog::report::{Limit, OrderBy};

use super::Compatibility;

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        narrows queries digest /var/log/mysql/slow.log\n  \
        narrows queries digest slow.log.*.gz --since -1d --db shop\n  \
        narrows queries digest slow.log --where 'rows_examined > 1000 * rows_sent and query_time > 100ms'\n  \
        narrows queries digest --live --for 30s        what the server runs now, without a log\n  \
        narrows queries digest slow.log --save web1.nd     then, elsewhere: narrows queries digest web1.nd web2.nd\n\n\
        --where knows the names of the log (Query_time, Rows_examined, db, query …, whatever the case), numbers with units\n\
        (1s, 200ms, 1k, 1MiB), text in quotes, and or not, < <= = != >= >, + - * / %, and ~ for text that contains another\n\
        or matches it with * and ?. What a log does not say of an event is unknown, and never true.\n\n\
        Times: one without a zone means the clock as the log writes it: MySQL since 5.7 writes UTC, MariaDB local time.\n\
        One with Z or an offset, and one before now (-1h), means an instant; a log without zones is taken to be in local time.\n\n\
        Literals are not shown and not saved, unless --show-literals is given.\n\n\
        Exit status: 0 digested, 2 usage, 3 could not read"
)]
pub(crate) struct Digest {
    /// Slow logs of MySQL, MariaDB or Percona Server, also packed by gzip or zstd, and saved digests; `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = DigestFormat::Human)]
    pub(crate) format: DigestFormat,
    /// How many classes to print: a number, all, or a share of the total such as 95% or 95%:20
    #[arg(long, value_name = "N|all|P%", default_value = "20")]
    pub(crate) limit: Limit,
    /// By what to rank: an attribute, and sum, min, max, avg or cnt
    #[arg(long, value_name = "ATTRIBUTE[:HOW]", default_value = "Query_time:sum")]
    pub(crate) order_by: OrderBy,
    #[command(flatten)]
    pub(crate) select: Select,
    #[command(flatten)]
    pub(crate) live: Live,
    /// Show statements with their literals, and save them so
    #[arg(long)]
    pub(crate) show_literals: bool,
    /// Write the report here [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Save the digest here, to be combined with others later: counts, sums and quantiles come out as of one log
    #[arg(long, value_name = "FILE.nd", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
    /// Go on reading the log as it is written, and print what came every so often (--every)
    #[arg(long)]
    pub(crate) follow: bool,
    /// With --follow: how often
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = super::super::duration, requires = "follow")]
    pub(crate) every: Duration,
    /// Which kind of log it is [default: what its first record looks like]
    #[arg(long = "type", value_enum)]
    pub(crate) kind: Option<LogKind>,
    /// How many threads read [default: one for each CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Whose rules make fingerprints, and with them IDs: those of pt-query-digest 3.4 and later, or up to 3.3
    #[arg(long, value_enum, default_value_t = Compatibility::V34)]
    pub(crate) compat: Compatibility,
    /// Leave digits within words alone, so that users_2009 and users_2010 are two
    #[arg(long)]
    pub(crate) preserve_embedded_numbers: bool,
}

/// A server instead of logs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Live {
    /// Digest what a server runs in a span of time, as its performance_schema counts it: sums, but no quantiles
    #[arg(long, conflicts_with_all = ["files", "host", "since", "until", "condition", "show_literals", "follow", "threads", "kind"])]
    pub(crate) live: bool,
    /// With --live: how long, at least a second
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = super::super::duration, requires = "live")]
    pub(crate) time: Duration,
    /// With --live: ask this server [default: that of the option files]
    #[arg(long, value_name = "[USER@]SOCKET|HOST[:PORT]", requires = "live")]
    pub(crate) server: Option<String>,
    /// With --live: read this option file for user and password, and no other [default: those of the mysql client]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "live")]
    pub(crate) defaults_file: Option<PathBuf>,
}

/// Which events count.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Select {
    /// Only events of this schema (database); may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) db: Vec<String>,
    /// Only events of this user; may be repeated. With --live: the user who asks the server
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Vec<String>,
    /// Only events from this host or address; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Vec<String>,
    /// Only events from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Only events for which this is true
    #[arg(long = "where", value_name = "EXPRESSION")]
    pub(crate) condition: Option<String>,
}

/// Kinds of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogKind {
    /// The log of slow queries
    Slow,
    /// The general log, which has no times
    General,
}

impl From<LogKind> for querylog::Format {
    fn from(kind: LogKind) -> Self {
        match kind {
            LogKind::Slow => Self::Slow,
            LogKind::General => Self::General,
        }
    }
}

/// How a digest is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DigestFormat {
    /// For people, in a terminal
    Human,
    /// By the names of pt-query-digest's JSON, and ours
    Json,
    /// For tickets and wikis
    Markdown,
    /// In the layout of pt-query-digest's report
    Pt,
}
