//! A replica that is behind, or stands still.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::Replication;
use crate::mysql::verdicts;
use crate::mysql::view::View;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.replica-lag",
    title: "A replica of the database is behind its source",
    explains: &[],
    refutes: &[],
    document: include_str!("replica_lag.md"),
    test,
};

/// From so many seconds on, a page that reads from it misses what was just written.
const BEHIND_S: f64 = 10.0;
/// From so many on, it will not catch up by itself.
const FAR_BEHIND_S: f64 = 60.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let asked = view.asked_for("replication")?;
    let Some(replica) = &asked.replication else {
        return Ok(Outcome::ruled_out(format!("{} is no replica", view.name())));
    };
    let outcome = if !replica.receiving || !replica.applying {
        let which = match (replica.receiving, replica.applying) {
            (false, false) => "neither receives nor applies",
            (false, true) => "does not receive",
            _ => "does not apply",
        };
        let error = replica.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        let line = format!("{}: the replica {which} changes{error}", view.name());
        Outcome::confirmed(Severity::Breaking, line).remedy(remedy(replica))
    } else {
        let lag = replica.lag_s.ok_or_else(|| {
            Missing::new(format!("seconds that {} is behind", view.name()), "look at SHOW REPLICA STATUS")
        })?;
        let line = format!("{}: {} s behind its source", view.name(), number_text(lag));
        match lag {
            _ if lag >= FAR_BEHIND_S => Outcome::confirmed(Severity::Limiting, line).remedy(remedy(replica)),
            _ if lag >= BEHIND_S => Outcome::consistent(Severity::Latent, line)
                .lacks(Missing::new("whether it catches up", "look again in some minutes")),
            _ => Outcome::ruled_out(line),
        }
    };
    let source = view.source("SHOW REPLICA STATUS");
    let lag = replica.lag_s.map(|lag| Observation::new(source.clone(), "behind source", lag).unit("s"));
    Ok(outcome.seen_all(lag).seen(Observation::new(
        source,
        "receiving, applying",
        format!("{}, {}", replica.receiving, replica.applying),
    )))
}

fn remedy(replica: &Replication) -> Remedy {
    let lag =
        replica.lag_s.map_or_else(|| "stands still".to_owned(), |lag| format!("{} s", number_text(lag)));
    let target = Derived::new("a replica that applies as fast as its source writes", "seconds behind source")
        .input("lag", lag, "SHOW REPLICA STATUS");
    let place = "the replica: its error first; then parallel workers (slave_parallel_threads, replica_parallel_workers), a primary key for each table, and pages that must see their own writes read from the source";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("skipping an event makes the replica differ from its source");
    Remedy::new("Let the replica catch up", "seconds behind source fall to 0").change(change)
}
