//! Background work that takes the CPUs others wait for.

use model::observation::number_text;
use model::{Change, Derived, Missing, Observation, Outcome, Remedy, Severity, Verdict};

use crate::cgroup::rates::{Use, uses};
use crate::cgroup::unit::setting;
use crate::cpu::shares::{self, percent};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "cgroup.cpu-hog",
    title: "Background work takes the CPUs that others wait for",
    explains: &["cpu.saturated"],
    refutes: &[Refutation {
        symptom: "cpu.steal-high",
        because: "time that another group of this host uses is counted as user and system, never as steal",
    }],
    document: include_str!("cpu_hog.md"),
    test,
};

/// From this share of free time on, nobody waits because of somebody else.
const ENOUGH_FREE: f64 = 0.25;
/// From this share of all CPU time on, one group is what the host is busy with.
const MOST: f64 = 0.5;
/// From this share of the window in which a task waited for a CPU on, it is felt.
const WAITS: f64 = 0.10;
/// Where connections arrive, less is felt: from this share on,
const SERVES_AND_WAITS: f64 = 0.02;
/// when it waited for at least half of the time it ran, so that each request takes half as long again.
const SLOWED: f64 = 0.5;
/// At this use of two CPUs a request waits about as long as it is served (Erlang's C formula); with more, less.
const COMFORTABLE: f64 = 0.7;
/// The least that is left to background work, in CPUs: it shall end some day.
const LEAST_QUOTA: f64 = 0.1;
/// A fifth of what every group has unless somebody sets another weight.
const LOW_WEIGHT: u64 = 20;

/// What the host was busy with.
struct Contest<'a> {
    /// The CPUs there are.
    cpus: f64,
    hog: &'a Use<'a>,
    /// Who waits most for a CPU, and for what share of the window.
    waits_most: Option<(&'a Use<'a>, f64)>,
    /// CPUs that all others used.
    others: f64,
    /// Tasks of others that waited for a CPU, on average, at least.
    others_wait: f64,
}

/// The group of background work that is confirmed to take the CPUs.
pub(crate) fn hog(evidence: &Evidence) -> Option<String> {
    test(evidence).ok().filter(|outcome| outcome.verdict == Verdict::Confirmed)?;
    let uses = uses(&evidence.span(|reading| &reading.cgroup).ok()?);
    uses.first().map(|hog| hog.group.path.clone())
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let cpus = shares::count(span.last).ok_or_else(shares::no_ticks)?;
    if total.free() >= ENOUGH_FREE {
        let seen = Observation::new("/proc/stat", "cpu idle + iowait", percent(total.free())).unit("%");
        let line = format!("{} % of CPU time is free", number_text(percent(total.free())));
        return Ok(Outcome::ruled_out(line).seen(seen));
    }
    let uses = uses(&evidence.span(|reading| &reading.cgroup)?);
    let Some((hog, others)) = uses.split_first() else {
        return Err(Missing::new(
            "cpu.stat of services and containers",
            "run narrows on the host itself, with control groups of version 2",
        ));
    };
    let waits = others.iter().filter_map(|other| Some((other, other.waited?)));
    // Narrows itself waits too: those whose waiting visitors feel come first.
    let rank = |(other, waited): &(&Use, f64)| (is_felt(other, *waited), other.listens == Some(true));
    let contest = Contest {
        cpus,
        hog,
        waits_most: waits.clone().max_by(|a, b| rank(a).cmp(&rank(b)).then(a.1.total_cmp(&b.1))),
        others: others.iter().map(|other| other.cpus).sum(),
        others_wait: waits.map(|(_, waited)| waited).sum(),
    };
    let line = line(&contest);
    let outcome = if hog.cpus < MOST * cpus {
        Outcome::ruled_out(format!("{line}: less than half of them"))
    } else if hog.listens == Some(true) {
        Outcome::ruled_out(format!("{line}, and connections arrive there: it is what the host is for"))
    } else {
        judge(&contest, line)?
    };
    Ok(outcome.seen_all(observations(&contest)))
}

/// Whether a group's waiting is felt.
fn is_felt(of: &Use, waited: f64) -> bool {
    let slowed = of.listens == Some(true) && waited >= SERVES_AND_WAITS && waited >= SLOWED * of.cpus;
    slowed || waited >= WAITS
}

fn judge(contest: &Contest, line: String) -> Result<Outcome, Missing> {
    let Some((waiting, waited)) = contest.waits_most else {
        return Err(Missing::new(
            "cpu.pressure of services and containers",
            "boot with psi=1 (a kernel with CONFIG_PSI) to see who waits for a CPU",
        ));
    };
    if !is_felt(waiting, waited) {
        return Ok(Outcome::ruled_out(format!(
            "{line}; nobody else waits for a CPU (at most {}, {} % of the time)",
            waiting.group.path,
            number_text(percent(waited))
        )));
    }
    let line = format!(
        "{line}; {} waits {} % of the time and runs {} %",
        waiting.group.path,
        number_text(percent(waited)),
        number_text(percent(waiting.cpus))
    );
    Ok(match contest.hog.listens {
        Some(_) => Outcome::confirmed(Severity::Limiting, line)
            .remedy(limit(contest))
            .remedy(yield_to_others(contest)),
        None => Outcome::consistent(Severity::Limiting, line).lacks(Missing::new(
            format!("whether connections arrive at {}", contest.hog.group.path),
            "run narrows as root, in the network namespace of the group: what serves is not background work",
        )),
    })
}

fn line(contest: &Contest) -> String {
    let Contest { hog, cpus, .. } = contest;
    format!(
        "{} uses {} of {} ({} %)",
        hog.group.path,
        number_text(rounded(hog.cpus)),
        wording::cpus(*cpus),
        number_text(percent(hog.cpus / cpus))
    )
}

fn rounded(cpus: f64) -> f64 {
    (cpus * 100.0).round() / 100.0
}

/// What is left when all others have what they used and waited for, and CPUs are 70 % in use.
fn limit(contest: &Contest) -> Remedy {
    let Contest { hog, cpus, others, others_wait, .. } = contest;
    let path = &hog.group.path;
    let spare = (COMFORTABLE * cpus - others - others_wait).max(LEAST_QUOTA);
    let quota = format!("CPUQuota={:.0}%", (spare * 100.0 + 1e-6).floor());
    let target = Derived::new(&quota, "⌊max(0.7 × CPUs − used by others − waited by others, 0.1) × 100⌋ %")
        .input("CPUs", number_text(*cpus), "/proc/stat")
        .input("used by others", format!("{others:.2} CPUs"), "cpu.stat usage of all other groups")
        .input("waited by others", format!("{others_wait:.2} tasks"), "cpu.pressure of all other groups");
    let change = Change::new(setting(path, vec![quota]), None, target)
        .persists_by("a drop-in of the unit, or the limit in the container's own configuration")
        .risks(
            "the work takes longer, and stands still for parts of each period: where it holds locks of a database, \
             choose the weight instead",
        );
    Remedy::new(format!("Limit {path} to what others leave"), format!("{path} uses at most {spare:.2} CPUs"))
        .change(change)
}

/// A lower weight: the work still uses what nobody else wants.
fn yield_to_others(contest: &Contest) -> Remedy {
    let path = &contest.hog.group.path;
    let weight = contest.hog.group.weight;
    let target =
        Derived::new(format!("CPUWeight={LOW_WEIGHT}"), "a fifth of the weight that groups have by default")
            .input(
                "weight",
                weight.map_or_else(|| "unknown".to_owned(), |weight| weight.to_string()),
                "cpu.weight",
            );
    let current = weight.map(|weight| format!("CPUWeight={weight}"));
    let change = Change::new(setting(path, vec![target.value.clone()]), current, target)
        .persists_by("a drop-in of the unit, or the weight in the container's own configuration")
        .risks("it acts among siblings of one slice; CPUs stay full, and turbo and caches are shared");
    Remedy::new(format!("Let {path} yield to others"), "cpu.pressure of the other groups falls below 10 %")
        .change(change)
}

fn observations(contest: &Contest) -> Vec<Observation> {
    let used = |of: &Use| {
        Observation::new("cpu.stat", format!("{} usage", of.group.path), rounded(of.cpus)).unit("CPUs")
    };
    let waited = |of: &Use, share: f64| {
        Observation::new("cpu.pressure", format!("{} some", of.group.path), percent(share)).unit("%")
    };
    let mut seen = vec![used(contest.hog)];
    seen.extend(contest.hog.waited.map(|share| waited(contest.hog, share)));
    seen.push(
        Observation::new("cpu.stat", "usage of all other groups", rounded(contest.others)).unit("CPUs"),
    );
    seen.extend(contest.waits_most.iter().flat_map(|(other, share)| [used(other), waited(other, *share)]));
    seen
}
