//! Old versions of rows that nothing may remove.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::mysql::verdicts;
use crate::mysql::view::{STATUS, View};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.history-list-long",
    title: "InnoDB keeps old versions of rows that a long transaction may still read",
    explains: &["mysql.slow-queries"],
    refutes: &[],
    document: include_str!("history_list_long.md"),
    test,
};

/// From so many on, each read of a row that changes often walks past many.
const LONG: f64 = 1_000_000.0;
/// From so many on, purge is behind.
const SOME: f64 = 100_000.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let asked = view.asked()?;
    #[expect(clippy::cast_precision_loss, reason = "a count of transactions")]
    let listed =
        asked.innodb.as_ref().and_then(|innodb| innodb.history_list_length).map(|length| length as f64);
    let length = listed.or_else(|| view.gauge("Innodb_history_list_length")).ok_or_else(|| {
        Missing::new(
            format!("history list length of {}", view.name()),
            "give the account of narrows the right PROCESS, to see SHOW ENGINE INNODB STATUS",
        )
    })?;
    let longest = asked.processlist.longest_sleep_s.into_iter().chain(asked.processlist.longest_query_s);
    let longest = longest.max_by(f64::total_cmp);
    let mut line = format!("{}: {} old versions of rows", view.name(), number_text(length));
    line.push_str(&longest.map_or_else(String::new, |seconds| {
        format!(", the longest statement or sleep in a transaction {} s", number_text(seconds.round()))
    }));
    let outcome = if length >= LONG {
        Outcome::confirmed(Severity::Latent, line).remedy(remedy(length, longest))
    } else if length >= SOME {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "whether it grows",
            "look again in some minutes: purge may be about to catch up",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome.seen(view.seen(STATUS, "History list length", length)))
}

fn remedy(length: f64, longest: Option<f64>) -> Remedy {
    let longest = longest.map_or_else(|| "not known".to_owned(), |s| format!("{} s", number_text(s.round())));
    let target = Derived::new("transactions that end", "history list length ≥ 1,000,000")
        .input("length", number_text(length), "SHOW ENGINE INNODB STATUS")
        .input("longest", longest, "SHOW PROCESSLIST");
    let place = "the longest transactions (information_schema.INNODB_TRX): end them, and let dumps and reports use a replica";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("KILL of a connection takes its transaction back");
    Remedy::new("End the transactions that keep old versions", "the history list falls below 100,000")
        .change(change)
}
