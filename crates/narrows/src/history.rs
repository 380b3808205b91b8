//! `narrows history`.

use std::path::Path;

use anyhow::Context;
use change::journal::{Journal, Transaction};

use crate::arguments::change::{History, ResultFormat};
use crate::exit::Exit;
use crate::{output, render};

/// Lists the transactions, or shows one.
pub(crate) fn run(arguments: &History) -> anyhow::Result<Exit> {
    let directory = &arguments.state.directory;
    let transactions = match (is_there(directory)?, arguments.id) {
        (false, None) => vec![],
        (_, Some(id)) => vec![Journal::open(directory)?.transaction(id)?],
        (true, None) => Journal::open(directory)?.transactions()?,
    };
    output::print(&match arguments.state.format {
        ResultFormat::Json => json(&transactions)?,
        ResultFormat::Human if arguments.id.is_some() => render::transaction::steps(&transactions),
        ResultFormat::Human => render::transaction::history(&transactions),
    })?;
    Ok(Exit::Clear)
}

/// Whether there is a journal. Who may not look into the directory is told so, not that nothing was ever done.
fn is_there(directory: &Path) -> anyhow::Result<bool> {
    let journal = directory.join("journal.sqlite");
    journal.try_exists().with_context(|| format!("cannot look for {}; run it as root", journal.display()))
}

fn json(transactions: &[Transaction]) -> anyhow::Result<String> {
    let transactions: Vec<_> = transactions.iter().map(render::transaction::transaction_json).collect();
    let list = serde_json::json!({ "schema": "narrows.history/1", "transactions": transactions });
    Ok(format!("{}\n", serde_json::to_string_pretty(&list)?))
}
