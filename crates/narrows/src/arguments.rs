//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) mod change;
pub(crate) mod databases;
pub(crate) mod preload;
pub(crate) mod profile;
pub(crate) mod prove;
pub(crate) mod queries;

/// Names the one limit that holds a Linux web stack back, proves it, and rules out the rivals.
///
/// Reading changes nothing: no setting is touched, no module is loaded, no program is run. `apply` alone changes the
/// host, as a transaction that `undo` takes back, after a crash too.
#[derive(Debug, Parser)]
#[command(name = "narrows", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Read, and plan for, the network namespace of this process, or of this name for `ip netns`
    #[arg(long, global = true, value_name = "PID|NAME")]
    pub(crate) netns: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain what limits this host, or a recorded one
    Check(Check),
    /// Save the evidence for later, or for someone else
    Record(Record),
    /// Say what a cause or symptom means, how it is proved, and from which sources
    Explain(Explain),
    /// Work out which limit comes next when load or limits change
    WhatIf(WhatIf),
    /// Work out the exact changes that would move the limit; touches nothing
    Plan(change::Plan),
    /// Make the changes of a plan: all of them or none
    Apply(change::Apply),
    /// Keep what was applied with --try
    Confirm(change::Confirm),
    /// Put back what a transaction changed
    Undo(change::Undo),
    /// List the transactions and what is left of each
    History(change::History),
    /// Measure what a site carries, and what a plan does to it
    Prove(prove::Prove),
    /// Write a script by which OPcache preloads the libraries of a PHP application, as far as that is safe
    Preload(preload::Preload),
    /// Count the system calls of PHP's workers, by tracing them; only when you ask for it
    Profile(profile::Profile),
    /// Digest logs of queries, explain plans, advise on indexes and tables
    Queries(queries::Queries),
    /// Wait, then undo an unconfirmed trial
    #[command(hide = true)]
    DeadMan(change::DeadMan),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, for `man -l -`
    Man,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 nothing found, 1 findings, 2 usage, 3 could not read")]
pub(crate) struct Check {
    /// A bundle, or a directory laid out as / [default: this host]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) target: Option<PathBuf>,
    /// How long to read this host
    #[arg(long = "for", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) window: Duration,
    /// Requests per second that reach this host meanwhile, if you know them: says how many it carries
    #[arg(long, value_name = "N", value_parser = prove::rate)]
    pub(crate) rate: Option<f64>,
    /// A profile of system calls as evidence: of `narrows profile`, strace or perf; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) profile: Vec<PathBuf>,
    /// Check again this often, until interrupted
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Only these layers, causes or symptoms (`nfs`, `cpu.iowait-high`); may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Latent)]
    pub(crate) fail_on: FailOn,
    /// Show every cause, also those that were ruled out without a symptom
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) databases: databases::Databases,
}

#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The bundle to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "tree", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write a tree of plain files instead: a directory with one folder per instant, each laid out as /
    #[arg(long, value_name = "DIR", conflicts_with = "output", value_hint = ValueHint::DirPath)]
    pub(crate) tree: Option<PathBuf>,
    /// How long to read this host
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) window: Duration,
    /// How often to take a full reading
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) databases: databases::Databases,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A cause, a symptom or a layer [default: list them all]
    pub(crate) id: Option<String>,
    /// Print the test cases as well
    #[arg(long)]
    pub(crate) cases: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  narrows what-if load=3\n  narrows what-if cpu.cpus=2x nfs.slots=64\n\n\
    `narrows what-if load=1` lists this host's stations by name; nfs.slots means each nfs.slots:SERVER.")]
pub(crate) struct WhatIf {
    /// `load=N` for N times today's load; STATION=N for another limit, STATION=Nx for a multiple of today's
    #[arg(required = true, value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A bundle, or a directory laid out as / [default: this host]
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(crate) from: Option<PathBuf>,
    /// How long to read this host
    #[arg(long = "for", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) window: Duration,
    #[command(flatten)]
    pub(crate) databases: databases::Databases,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person at a terminal
    Human,
    /// For a program; `docs/schema/report-1.json` is its schema
    Json,
    /// For an issue or a chat
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Work is being lost
    Breaking,
    /// It explains what is felt now
    Limiting,
    /// It will break later
    Latent,
    /// Wrong, without effect today
    Hygiene,
    /// A setting that does not do what it is believed to do
    Folklore,
    /// Always exit with 0
    Never,
}

/// A duration as `5`, `500ms`, `5s`, `2m` or `1h`; at least 100 ms, at most a day.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("“{unit}” is no unit of time; use ms, s, m or h")),
    };
    let seconds = number.parse::<f64>().map_err(|_| format!("“{number}” is no number"))? * factor;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it must lie between 100ms and 24h".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "-1s", "5 parsecs", "0s", "NaN", "1e99h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
