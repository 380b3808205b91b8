//! Parameters that the whole machine shares. Each test is alone on the machine, and has a guard that puts its change back.

use std::collections::BTreeMap;

use super::round::{Expected, there_and_back};
use crate::faults::cpu_quota::CpuQuota;
use crate::faults::fin_wait2::FinWait2;
use crate::faults::steady_datagrams::SteadyDatagrams;
use crate::faults::sysctl::ChangedSysctl;
use crate::faults::tools::machine_alone;
use crate::faults::veth_backlog_drop::VethBacklogDrop;
use crate::faults::wait::wait_until;
use crate::faults::{Fault, FaultError, Health, Result, kernel};
use lab::site::Site;

#[test]
fn a_longer_backlog_ends_the_drops_of_bursts() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = VethBacklogDrop::start(Health::Broken)?;
    let site = Site::machine()?;
    fault.wait_until_established()?;
    let cause = "irq.backlog-short";
    let expected = Expected::parameter(cause, "net.core.netdev_max_backlog", "16", "1000");
    let moved = |_: &change::plan::Plan| {
        // A single drop may be a neighbour's: a thousand bursts dropped half of their packets before.
        let (sent, received, dropped) = (fault.sent(), fault.received(), fault.dropped()?);
        wait_until("a thousand packets", || Ok(fault.received() >= received + 64 * 100))?;
        let (sent, dropped) = (fault.sent() - sent, fault.dropped()? - dropped);
        assert!(dropped * 20 < sent, "{dropped} of {sent} packets dropped");
        Ok(())
    };
    let back = || {
        let dropped = fault.dropped()?;
        wait_until("drops again", || Ok(fault.dropped()? > dropped + 1000))
    };
    there_and_back(&site, &["--for", "1s", "--only", cause], &[expected], moved, back)?;
    Ok(())
}

#[test]
fn longer_turns_of_polling_leave_no_packets_behind() -> Result<()> {
    let _alone = machine_alone()?;
    let site = Site::machine()?;
    let fault = SteadyDatagrams::start()?;
    let _budget = ChangedSysctl::set("net/core/netdev_budget", "1")?;
    let _microseconds = ChangedSysctl::set("net/core/netdev_budget_usecs", "8000")?;
    let squeezed = SteadyDatagrams::squeezed;
    let start = squeezed()?;
    wait_until("turns cut short", || Ok(squeezed()? > start + 50))?;
    let cause = "irq.napi-budget-short";
    let expected = Expected::parameter(cause, "net.core.netdev_budget", "1", "600");
    let moved = |_: &change::plan::Plan| {
        let (sent, before) = (fault.sent()?, squeezed()?);
        wait_until("datagrams", || Ok(fault.sent()? > sent + 200))?;
        let (sent, cut) = (fault.sent()? - sent, squeezed()? - before);
        assert!(cut * 20 < sent, "{cut} turns cut short, {sent} datagrams");
        Ok(())
    };
    let back = || {
        let before = squeezed()?;
        wait_until("turns cut short again", || Ok(squeezed()? > before + 50))
    };
    let options = ["--for", "1s", "--severity", "hygiene", "--only", cause];
    there_and_back(&site, &options, &[expected], moved, back)?;
    Ok(())
}

/// Parameters that are wrong in themselves, by their cause: the value set and what the remedy makes of it.
const WRONG: [(&str, &str, &str, &str); 4] = [
    ("memory.cache-pressure-inert", "vm.vfs_cache_pressure", "300", "100"),
    ("memory.swappiness-inert", "vm.swappiness", "10", "60"),
    ("sockets.fin-timeout-for-time-wait", "net.ipv4.tcp_fin_timeout", "45", "60"),
    ("sockets.core-buffers-for-autotuning", "net.core.rmem_max", "268435456", ""),
];
const LOCAL: &str = "/etc/sysctl.d/99-local.conf";

#[test]
fn wrong_parameters_of_the_machine_go_back_to_the_kernels_own_value() -> Result<()> {
    let _alone = machine_alone()?;
    for (cause, key, value, to) in WRONG {
        one(cause, key, value, to).map_err(|error| FaultError::new(format!("{cause}: {error}")))?;
    }
    Ok(())
}

fn one(cause: &'static str, key: &str, value: &str, to: &str) -> Result<()> {
    let site = Site::machine()?;
    site.pretend("/proc/meminfo", &without_swap(&kernel::read("/proc/meminfo")?))?;
    site.write(LOCAL, &format!("# ours\n{key} = {value}\n"))?;
    let _wrong = ChangedSysctl::set(&key.replace('.', "/"), value)?;
    let mut expected = Expected::parameter(cause, key, value, to);
    expected.to.take_if(|to| to.is_empty());
    let moved = |_: &change::plan::Plan| {
        assert_eq!(site.read(LOCAL)?, "# ours\n");
        Ok(())
    };
    let options = ["--for", "1s", "--severity", "folklore", "--only", cause];
    there_and_back(&site, &options, &[expected, Expected::file(cause, LOCAL)], moved, || Ok(()))?;
    Ok(())
}

/// `/proc/meminfo` as of a machine without swap space and with memory to spare.
fn without_swap(meminfo: &str) -> String {
    let figures: BTreeMap<_, _> = meminfo.lines().filter_map(|line| line.split_once(':')).collect();
    let total = figures.get("MemTotal").copied().unwrap_or_default();
    let line = |line: &str| match line.split(':').next() {
        Some(name @ ("SwapTotal" | "SwapFree")) => format!("{name}: 0 kB\n"),
        Some("MemAvailable") => format!("MemAvailable:{total}\n"),
        _ => format!("{line}\n"),
    };
    meminfo.lines().map(line).collect()
}

#[test]
fn closed_connections_wait_half_as_long_for_the_other_side() -> Result<()> {
    let _alone = machine_alone()?;
    let site = Site::machine()?;
    let _seconds = ChangedSysctl::set("net/ipv4/tcp_fin_timeout", "60")?;
    let _orphans = ChangedSysctl::set("net/ipv4/tcp_max_orphans", "4096")?;
    let fault = FinWait2::start(450)?;
    assert!(fault.longest_wait_of_new(5)? > 30);
    let cause = "sockets.fin-wait2-pileup";
    let expected = Expected::parameter(cause, "net.ipv4.tcp_fin_timeout", "60", "30");
    let moved = |_: &change::plan::Plan| {
        let seconds = fault.longest_wait_of_new(10)?;
        assert!(seconds <= 30, "waited for {seconds} s");
        Ok(())
    };
    let back = || {
        assert!(fault.longest_wait_of_new(5)? > 30);
        Ok(())
    };
    let options = ["--for", "1s", "--severity", "hygiene", "--only", cause];
    there_and_back(&site, &options, &[expected], moved, back)?;
    Ok(())
}

#[test]
fn a_drop_in_gives_a_service_a_larger_quota() -> Result<()> {
    let _alone = machine_alone()?;
    let site = Site::machine()?;
    let fault = CpuQuota::start()?;
    let cause = "cgroup.cpu-quota-exhausted";
    let drop_in = format!("/etc/systemd/system/{}.d/90-narrows.conf", fault.unit());
    let expected = Expected { from: Some("CPUQuota=10%".to_owned()), ..Expected::file(cause, &drop_in) };
    let moved = |plan: &change::plan::Plan| {
        let contents = site.read(&drop_in)?;
        let wanted = &plan.changes[0].change.target.value;
        assert!(contents.contains("[Service]") && contents.contains(wanted.as_str()), "{contents}");
        // Nobody here is systemd, which reads the drop-in and does this.
        let percent = contents.lines().find_map(|line| line.strip_prefix("CPUQuota=")?.strip_suffix('%'));
        let percent: u64 = percent.and_then(|percent| percent.parse().ok()).unwrap_or(0);
        fault.limit(percent * 1000)?;
        let (throttled, periods) = (fault.throttled()?, fault.periods()?);
        wait_until("twenty periods", || Ok(fault.periods()? >= periods + 20))?;
        let (throttled, periods) = (fault.throttled()? - throttled, fault.periods()? - periods);
        assert!(throttled * 20 <= periods, "throttled in {throttled} of {periods} periods");
        Ok(())
    };
    let back = || {
        fault.limit(10_000)?;
        let throttled = fault.throttled()?;
        wait_until("the quota running out again", || Ok(fault.throttled()? >= throttled + 5))
    };
    there_and_back(&site, &["--for", "3s", "--only", cause], &[expected], moved, back)?;
    Ok(())
}
