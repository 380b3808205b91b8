//! The database turns clients away.

use model::Missing;
use model::observation::number_text;

use crate::mysql::symptoms::worst;
use crate::mysql::view::{STATUS, View};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "mysql.too-many-connections",
    title: "The database turns clients away: too many connections",
    document: include_str!("too_many_connections.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    worst(evidence, of)
}

fn of(view: &View<'_>) -> Result<Presence, Missing> {
    let counter = "Connection_errors_max_connections";
    let rate = view.per_s(counter)?;
    let line = format!("{}: {} clients/s turned away", view.name(), number_text(rate));
    Ok(Presence::new(rate > 0.0, line).seen(view.seen(STATUS, counter, rate).unit("/s")))
}
