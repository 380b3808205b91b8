//! Chores of the developers of narrows: `cargo xtask --help` lists them.
#![allow(clippy::disallowed_methods, reason = "chores run programs and write files of this repository")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to a developer")]

use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod bench;
mod claims;
mod deny;
mod fuzz;
mod lab;
mod new_cause;
mod packages;
mod run;
mod test;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what the tests need, then run everything: format, lints, documents, tests
    Test,
    /// Count the claims of the ledger by verdict and by what decides them
    Claims,
    /// Write the two files of a new cause and list it in its layer
    NewCause {
        /// `layer.problem`, for example nfs.slot-exhaustion
        id: String,
    },
    /// Check licences and advisories of the dependencies
    Deny,
    /// Measure what narrows costs beside its peers, on this machine
    Bench(bench::Arguments),
    /// Show narrows at work on an incident, from the first error page to the proof; installs what it needs
    Demo,
    /// Run incidents of real components: `list`, `run NAME…`, `all [--quick]`; installs what they need
    Lab {
        /// What the lab is to do
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Damage real inputs and call every parser and the diagnosis with them
    Fuzz {
        /// How many cases
        #[arg(long, default_value_t = 10_000_000)]
        cases: u64,
        /// Moves the seeds of all cases
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Test => test::run_all(),
        Chore::Claims => claims::run(),
        Chore::NewCause { id } => new_cause::run(&id),
        Chore::Deny => deny::run_checks(),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Demo => lab::run_demo(),
        Chore::Lab { arguments } => lab::run_lab(&arguments),
        Chore::Fuzz { cases, seed } => fuzz::run_cases(cases, seed),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
