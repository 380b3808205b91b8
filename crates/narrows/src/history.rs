//! `narrows history`.

use change::journal::{Journal, Transaction, no_such};

use crate::arguments::change::{History, ResultFormat};
use crate::exit::Exit;
use crate::{output, render};

/// Lists the transactions, or shows one.
pub(crate) fn run(arguments: &History) -> anyhow::Result<Exit> {
    let directory = &arguments.state.directory;
    let transactions = match (Journal::open_existing(directory)?, arguments.id) {
        (None, None) => vec![],
        (None, Some(id)) => return Err(no_such(id).into()),
        (Some(journal), Some(id)) => vec![journal.transaction(id)?],
        (Some(journal), None) => journal.transactions()?,
    };
    output::print(&match arguments.state.format {
        ResultFormat::Json => json(&transactions)?,
        ResultFormat::Human if arguments.id.is_some() => render::transaction::steps(&transactions),
        ResultFormat::Human => render::transaction::history(&transactions),
    })?;
    Ok(Exit::Clear)
}

fn json(transactions: &[Transaction]) -> anyhow::Result<String> {
    let transactions: Vec<_> = transactions.iter().map(render::transaction::transaction_json).collect();
    let list = serde_json::json!({ "schema": "narrows.history/1", "transactions": transactions });
    Ok(format!("{}\n", serde_json::to_string_pretty(&list)?))
}
