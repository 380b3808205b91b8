//! What became of a transaction, for a person and for a program.

use change::journal::{Status, Step, Transaction};
use change::transaction::{Applied, Left, Outcome, Undo};
use jiff::tz::TimeZone;

use super::page::{Page, bad, doubtful, faint, good, strong};

/// The outcome of `narrows apply`.
pub(crate) fn applied(applied: &Applied) -> String {
    match applied {
        Applied::Nothing => "Nothing to change: everything the plan asks for holds already.\n".to_owned(),
        Applied::Done(outcome) => done(outcome),
        Applied::PutBack { error, outcome } => {
            let mut page = Page::default();
            let id = outcome.transaction.id;
            page.line("refused: ", bad(), 9, &error.to_string());
            let text = match outcome.left.is_empty() {
                true => format!("Transaction {id} was put back as a whole. The host is as it was."),
                false => format!("Transaction {id} could not be put back as a whole:"),
            };
            page.line("", strong(), 0, &text);
            rest(&mut page, outcome);
            page.finish()
        }
    }
}

fn done(outcome: &Outcome) -> String {
    let mut page = Page::default();
    let transaction = &outcome.transaction;
    for step in transaction.steps.iter().filter(|step| step.begun) {
        page.line("  ✔ ", good(), 4, &written(step));
    }
    let (id, count) = (transaction.id, transaction.steps.len());
    let plural = if count == 1 { "" } else { "s" };
    match transaction.deadline_unix_ms.filter(|_| transaction.status == Status::Trying) {
        Some(deadline) => {
            let waiting = transaction.steps.iter().filter(|step| !step.begun).count();
            let text = format!(
                "Transaction {id} is on trial until {}. `narrows confirm` keeps it{}; without that it is undone then.",
                time(deadline),
                if waiting > 0 { " and makes it last over a boot" } else { "" },
            );
            page.line("", strong(), 0, &text);
        }
        None => {
            let text = format!(
                "Transaction {id} is applied: {count} write{plural}. `narrows undo {id}` takes it back."
            );
            page.line("", strong(), 0, &text);
        }
    }
    page.line("", faint(), 0, &format!("Originals and undo.sh: {}", outcome.folder));
    rest(&mut page, outcome);
    page.finish()
}

/// The outcome of `narrows confirm`.
pub(crate) fn confirmed(outcome: &Outcome) -> String {
    let mut page = Page::default();
    let id = outcome.transaction.id;
    page.line("", strong(), 0, &format!("Transaction {id} stays. `narrows undo {id}` takes it back."));
    rest(&mut page, outcome);
    page.finish()
}

/// The outcome of `narrows undo`.
pub(crate) fn undone(undo: &Undo) -> String {
    let outcome = match undo {
        Undo::Nothing => return "Nothing to undo.\n".to_owned(),
        Undo::NotNeeded(transaction) => {
            return format!(
                "Transaction {} is {}: nothing to undo.\n",
                transaction.id,
                transaction.status.name()
            );
        }
        Undo::Done(outcome) => outcome,
    };
    let mut page = Page::default();
    let transaction = &outcome.transaction;
    for step in transaction.steps.iter().rev().filter(|step| step.begun && step.restored) {
        let kind = step.target.kind();
        let name = kind.name();
        // A note says of it that it has gone, or went with a boot.
        if outcome.notes.iter().any(|note| note.starts_with(&format!("{name} "))) {
            continue;
        }
        page.line("  ✔ ", good(), 4, &format!("{name}: {} again", kind.shown(&step.original)));
    }
    let text = match outcome.left.is_empty() {
        true => format!("Transaction {} is undone.", transaction.id),
        false => format!("Transaction {} is not undone as a whole:", transaction.id),
    };
    page.line("", strong(), 0, &text);
    rest(&mut page, outcome);
    page.finish()
}

fn rest(page: &mut Page, outcome: &Outcome) {
    for Left { name, why, instead, .. } in &outcome.left {
        page.line("  ✘ ", bad(), 4, &format!("{name}: {why}"));
        page.line("", strong(), 4, instead);
    }
    for note in &outcome.notes {
        page.line("  ! ", doubtful(), 4, note);
    }
}

/// A table of transactions, the latest first.
pub(crate) fn history(transactions: &[Transaction]) -> String {
    if transactions.is_empty() {
        return "No transaction yet.\n".to_owned();
    }
    let mut page = Page::default();
    page.heading(&format!("{:>4}  {:<17} {:<11} {:>6}  {}", "ID", "BEGAN", "STATUS", "WRITES", "CHANGES"));
    for transaction in transactions.iter().rev() {
        let begun = transaction.steps.iter().filter(|step| step.begun).count();
        let label = format!(
            "{:>4}  {:<17} {:<11} {:>6}  ",
            transaction.id,
            time(transaction.began_unix_ms),
            standing(transaction),
            format!("{begun}/{}", transaction.steps.len()),
        );
        let style = if transaction.status.is_interrupted() { bad() } else { strong() };
        page.line(&label, style, label.chars().count(), &names(transaction));
        if let Some(outcome) = &transaction.outcome {
            page.line("", faint(), label.chars().count(), outcome);
        }
    }
    if let Some(cut) = transactions.iter().find(|transaction| transaction.status.is_interrupted()) {
        page.gap();
        page.line("NEXT    ", strong(), 8, &format!("narrows undo {}", cut.id));
    }
    page.finish()
}

fn standing(transaction: &Transaction) -> &'static str {
    match transaction.status {
        Status::Applying | Status::Confirming => "cut short",
        Status::Undoing => "half undone",
        Status::Trying => "on trial",
        status => status.name(),
    }
}

fn names(transaction: &Transaction) -> String {
    let mut names: Vec<_> = transaction.steps.iter().map(|step| step.target.kind().name()).collect();
    names.dedup();
    let more = names.len().saturating_sub(4);
    names.truncate(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Transactions with all their steps.
pub(crate) fn steps(transactions: &[Transaction]) -> String {
    let mut page = Page::default();
    for transaction in transactions {
        let user = transaction.user.as_deref().unwrap_or("unknown");
        let line = format!(
            "Transaction {} · {} · began {} by {user} · plan {:.23}",
            transaction.id,
            standing(transaction),
            time(transaction.began_unix_ms),
            transaction.plan_hash
        );
        page.line("", strong(), 0, &line);
        if let Some(outcome) = &transaction.outcome {
            page.line("", faint(), 2, outcome);
        }
        for step in &transaction.steps {
            let mark = match (step.begun, step.restored) {
                (false, _) => "  – ",
                (true, false) => "  ✔ ",
                (true, true) => "  ↶ ",
            };
            page.line(mark, good(), 4, &written(step));
        }
    }
    page.finish()
}

fn written(step: &Step) -> String {
    let kind = step.target.kind();
    format!("{}: {} → {}", kind.name(), kind.shown(&step.original), kind.shown(&step.wanted))
}

/// A time of day on this machine.
fn time(unix_ms: i64) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_millisecond(unix_ms) else { return unix_ms.to_string() };
    timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The outcome of `narrows apply`, for a program.
pub(crate) fn applied_json(applied: &Applied) -> anyhow::Result<String> {
    match applied {
        Applied::Nothing => json("nothing", None, None),
        Applied::Done(outcome) => json("applied", Some(outcome), None),
        Applied::PutBack { error, outcome } => json("put-back", Some(outcome), Some(&error.to_string())),
    }
}

/// The outcome of `narrows undo`, for a program.
pub(crate) fn undone_json(undo: &Undo) -> anyhow::Result<String> {
    match undo {
        Undo::Nothing | Undo::NotNeeded(_) => json("nothing", None, None),
        Undo::Done(outcome) => json("undone", Some(outcome), None),
    }
}

/// What was done, for a program: `narrows.outcome/1`.
pub(crate) fn json(done: &str, outcome: Option<&Outcome>, error: Option<&str>) -> anyhow::Result<String> {
    let value = serde_json::json!({
        "schema": "narrows.outcome/1",
        "done": done,
        "error": error,
        "transaction": outcome.map(|outcome| transaction_json(&outcome.transaction)),
        "folder": outcome.map(|outcome| &outcome.folder),
        "left": outcome.map(|outcome| outcome.left.as_slice()).unwrap_or_default(),
        "notes": outcome.map(|outcome| outcome.notes.as_slice()).unwrap_or_default(),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

/// A transaction for a program. Contents of files may hold secrets, so that only their digests are shown.
pub(crate) fn transaction_json(transaction: &Transaction) -> serde_json::Value {
    let step = |step: &Step| {
        serde_json::json!({
            "name": step.target.kind().name(),
            "target": step.target,
            "changes": step.changes,
            "phase": step.phase,
            "original": step.target.fingerprint(&step.original),
            "wanted": step.target.fingerprint(&step.wanted),
            "begun": step.begun,
            "restored": step.restored,
        })
    };
    serde_json::json!({
        "id": transaction.id,
        "status": transaction.status,
        "began_unix_ms": transaction.began_unix_ms,
        "changed_unix_ms": transaction.changed_unix_ms,
        "boot_id": transaction.boot_id,
        "user": transaction.user,
        "plan_hash": transaction.plan_hash,
        "deadline_unix_ms": transaction.deadline_unix_ms,
        "reloads": transaction.reloads,
        "reloaded": transaction.reloaded,
        "outcome": transaction.outcome,
        "steps": transaction.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
