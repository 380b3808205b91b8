//! How CPUs spent the window.

use std::collections::BTreeSet;

use model::Missing;
use model::counter::{growth, per_second};

use super::{Cpu, Facts, Pressure, Times};
use crate::Span;

/// Shares of the time of one or all CPUs, 0 to 1, together 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// User mode, at any priority, guests included.
    pub user: f64,
    /// The part of `user` at low priority (nice values above 0).
    pub nice: f64,
    /// Kernel mode.
    pub system: f64,
    /// Idle, with no task waiting for I/O.
    pub idle: f64,
    /// Idle, with a task waiting for I/O.
    pub iowait: f64,
    /// Interrupts.
    pub irq: f64,
    /// Soft interrupts.
    pub softirq: f64,
    /// Runnable, while the hypervisor ran something else.
    pub steal: f64,
    /// Ticks of all columns together.
    pub ticks: u64,
}

impl Shares {
    /// The share in which the CPU worked for this host.
    pub fn busy(&self) -> f64 {
        self.user + self.system + self.irq + self.softirq
    }

    /// The share in which the CPU had nothing to run.
    pub fn free(&self) -> f64 {
        self.idle + self.iowait
    }
}

/// `idle` and `iowait` together may step back by so many ticks through rounding; a larger step is another counter.
const LARGEST_STEP_BACK: u64 = 10;

/// The shares between two readings; `None` without a tick between them, or when a counter was reset.
///
/// `idle` and `iowait` may step back a little, and give time to each other (proc(5)); such a step counts nothing. `guest`
/// is part of `user`.
#[expect(clippy::cast_precision_loss, reason = "ticks of a window")]
pub fn shares(first: &Times, last: &Times) -> Option<Shares> {
    let nice = growth(first.nice, last.nice)?;
    let user = growth(first.user, last.user)?.saturating_add(nice);
    let system = growth(first.system, last.system)?;
    let (irq, softirq) = (growth(first.irq, last.irq)?, growth(first.softirq, last.softirq)?);
    let steal = growth(first.steal, last.steal)?;
    let unused = |times: &Times| times.idle.saturating_add(times.iowait);
    if unused(first).saturating_sub(unused(last)) > LARGEST_STEP_BACK {
        return None;
    }
    let (idle, iowait) = (last.idle.saturating_sub(first.idle), last.iowait.saturating_sub(first.iowait));
    let ticks = [user, system, irq, softirq, steal, idle, iowait].into_iter().fold(0, u64::saturating_add);
    let share = |count: u64| count as f64 / ticks as f64;
    (ticks > 0).then(|| Shares {
        user: share(user),
        nice: share(nice),
        system: share(system),
        idle: share(idle),
        iowait: share(iowait),
        irq: share(irq),
        softirq: share(softirq),
        steal: share(steal),
        ticks,
    })
}

/// The shares of all CPUs together over the window.
///
/// The kernel's own sum counts idle time of an offline CPU by another counter (fs/proc/stat.c, `get_idle_time`) and jumps
/// when one comes or goes: then the CPUs that were online at both ends are summed instead.
pub fn total(span: &Span<Facts>) -> Option<Shares> {
    let ids = |facts: &Facts| facts.cpus.iter().map(|cpu| cpu.id).collect::<BTreeSet<_>>();
    let (first, last) = (ids(span.first), ids(span.last));
    let both: BTreeSet<_> = first.intersection(&last).copied().collect();
    if first == last || both.is_empty() {
        return shares(&span.first.total, &span.last.total);
    }
    shares(&sum(span.first, &both), &sum(span.last, &both))
}

fn sum(facts: &Facts, ids: &BTreeSet<u32>) -> Times {
    let chosen = facts.cpus.iter().filter(|cpu| ids.contains(&cpu.id));
    chosen.fold(Times::default(), |sum, Cpu { times, .. }| Times {
        user: sum.user.saturating_add(times.user),
        nice: sum.nice.saturating_add(times.nice),
        system: sum.system.saturating_add(times.system),
        idle: sum.idle.saturating_add(times.idle),
        iowait: sum.iowait.saturating_add(times.iowait),
        irq: sum.irq.saturating_add(times.irq),
        softirq: sum.softirq.saturating_add(times.softirq),
        steal: sum.steal.saturating_add(times.steal),
        guest: sum.guest.saturating_add(times.guest),
        guest_nice: sum.guest_nice.saturating_add(times.guest_nice),
    })
}

/// The shares of each CPU that was online at both ends of the window.
pub fn per_cpu(span: &Span<Facts>) -> Vec<(u32, Shares)> {
    let pairs = span.last.cpus.iter().filter_map(|last| {
        let first = span.first.cpus.iter().find(|first| first.id == last.id)?;
        Some((last.id, shares(&first.times, &last.times)?))
    });
    pairs.collect()
}

/// How many CPUs were online at the end of the window; `None` when `/proc/stat` has no line for any.
#[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
pub fn count(facts: &Facts) -> Option<f64> {
    (!facts.cpus.is_empty()).then_some(facts.cpus.len() as f64)
}

/// The share of the window in which at least one task stalled on a resource, 0 to 1.
pub fn stalled(
    span: &Span<Facts>,
    resource: impl for<'a> Fn(&'a Facts) -> Option<&'a Pressure>,
) -> Option<f64> {
    let (first, last) = (resource(span.first)?, resource(span.last)?);
    Some((per_second(first.some_total_us, last.some_total_us, span.seconds)? / 1e6).min(1.0))
}

/// Tasks that waited for a CPU, on average over the window (`/proc/schedstat`; Little's law over run-queue delay).
pub fn waiting(span: &Span<Facts>) -> Option<f64> {
    let waits = span.last.schedule.iter().map(|last| {
        let first = span.first.schedule.iter().find(|first| first.cpu == last.cpu)?;
        per_second(first.wait_ns, last.wait_ns, span.seconds).map(|ns| ns / 1e9)
    });
    if span.last.schedule.is_empty() { None } else { waits.sum() }
}

/// The evidence that is missing when two readings of `/proc/stat` cannot be compared.
pub fn no_ticks() -> Missing {
    Missing::new(
        "/proc/stat with growing counters",
        "the counters were reset or stand still: read the host again over a longer window",
    )
}

/// A share in percent, rounded to a tenth.
pub fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_up_the_whole_and_guests_are_not_counted_twice() {
        let last = Times { user: 50, guest: 50, idle: 25, iowait: 15, steal: 10, ..Times::default() };
        let shares = shares(&Times::default(), &last).unwrap();
        assert_eq!((shares.ticks, shares.user, shares.iowait, shares.steal), (100, 0.5, 0.15, 0.1));
        assert!((shares.busy() + shares.free() + shares.steal - 1.0).abs() < 1e-9);
    }

    #[test]
    fn iowait_may_step_back_and_user_time_may_not() {
        let first = Times { user: 10, iowait: 20, ..Times::default() };
        let stepped = Times { user: 30, iowait: 10, ..Times::default() };
        assert_eq!(shares(&first, &stepped).unwrap().iowait, 0.0);
        assert_eq!(shares(&stepped, &Times { user: 1, ..stepped }), None);
        assert_eq!(shares(&first, &first), None);
    }
}
