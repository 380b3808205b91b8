//! What each CPU did for the network over the window.

use model::counter::per_second;

use super::{Facts, Interrupt, Softnet, Vector};
use crate::{Evidence, Span, cpu};

/// The network work of one CPU over the window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuRates {
    /// The CPU's number.
    pub cpu: u32,
    /// Runs of the receive soft interrupt per second (`NET_RX`).
    pub receive_runs_per_s: f64,
    /// Packets processed per second (softnet column 1).
    pub processed_per_s: f64,
    /// Packets dropped per second because the backlog was full (softnet column 2).
    pub dropped_per_s: f64,
    /// Packets dropped per second by the flow limit, included in `dropped_per_s` (softnet column 11).
    pub flow_limited_per_s: f64,
    /// Times per second that polling stopped with work left (softnet column 3).
    pub squeezed_per_s: f64,
    /// Share of its time in soft interrupts, 0 to 1; `None` where `/proc/stat` was not read.
    pub softirq: Option<f64>,
}

/// The network work of every CPU; a CPU whose counters went backwards, or that came or went, is left out.
pub fn rates(evidence: &Evidence) -> Result<Vec<CpuRates>, model::Missing> {
    let span = evidence.span(|reading| &reading.irq)?;
    let shares = softirq_shares(evidence);
    let share = |cpu: u32| shares.iter().find(|(id, _)| *id == cpu).map(|(_, share)| *share);
    let rated = span.last.softnet.iter().filter_map(|last| {
        let first = span.first.softnet.iter().find(|first| first.cpu == last.cpu)?;
        Some(CpuRates { softirq: share(last.cpu), ..softnet_rates(&span, first, last)? })
    });
    Ok(rated.collect())
}

fn softnet_rates(span: &Span<Facts>, first: &Softnet, last: &Softnet) -> Option<CpuRates> {
    let rate = |field: fn(&Softnet) -> u64| per_second(field(first), field(last), span.seconds);
    Some(CpuRates {
        cpu: last.cpu,
        receive_runs_per_s: softirq_rate(span, "NET_RX", last.cpu).or_else(|| rate(|row| row.processed))?,
        processed_per_s: rate(|row| row.processed)?,
        dropped_per_s: rate(|row| row.dropped)?,
        flow_limited_per_s: rate(|row| row.flow_limit)?,
        squeezed_per_s: rate(|row| row.time_squeeze)?,
        softirq: None,
    })
}

fn softirq_rate(span: &Span<Facts>, name: &str, cpu: u32) -> Option<f64> {
    let count = |facts: &Facts| {
        let column = facts.columns.iter().position(|column| *column == cpu)?;
        facts.softirqs.get(name)?.get(column).copied()
    };
    per_second(count(span.first)?, count(span.last)?, span.seconds)
}

/// Each CPU's share of time in soft interrupts over the window, 0 to 1 (`/proc/stat`, seventh number of a `cpuN` line).
///
/// Debian's kernels sample it at the timer's tick (`CONFIG_IRQ_TIME_ACCOUNTING` is off), so a short window is coarse:
/// 10 s are a thousand samples.
pub fn softirq_shares(evidence: &Evidence) -> Vec<(u32, f64)> {
    let Ok(span) = evidence.span(|reading| &reading.cpu) else { return vec![] };
    let shared = span.last.cpus.iter().filter_map(|last| {
        let first = span.first.cpus.iter().find(|first| first.id == last.id)?;
        Some((last.id, softirq_share(&first.times, &last.times)?))
    });
    shared.collect()
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a window")]
fn softirq_share(first: &cpu::Times, last: &cpu::Times) -> Option<f64> {
    let all = |times: &cpu::Times| {
        let parts = [times.user, times.nice, times.system, times.idle, times.iowait];
        let rest = [times.irq, times.softirq, times.steal];
        parts.iter().chain(&rest).fold(0_u64, |sum, part| sum.saturating_add(*part))
    };
    let total = all(last).checked_sub(all(first)).filter(|total| *total > 0)?;
    let softirq = last.softirq.checked_sub(first.softirq)?;
    Some((softirq as f64 / total as f64).min(1.0))
}

/// The CPU that ran the receive soft interrupt most, and how many times the mean that is.
///
/// `None` without any run in the window.
pub fn hottest(cpus: &[CpuRates]) -> Option<(&CpuRates, f64)> {
    let hottest = cpus.iter().max_by(|a, b| a.receive_runs_per_s.total_cmp(&b.receive_runs_per_s))?;
    let total: f64 = cpus.iter().map(|cpu| cpu.receive_runs_per_s).sum();
    let count = f64::from(u32::try_from(cpus.len()).ok()?);
    (total > 0.0).then(|| (hottest, hottest.receive_runs_per_s * count / total))
}

/// The network interrupts of a reading with what each serves.
pub fn vectors<'a>(facts: &'a Facts, interfaces: &[String]) -> Vec<(&'a Interrupt, Vector)> {
    let rows = facts.interrupts.iter().filter(|row| row.label.bytes().all(|byte| byte.is_ascii_digit()));
    rows.filter_map(|row| Some((row, Vector::parse(&row.name, interfaces)?))).collect()
}

/// The names of the network interfaces that were read; empty where none were, and then only vectors that drivers name by
/// themselves are recognised.
pub fn interface_names(evidence: &Evidence) -> Vec<String> {
    let nic = evidence.latest(|reading| &reading.nic);
    nic.map(|nic| nic.interfaces.iter().map(|interface| interface.name.clone()).collect()).unwrap_or_default()
}

/// Where an interrupt goes: the effective CPUs, or else those it may go to.
pub fn targets(row: &Interrupt) -> Option<Vec<u32>> {
    let cpus = host::text::cpu_list(row.effective.as_deref().or(row.affinity.as_deref())?);
    (!cpus.is_empty()).then_some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_eight_cpus_with_all_work_is_eight_times_the_mean() {
        let mut cpus: Vec<_> = (0..8).map(|cpu| CpuRates { cpu, ..CpuRates::default() }).collect();
        assert!(hottest(&cpus).is_none());
        cpus[3].receive_runs_per_s = 600.0;
        assert_eq!(hottest(&cpus).map(|(cpu, skew)| (cpu.cpu, skew)), Some((3, 8.0)));
    }
}
