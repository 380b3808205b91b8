//! The command line of `narrows profile`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::duration;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Profile {
    /// Read what strace, `perf trace -s` or `perf script` wrote, instead of tracing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) read: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) shown: Shown,
    #[command(subcommand)]
    pub(crate) what: Option<What>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Count the system calls of PHP-FPM's workers, and what they ask for in vain
    Php(Php),
}

#[derive(Debug, Args)]
#[command(
    after_help = "This traces (ptrace), which reading never does: each system call of a traced worker stops it twice, \
    which costs some 20 to 50 microseconds. A page that only looks for 400 files took 15 ms instead of 0.2. At most 4 workers are traced, the others serve on as ever; \
    they are let go at the end, at Ctrl-C, and should narrows be killed. Needs root or CAP_SYS_PTRACE.\n\
    Exit status: 0 done, 2 usage, 3 could not trace"
)]
pub(crate) struct Php {
    /// How long to trace
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) window: Duration,
    /// Only workers of this pool
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// How many workers to trace
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) workers: u8,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// How to print the profile
    #[arg(long, value_enum, default_value_t = ProfileFormat::Human)]
    pub(crate) format: ProfileFormat,
    /// Write it to a file, for `narrows check --profile FILE`
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileFormat {
    /// For a person at a terminal
    Human,
    /// For a program, and for `narrows check --profile`
    Json,
}
