//! Requests stall at regular distances.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nginx::logs;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nginx.periodic-stall",
    title: "Requests stall at regular distances",
    document: include_str!("periodic_stall.md"),
    test,
};

/// Timers that are named.
const MOST_NAMED: usize = 3;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let Some((log, period)) = logs::period(evidence)? else {
        return Ok(Presence::new(false, "no stall comes again at a regular distance in the access logs"));
    };
    let timers = logs::matching_timers(evidence, &period);
    let named: Vec<_> = timers
        .iter()
        .take(MOST_NAMED)
        .map(|timer| format!("{}, {} s", timer.name, number_text(timer.period_s)))
        .collect();
    let named = if named.is_empty() {
        "no timer of that distance is known".to_owned()
    } else {
        format!("timers of that distance: {}", named.join("; "))
    };
    let period_s = (period.period_s * 10.0).round() / 10.0;
    let summary = format!(
        "{} s every {} s instead of {} s ({} of {} times); {named}",
        number_text(period.stall_s),
        number_text(period_s),
        number_text(period.baseline_s),
        period.cycles,
        period.expected,
    );
    let presence = Presence::new(true, summary)
        .seen(Observation::new(&*log.path, "distance of stalls", period.period_s).unit("s"))
        .seen(Observation::new(&*log.path, "slowest request of a stall, median", period.stall_s).unit("s"))
        .seen(
            Observation::new(&*log.path, "slowest request of other seconds, median", period.baseline_s)
                .unit("s"),
        );
    let timers = timers.into_iter().take(MOST_NAMED);
    let seen = timers.map(|timer| Observation::new(timer.source, timer.name, timer.period_s).unit("s"));
    Ok(seen.fold(presence, Presence::seen))
}
