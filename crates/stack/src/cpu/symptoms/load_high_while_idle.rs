//! The load is high and the CPUs are idle.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::cpu::Facts;
use crate::cpu::shares::{self, percent};
use crate::{Evidence, Presence, Symptom, wording};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "cpu.load-high-while-idle",
    title: "The load is high while CPUs are idle",
    document: include_str!("load_high_while_idle.md"),
    test,
};

/// Load per CPU from which on tasks must be waiting somewhere.
const LOAD_PER_CPU: f64 = 4.0;
/// Idle share of CPU time above which they do not wait for a CPU.
const IDLE: f64 = 0.5;
/// The time constant of the first load average, in seconds (kernel/sched/loadavg.c).
const AVERAGE_S: f64 = 60.0;
/// The kernel renews it so often, in seconds: in a shorter window it falls by one step or not at all.
const STEP_S: f64 = 5.0;
/// A fall of this part of what an empty host would show is a fall.
const FALL: f64 = 0.4;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let missing = || Missing::new("/proc/loadavg", "this kernel or container does not provide it");
    let (Some(first), Some(last)) = (span.first.load, span.last.load) else { return Err(missing()) };
    let cpus = shares::count(span.last).ok_or_else(shares::no_ticks)?;
    if shows_fewer_cpus(evidence, span.last) {
        return Err(Missing::new(
            "/proc/loadavg of the same CPUs as /proc/stat",
            "this container shows its own CPUs beside the load of its host: run narrows on the host itself",
        ));
    }
    let high = last.one / cpus >= LOAD_PER_CPU && total.free() > IDLE;
    let falls = falls(first.one, last.one, span.seconds, cpus);
    let blocked = evidence.samples.mean_tasks(|wait| wait.state == 'D');
    let in_d = blocked.map_or_else(String::new, |tasks| {
        format!("; {} in state D", number_text((tasks * 10.0).round() / 10.0))
    });
    let ebbing = if high && falls { ", left over from a burst that has ended" } else { "" };
    let summary = format!(
        "load {} on {}, {} % idle{in_d}{ebbing}",
        number_text(last.one),
        wording::cpus(cpus),
        number_text(percent(total.free()))
    );
    let presence = Presence::new(high && !falls, summary)
        .seen(Observation::new("/proc/loadavg", "1 minute", last.one))
        .seen(Observation::new("/proc/stat", "cpu idle + iowait", percent(total.free())).unit("%"));
    Ok(match blocked {
        Some(tasks) => {
            presence.seen(Observation::new("/proc/PID/stat", "mean tasks in state D", tasks).unit("tasks"))
        }
        None => presence,
    })
}

/// Whether `/proc/stat` tells of fewer CPUs than files that no container rewrites. lxcfs gives a container its own
/// `/proc/stat` and, unless it is run with `-l`, the load of the host.
fn shows_fewer_cpus(evidence: &Evidence, cpu: &Facts) -> bool {
    let irq = evidence.latest(|reading| &reading.irq);
    let rows = irq.map_or(0, |irq| irq.softnet.len()).max(cpu.schedule.len());
    cpu.cpus.len() < rows
}

/// Whether the average is falling towards less than the limit, as it does for minutes after a burst.
///
/// The average is L1 = L0·e + n·(1 − e) with e = exp(−t/60) and n the tasks that counted within the window.
fn falls(first: f64, last: f64, seconds: f64, cpus: f64) -> bool {
    let kept = (-seconds.max(STEP_S) / AVERAGE_S).exp();
    let counted = (last - first * kept) / (1.0 - kept);
    last < first * (1.0 - FALL * (1.0 - kept)) && counted / cpus < LOAD_PER_CPU
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_that_ended_falls_and_a_steady_load_does_not() {
        assert!(falls(20.0, 16.9, 10.0, 2.0));
        assert!(!falls(20.0, 20.0, 10.0, 2.0));
        assert!(!falls(200.0, 175.0, 10.0, 2.0));
        assert!(falls(20.0, 18.4, 1.0, 2.0));
        assert!(!falls(20.0, 19.8, 1.0, 2.0));
    }
}
