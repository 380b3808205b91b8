//! The command `narrows`.

use std::process::ExitCode;

use clap::Parser;

mod apply;
mod arguments;
mod check;
mod exit;
mod explain;
mod history;
mod output;
mod plan;
mod preload;
mod profile;
mod prove;
mod queries;
mod record;
mod render;
mod target;
mod undo;
mod what_if;

use arguments::{Arguments, Command};
use change::kinds::NetworkNamespace;
use exit::{Exit, UsageError};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = enter(arguments.netns.as_deref(), &arguments.command).and_then(|()| run(arguments.command));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error);
            Exit::of(&error).into()
        }
    }
}

/// Goes where the user wants to read and change, before any thread is started.
fn enter(namespace: Option<&str>, command: &Command) -> anyhow::Result<()> {
    let Some(namespace) = namespace else { return Ok(()) };
    let reads =
        matches!(command, Command::Check(_) | Command::Record(_) | Command::WhatIf(_) | Command::Plan(_));
    if !reads {
        let why =
            "--netns is for reading and planning; a plan names the namespaces that it changes by itself";
        return Err(UsageError(why.to_owned()).into());
    }
    NetworkNamespace::find(namespace)
        .and_then(|namespace| namespace.enter_for_good())
        .map_err(|error| UsageError(error.to_string()).into())
}

fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check(check) => check::run(&check),
        Command::Record(record) => record::run(&record),
        Command::Explain(explain) => explain::run(&explain),
        Command::WhatIf(what_if) => what_if::run(&what_if),
        Command::Plan(plan) => plan::run(&plan),
        Command::Apply(apply) => apply::run(&apply),
        Command::Confirm(confirm) => apply::confirm(&confirm),
        Command::Undo(undo) => undo::run(&undo),
        Command::History(history) => history::run(&history),
        Command::Prove(prove) => prove::run(&prove),
        Command::Preload(preload) => preload::run(&preload),
        Command::Profile(profile) => profile::run(&profile),
        Command::Queries(queries) => queries::run(&queries),
        Command::DeadMan(dead_man) => undo::dead_man(&dead_man),
        Command::Completions { shell } => output::completions(shell),
        Command::Man => output::man(),
    }
}
