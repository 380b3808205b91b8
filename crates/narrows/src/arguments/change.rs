//! The command line of what plans, changes and undoes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::databases::Databases;
use super::duration;

/// Where the journal lies unless told otherwise (FHS 3.0, 5.8: state of a program).
const STATE_DIRECTORY: &str = "/var/lib/narrows";

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 a plan was made, also an empty one, 2 usage, 3 could not read, \
    4 the plan could not be made")]
pub(crate) struct Plan {
    /// A directory laid out as / [default: this host]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) target: Option<PathBuf>,
    /// Save the plan as JSON, for `narrows apply FILE`
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub(crate) format: PlanFormat,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

/// What goes into a plan.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// How long to read this host
    #[arg(long = "for", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) window: Duration,
    /// Only these causes, layers or changes (`sockets`, `irq.skew`, `net.core.somaxconn`); may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Plan for causes from this severity on
    #[arg(long, value_enum, default_value_t = Least::Latent)]
    pub(crate) severity: Least,
    /// Take the Nth remedy of a cause instead of the first; may be repeated
    #[arg(long, value_name = "CAUSE=N", value_parser = remedy)]
    pub(crate) remedy: Vec<(String, usize)>,
    #[command(flatten)]
    pub(crate) databases: Databases,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 applied, or nothing to do, 2 usage, 3 could not read, \
    4 refused or put back: the host is as it was, 5 something could not be put back")]
pub(crate) struct Apply {
    /// A plan saved by `narrows plan -o` [default: read this host and plan now]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) plan: Option<PathBuf>,
    /// Undo everything after this long, unless `narrows confirm` says otherwise
    #[arg(long = "try", value_name = "DURATION", value_parser = duration)]
    pub(crate) trial: Option<Duration>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Also restart services that do not take a change up by a reload
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 undone, or nothing to undo, 2 usage, 4 refused, \
    5 something could not be put back")]
pub(crate) struct Undo {
    /// The transaction, by its number in `narrows history` [default: the latest]
    pub(crate) id: Option<i64>,
    /// Undo every transaction, the latest first
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// Put originals back even where somebody changed a value since
    #[arg(long)]
    pub(crate) force: bool,
    /// Only if it has not been confirmed
    #[arg(long, hide = true, requires = "id")]
    pub(crate) unless_confirmed: bool,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// One transaction with all its steps, by its number
    pub(crate) id: Option<i64>,
    #[command(flatten)]
    pub(crate) state: State,
}

#[derive(Debug, Args)]
pub(crate) struct DeadMan {
    pub(crate) id: i64,
    #[arg(long)]
    pub(crate) after_ms: u64,
    #[arg(long)]
    pub(crate) state_dir: PathBuf,
}

/// Where the journal is, and how to print what became of it.
#[derive(Debug, Args)]
pub(crate) struct State {
    /// Where originals, copies and the journal are kept
    #[arg(long = "state-dir", value_name = "DIR", default_value = STATE_DIRECTORY, value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t = ResultFormat::Human)]
    pub(crate) format: ResultFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For a person at a terminal
    Human,
    /// For a program and for `narrows apply`; `docs/schema/plan-1.json` is its schema
    Json,
    /// A POSIX shell script that makes the same changes
    Shell,
    /// An Ansible playbook that makes the same changes
    Ansible,
    /// Differences of values and files
    Diff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// For a person at a terminal
    Human,
    /// For a program
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
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
}

/// `CAUSE=N`, N from 1.
fn remedy(text: &str) -> Result<(String, usize), String> {
    let (cause, number) = text.split_once('=').ok_or("write it as CAUSE=N, such as irq.skew=2")?;
    let number = number.parse().ok().filter(|number| *number > 0);
    Ok((cause.to_owned(), number.ok_or("N is a number from 1")?))
}
