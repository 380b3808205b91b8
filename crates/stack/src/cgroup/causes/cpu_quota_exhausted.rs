//! A control group that uses up its CPU quota.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cgroup::rates::{Quota, quotas};
use crate::cgroup::unit::setting;
use crate::cpu::shares::percent;
use crate::remedies::together;
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "cgroup.cpu-quota-exhausted",
    title: "A control group uses up its CPU quota",
    explains: &["cgroup.throttled"],
    refutes: &[Refutation {
        symptom: "cpu.steal-high",
        because: "time that a quota withholds is counted as idle, never as steal",
    }],
    document: include_str!("cpu_quota_exhausted.md"),
    test,
};

/// From this use of the quota on, little more work reaches it.
const NEAR: f64 = 0.8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cgroup)?;
    let limited = span.last.groups.iter().filter(|group| group.quota_us.is_some()).count();
    let quotas = quotas(&span);
    if limited == 0 {
        return Ok(Outcome::ruled_out(format!(
            "no CPU quota on any group ({} looked at)",
            span.last.looked_at
        )));
    }
    let throttled: Vec<_> = quotas.iter().filter(|quota| quota.is_throttled()).collect();
    let cpus =
        evidence.latest(|reading| &reading.cpu).ok().map(|cpu| cpu.cpus.len()).filter(|count| *count > 0);
    let (background, felt): (Vec<&Quota>, Vec<&Quota>) =
        throttled.into_iter().partition(|quota| quota.listens == Some(false));
    let outcome = if let Some(worst) = felt.first() {
        let confirmed = Outcome::confirmed(Severity::Limiting, line(worst));
        let remedies = felt.iter().take(4).filter_map(|quota| remedy(quota, cpus));
        together(remedies).into_iter().fold(confirmed, Outcome::remedy)
    } else if let Some(worst) = background.first() {
        let line =
            format!("{}; no connection arrives there: the quota holds background work back", line(worst));
        Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            format!("whether anybody waits for {}", worst.path),
            "a job that holds locks of a database while it stands still holds up everybody: ask the database for them",
        ))
    } else if quotas.is_empty() {
        return Err(Missing::new(
            "cpu.stat with growing counters",
            "the groups were created or reset within the window: read the host again",
        ));
    } else if let Some(near) =
        quotas.iter().find(|quota| used_share(quota).is_some_and(|share| share >= NEAR))
    {
        Outcome::consistent(Severity::Latent, line(near)).lacks(Missing::new(
            "a throttled period",
            "the quota has not run out in this window: look again when the group has more to do",
        ))
    } else {
        Outcome::ruled_out(format!("no quota ran out (groups with one: {limited})"))
    };
    Ok(outcome.seen_all(quotas.iter().take(8).flat_map(observations)))
}

fn used_share(quota: &Quota) -> Option<f64> {
    Some(quota.used_cpus? / quota.cpus)
}

fn line(quota: &Quota) -> String {
    let used =
        quota.used_cpus.map_or_else(|| "an unknown part".to_owned(), |used| number_text(rounded(used)));
    let share = quota.throttled_share().unwrap_or(0.0);
    format!(
        "{} uses {used} of {} CPUs, throttled in {} % of periods",
        quota.path,
        number_text(rounded(quota.cpus)),
        number_text(percent(share))
    )
}

fn rounded(cpus: f64) -> f64 {
    (cpus * 100.0).round() / 100.0
}

fn observations(quota: &Quota) -> Vec<Observation> {
    let seen = |field: &str, value: f64, unit| {
        Observation::new("cpu.stat", format!("{} {field}", quota.path), value).unit(unit)
    };
    let mut seen_all =
        vec![Observation::new("cpu.max", format!("{} quota", quota.path), quota.cpus).unit("CPUs")];
    seen_all
        .extend(quota.throttled_share().map(|share| seen("nr_throttled / nr_periods", percent(share), "%")));
    seen_all.extend(quota.used_cpus.map(|used| seen("usage", rounded(used), "CPUs")));
    seen_all.extend(quota.throttled_s_per_s.map(|time| seen("throttled time", rounded(time), "CPUs")));
    seen_all
}

/// A quota that leaves a quarter above what was used and withheld, never more than the host has.
fn remedy(quota: &Quota, cpus: Option<usize>) -> Option<Remedy> {
    let (used, withheld) = (quota.used_cpus?, quota.throttled_s_per_s.unwrap_or(0.0));
    #[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
    let most = cpus.map(|count| count as f64);
    let wanted = ((used + withheld) * 1.25).max(quota.cpus * 1.25).min(most.unwrap_or(f64::INFINITY));
    if wanted <= quota.cpus {
        return None;
    }
    let percent_of = |cpus: f64| format!("CPUQuota={:.0}%", (cpus * 100.0).ceil());
    let most_text = most.map_or_else(|| "unknown".to_owned(), number_text);
    let target =
        Derived::new(percent_of(wanted), "min(max((used + withheld) × 1.25, quota × 1.25), CPUs) × 100")
            .input("used", format!("{used:.2} CPUs"), "cpu.stat usage")
            .input("withheld", format!("{withheld:.2} CPUs"), "cpu.stat throttled time")
            .input("quota", format!("{:.2} CPUs", quota.cpus), "cpu.max")
            .input("CPUs", most_text, "/proc/stat");
    let what = setting(quota.path, vec![percent_of(wanted)]);
    let change = Change::new(what, Some(percent_of(quota.cpus)), target)
    .persists_by("a drop-in of the unit, or the limit in the container's own configuration")
    .risks(
        "leave it where the quota is meant to hold this group back; CPUWeight= yields without a hard limit",
    );
    let moves = format!("nr_throttled of {} grows in less than 5 % of periods", quota.path);
    Some(Remedy::new(format!("Give {} a larger quota", quota.path), moves).change(change))
}
