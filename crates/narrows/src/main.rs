//! The command `narrows`.

use std::process::ExitCode;

use clap::Parser;

mod arguments;
mod check;
mod exit;
mod explain;
mod output;
mod record;
mod render;
mod target;
mod what_if;

use arguments::{Arguments, Command};
use exit::Exit;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Check(check) => check::run(&check),
        Command::Record(record) => record::run(&record),
        Command::Explain(explain) => explain::run(&explain),
        Command::WhatIf(what_if) => what_if::run(&what_if),
        Command::Completions { shell } => output::completions(shell),
        Command::Man => output::man(),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error);
            Exit::of(&error).into()
        }
    }
}
