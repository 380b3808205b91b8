//! `narrows apply` and `narrows confirm`.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use change::plan::Plan;
use change::transaction::{self, Applied, ApplyOptions};

use crate::arguments::change::{Apply, Confirm, ResultFormat};
use crate::exit::{Exit, UsageError};
use crate::{output, plan, render};

/// Makes the changes of a saved plan, or of one made now.
pub(crate) fn run(arguments: &Apply) -> anyhow::Result<Exit> {
    let human = arguments.state.format == ResultFormat::Human;
    let somebody_is_there = human && std::io::stdin().is_terminal();
    if !arguments.yes && !somebody_is_there {
        return Err(UsageError("nobody is there to be asked; --yes applies without asking".into()).into());
    }
    let wanted = match &arguments.plan {
        Some(path) => {
            let bytes = host::read_local(path)?;
            Plan::from_json(&bytes).with_context(|| format!("{} is no plan", path.display()))?
        }
        None => plan::live(&arguments.choice)?,
    };
    if human && arguments.plan.is_none() {
        output::print(&render::plan::plan(&wanted))?;
    }
    let only: &[String] = if arguments.plan.is_some() { &arguments.choice.only } else { &[] };
    let chosen = transaction::selected(&wanted, only)?;
    if !chosen.is_empty() && !arguments.yes && !agreed(chosen.len(), arguments.trial)? {
        return Ok(Exit::Refused);
    }
    let applied = transaction::apply(
        &wanted,
        &ApplyOptions {
            state_directory: arguments.state.directory.clone(),
            only: only.to_vec(),
            trial: arguments.trial,
            restart: arguments.restart,
        },
    )?;
    output::print(&match arguments.state.format {
        ResultFormat::Human => render::transaction::applied(&applied),
        ResultFormat::Json => render::transaction::applied_json(&applied)?,
    })?;
    Ok(match applied {
        Applied::Nothing | Applied::Done(_) => Exit::Clear,
        Applied::PutBack { outcome, .. } if outcome.left.is_empty() => Exit::Refused,
        Applied::PutBack { .. } => Exit::Incomplete,
    })
}

fn agreed(changes: usize, trial: Option<Duration>) -> anyhow::Result<bool> {
    let until = trial.map(|trial| format!(", to be undone after {} s unless confirmed", trial.as_secs_f64()));
    let plural = if changes == 1 { "" } else { "s" };
    let question = format!("Apply {changes} change{plural}{}? [y/N] ", until.unwrap_or_default());
    let mut stderr = anstream::stderr();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Keeps what is on trial.
pub(crate) fn confirm(arguments: &Confirm) -> anyhow::Result<Exit> {
    let outcome = transaction::confirm(&arguments.state.directory)?;
    output::print(&match arguments.state.format {
        ResultFormat::Human => render::transaction::confirmed(&outcome),
        ResultFormat::Json => render::transaction::json("confirmed", Some(&outcome), None)?,
    })?;
    Ok(Exit::Clear)
}
