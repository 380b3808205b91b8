//! The host has more work than CPUs.

use model::counter::growth;
use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{self, Shares, percent};
use crate::{Cause, Evidence, cgroup, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "cpu.work-exceeds-cpus",
    title: "The host has more work than CPUs",
    explains: &["cpu.saturated"],
    refutes: &[],
    document: include_str!("work_exceeds_cpus.md"),
    test,
};

/// Below this share of free time tasks wait whatever their number.
const NO_TIME_LEFT: f64 = 0.10;
/// Below this share they wait when the pressure says so.
const LITTLE_TIME_LEFT: f64 = 0.25;
/// From this share of time with a task waiting for a CPU on.
const PRESSURE: f64 = 0.25;
/// From this share of stolen time on, the CPUs are not all there.
const STOLEN: f64 = 0.10;
/// At this use of two CPUs a request waits about as long as it is served (Erlang's C formula); with more, less.
const COMFORTABLE: f64 = 0.7;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let cpus = shares::count(span.last).ok_or_else(shares::no_ticks)?;
    let stalled = shares::stalled(&span, |cpu| cpu.pressure_cpu.as_ref());
    let line = format!(
        "{} of {} busy, {} % free{}",
        number_text(((total.busy() * cpus) * 100.0).round() / 100.0),
        wording::cpus(cpus),
        number_text(percent(total.free())),
        used_most(evidence).map_or_else(String::new, |commands| format!("; most by {commands}"))
    );
    let pressed = stalled.is_some_and(|share| share >= PRESSURE) && total.free() < LITTLE_TIME_LEFT;
    let outcome = if total.free() < NO_TIME_LEFT || pressed {
        if total.steal >= STOLEN {
            Outcome::consistent(
                Severity::Limiting,
                format!("{line}; {} % stolen", number_text(percent(total.steal))),
            )
            .lacks(Missing::new(
                "a window without steal",
                "settle cpu.steal first: stolen CPUs are not there to be used",
            ))
        } else if let Some(hog) = cgroup::hog(evidence) {
            Outcome::consistent(Severity::Limiting, format!("{line}; {hog} is background work")).lacks(
                Missing::new(
                    format!("a window without {hog}"),
                    "settle cgroup.cpu-hog first: without that work the CPUs may be enough",
                ),
            )
        } else if total.free() + total.nice >= LITTLE_TIME_LEFT {
            let line = format!("{line}; {} % at low priority", number_text(percent(total.nice)));
            Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
                "whether work at normal priority waits",
                "what runs at a nice value above 0 yields to it: look again when that has ended",
            ))
        } else {
            let waiting = shares::waiting(&span);
            Outcome::confirmed(Severity::Limiting, line).remedy(remedy(&total, cpus, waiting))
        }
    } else if stalled.is_none() && total.free() < LITTLE_TIME_LEFT {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "/proc/pressure/cpu",
            "boot with psi=1 (a kernel with CONFIG_PSI) to see whether tasks wait",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome.seen_all(observations(&total, stalled)))
}

/// The commands that used most CPU time over the window, at most three.
fn used_most(evidence: &Evidence) -> Option<String> {
    let span = evidence.span(|reading| &reading.tasks).ok()?;
    let mut used: Vec<_> = span
        .last
        .cpu
        .iter()
        .filter_map(|last| {
            let first = span.first.cpu.iter().find(|first| first.command == last.command);
            let first = first.map_or(0, |first| first.user.saturating_add(first.system));
            Some((growth(first, last.user.saturating_add(last.system))?, last.command.as_str()))
        })
        .filter(|(ticks, _)| *ticks > 0)
        .collect();
    used.sort_by_key(|(ticks, _)| std::cmp::Reverse(*ticks));
    let names: Vec<_> = used.into_iter().take(3).map(|(_, command)| command).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn observations(total: &Shares, stalled: Option<f64>) -> Vec<Observation> {
    let seen = |field: &str, share: f64| Observation::new("/proc/stat", field, percent(share)).unit("%");
    let mut seen_all = vec![
        seen("cpu idle + iowait", total.free()),
        seen("cpu user + nice", total.user),
        seen("cpu system", total.system),
        seen("cpu irq + softirq", total.irq + total.softirq),
        seen("cpu steal", total.steal),
    ];
    seen_all.extend(
        stalled.map(|share| Observation::new("/proc/pressure/cpu", "some", percent(share)).unit("%")),
    );
    seen_all
}

fn remedy(total: &Shares, cpus: f64, waiting: Option<f64>) -> Remedy {
    let busy = total.busy() * cpus;
    let demand = busy + waiting.unwrap_or(0.0);
    let needed = (demand / COMFORTABLE - 1e-9).ceil().max(cpus + 1.0);
    let waiting_text = waiting.map_or_else(|| "not counted".to_owned(), |tasks| format!("{tasks:.2}"));
    let target = Derived::new(
        format!("{needed} CPUs, or less work per request"),
        "max(⌈(busy + waiting) / 0.7⌉, CPUs + 1)",
    )
    .input("busy", format!("{busy:.2}"), "/proc/stat")
    .input("waiting", waiting_text, "/proc/schedstat")
    .input("CPUs", number_text(cpus), "/proc/stat");
    let place = "the application first (caching, fewer cycles per request), then the size of the machine";
    let change =
        Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, Some(number_text(cpus)), target)
            .risks("more workers on the same CPUs make each of them slower");
    Remedy::new("Do less work per request, or give the host more CPUs", "free CPU time rises above 25 %")
        .change(change)
}
