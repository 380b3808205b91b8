//! `narrows apply` and `narrows confirm`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use change::ChangeError;
use change::plan::Plan;
use change::transaction::{self, Applied, ApplyOptions};
use host::{Host, LiveHost};

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
    must_be_root("apply a plan")?;
    let wanted = match &arguments.plan {
        Some(path) => saved(path)?,
        None => plan::live(&arguments.choice)?,
    };
    let shown = human && (arguments.plan.is_none() || !arguments.yes);
    if shown {
        output::print(&render::plan::plan(&wanted, None))?;
    }
    let only: &[String] = if arguments.plan.is_some() { &arguments.choice.only } else { &[] };
    let chosen = transaction::selected(&wanted, only)?;
    if chosen.is_empty() {
        // The plan has said so where it was printed.
        match (human, shown) {
            (true, false) => output::print("Nothing to change: the plan has no changes.\n")?,
            (true, true) => {}
            (false, _) => output::print(&render::transaction::applied_json(&Applied::Nothing)?)?,
        }
        return Ok(Exit::Clear);
    }
    if !arguments.yes && !agreed(chosen.len(), arguments.trial)? {
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
    report(&applied, arguments.state.format)
}

fn report(applied: &Applied, format: ResultFormat) -> anyhow::Result<Exit> {
    output::print(&match format {
        ResultFormat::Human => render::transaction::applied(applied),
        ResultFormat::Json => render::transaction::applied_json(applied)?,
    })?;
    Ok(match applied {
        Applied::Nothing | Applied::Done(_) => Exit::Clear,
        Applied::PutBack { outcome, .. } if outcome.left.is_empty() => Exit::Refused,
        Applied::PutBack { .. } => Exit::Incomplete,
    })
}

/// Only root can write what plans write, and read the originals in the journal.
pub(crate) fn must_be_root(attempted: &str) -> anyhow::Result<()> {
    if LiveHost::new().is_root() != Some(false) {
        return Ok(());
    }
    Err(ChangeError::new(attempted, "you are not root").help("run it with sudo").into())
}

/// Reads a saved plan. One that anybody may have written is not for root to carry out: its hash is no signature.
pub(crate) fn saved(path: &Path) -> anyhow::Result<Plan> {
    let file = host::read_local_file(path)?;
    let shown = path.display();
    if file.writable_by_all {
        return Err(ChangeError::new(format!("apply {shown}"), "every user may write to it")
            .help(format!("read it, then `chmod o-w {}`", output::word(&shown.to_string())))
            .into());
    }
    Plan::from_json(&file.bytes).with_context(|| shown.to_string())
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
    must_be_root("confirm")?;
    let outcome = transaction::confirm(&arguments.state.directory)?;
    output::print(&match arguments.state.format {
        ResultFormat::Human => render::transaction::confirmed(&outcome),
        ResultFormat::Json => render::transaction::json("confirmed", Some(&outcome), None)?,
    })?;
    Ok(Exit::Clear)
}
