//! `narrows undo`.

use std::time::Duration;

use change::transaction::{self, DeadManOrder, UndoOptions};

use crate::apply::must_be_root;
use crate::arguments::change::{DeadMan, ResultFormat, Undo};
use crate::exit::Exit;
use crate::{output, render};

/// Puts back what a transaction changed, or what all of them did.
pub(crate) fn run(arguments: &Undo) -> anyhow::Result<Exit> {
    must_be_root("undo")?;
    let options = UndoOptions {
        state_directory: arguments.state.directory.clone(),
        id: arguments.id,
        force: arguments.force,
        unless_confirmed: arguments.unless_confirmed,
        patience: Duration::ZERO,
        why: None,
    };
    let mut undone_any = false;
    loop {
        let undone = match (options.unless_confirmed, options.id) {
            (true, Some(id)) => transaction::undo_unless_confirmed(id, &options.state_directory)?,
            _ => transaction::undo(&options)?,
        };
        if undone_any && matches!(undone, transaction::Undo::Nothing) {
            return Ok(Exit::Clear);
        }
        output::print(&match arguments.state.format {
            ResultFormat::Human => render::transaction::undone(&undone),
            ResultFormat::Json => render::transaction::undone_json(&undone)?,
        })?;
        match undone {
            transaction::Undo::Done(outcome) if !outcome.left.is_empty() => return Ok(Exit::Incomplete),
            transaction::Undo::Done(_) if arguments.all => undone_any = true,
            _ => return Ok(Exit::Clear),
        }
    }
}

/// The life of the process that undoes a trial. Nobody reads what it would print.
pub(crate) fn dead_man(arguments: &DeadMan) -> anyhow::Result<Exit> {
    transaction::wait_and_undo(&DeadManOrder {
        id: arguments.id,
        state_directory: arguments.state_dir.clone(),
        after: Duration::from_millis(arguments.after_ms),
        databases: false,
    })?;
    Ok(Exit::Clear)
}
