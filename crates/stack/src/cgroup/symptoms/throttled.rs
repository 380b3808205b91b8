//! A control group is stopped again and again.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cgroup::rates::quotas;
use crate::cpu::shares::percent;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cgroup.throttled",
    title: "A control group is throttled",
    document: include_str!("throttled.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cgroup)?;
    let quotas = quotas(&span);
    let worst = quotas.iter().find_map(|quota| Some((quota, quota.throttled_share()?)));
    let Some((quota, share)) = worst else {
        return Ok(Presence::new(false, "no group with a CPU quota ran in this window"));
    };
    let summary =
        format!("{} throttled in {} % of {} periods", quota.path, number_text(percent(share)), quota.periods);
    let seen =
        Observation::new("cpu.stat", format!("{} nr_throttled / nr_periods", quota.path), percent(share))
            .unit("%");
    Ok(Presence::new(quota.is_throttled(), summary).seen(seen))
}
