//! Single figures of a window by name: what a remedy promises to lower, and what `narrows prove --metric` takes.

use crate::nfs::Operation;
use crate::{Evidence, irq, mysql, nfs, opcache, php_fpm, sockets};

/// Figures besides the counters of TCP and IP, with what each is.
pub const FIGURES: &[(&str, &str)] = &[
    ("softnet.dropped/s", "packets dropped at full per-CPU backlogs"),
    ("softnet.time_squeeze/s", "turns of polling that ended with work left"),
    ("irq.net_rx_skew", "the busiest CPU's share of NET_RX over the mean"),
    ("nfs.queue_ms", "time an NFS operation waits before it is sent"),
    ("nfs.rtt_ms", "time an NFS operation is on the wire and at the server"),
    ("nfs.execute_ms", "time an NFS operation takes in all"),
    (
        "php-fpm.max-children-reached/s",
        "times a pool of PHP-FPM had to begin a worker more than it may, by its status page",
    ),
    ("php-fpm.waiting", "requests that wait for a worker of PHP-FPM, on average"),
    ("opcache.restarts/s", "times OPcache threw all it held away"),
    ("opcache.misses/s", "scripts that OPcache did not hold"),
    ("mysql.Threads_running", "statements that database servers run, mean of both ends of the window"),
];

/// Before the name of a counter of `SHOW GLOBAL STATUS`: `mysql.Threads_created/s`.
const STATUS: &str = "mysql.";

/// The files of `/proc/net` whose counters go by `GROUP.Name/s`.
const GROUPS: &[&str] = &["TcpExt", "IpExt", "Tcp", "Ip", "Icmp", "Udp", "UdpLite", "MPTcpExt"];

/// What a figure is; `None` for a name that is none.
pub fn title(name: &str) -> Option<String> {
    if let Some((_, title)) = FIGURES.iter().find(|(known, _)| *known == name) {
        return Some((*title).to_owned());
    }
    if let Some(counter) = status_counter(name) {
        return Some(format!("{counter} of SHOW GLOBAL STATUS, per second, over all database servers"));
    }
    let (group, counter) = name.strip_suffix("/s")?.split_once('.')?;
    let is_word = !counter.is_empty() && counter.chars().all(|letter| letter.is_ascii_alphanumeric());
    (GROUPS.contains(&group) && is_word).then(|| format!("{counter} of {group}, per second"))
}

/// A counter of database servers, of a name that one could have.
fn status_counter(name: &str) -> Option<&str> {
    let counter = name.strip_prefix(STATUS)?.strip_suffix("/s")?;
    let first = counter.chars().next()?.is_ascii_uppercase();
    let is_name = counter.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    (first && is_name).then_some(counter)
}

/// A figure over the window; `None` where the host does not count it.
pub fn figure(evidence: &Evidence, name: &str) -> Option<f64> {
    match name {
        "softnet.dropped/s" => sum(evidence, |cpu| cpu.dropped_per_s),
        "softnet.time_squeeze/s" => sum(evidence, |cpu| cpu.squeezed_per_s),
        "irq.net_rx_skew" => skew(&irq::rates::rates(evidence).ok()?),
        "nfs.queue_ms" => per_operation(evidence, |operation| operation.queue_ms),
        "nfs.rtt_ms" => per_operation(evidence, |operation| operation.rtt_ms),
        "nfs.execute_ms" => per_operation(evidence, |operation| operation.execute_ms),
        "php-fpm.max-children-reached/s" => php_fpm::figures::max_children_reached_per_s(evidence),
        "php-fpm.waiting" => php_fpm::figures::waiting(evidence),
        "opcache.restarts/s" => opcache::rates::per_second(evidence, opcache::rates::restarts),
        "opcache.misses/s" => opcache::rates::per_second(evidence, |status| status.misses),
        "mysql.Threads_running" => mysql::figures::threads_running(evidence),
        _ if name.starts_with(STATUS) => mysql::figures::per_second(evidence, status_counter(name)?),
        _ => {
            let counter = name.strip_suffix("/s").filter(|_| title(name).is_some())?;
            sockets::counters::per_second(&evidence.span(|reading| &reading.sockets).ok()?, counter).ok()
        }
    }
}

fn sum(evidence: &Evidence, field: fn(&irq::rates::CpuRates) -> f64) -> Option<f64> {
    let cpus = irq::rates::rates(evidence).ok().filter(|cpus| !cpus.is_empty())?;
    Some(cpus.iter().map(field).sum())
}

#[expect(clippy::cast_precision_loss, reason = "a number of CPUs")]
fn skew(cpus: &[irq::rates::CpuRates]) -> Option<f64> {
    let runs = || cpus.iter().map(|cpu| cpu.receive_runs_per_s);
    let total: f64 = runs().sum();
    let most = runs().max_by(f64::total_cmp).filter(|_| total > 0.0)?;
    Some(most * cpus.len() as f64 / total)
}

/// The mean over the operations of all mounts.
#[expect(clippy::cast_precision_loss, reason = "milliseconds and operations of a window")]
fn per_operation(evidence: &Evidence, field: fn(&Operation) -> u64) -> Option<f64> {
    let span = evidence.span(|reading| &reading.nfs).ok()?;
    let totals = nfs::rates::rates(&span).into_iter().map(|mount| mount.total());
    let (time, operations) = totals
        .fold((0, 0), |(time, operations), total| (time + field(&total), operations + total.operations));
    (operations > 0).then(|| time as f64 / operations as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read_tree;
    use host::Tree;

    fn evidence() -> Evidence {
        let mut tree = Tree::in_memory(2);
        for (instant, uptime, overflows, dropped) in
            [(0, "100.00 1.00", 10, "0000000a"), (1, "110.00 1.00", 30, "0000003c")]
        {
            tree.put(instant, "/proc/uptime", uptime);
            tree.put(
                instant,
                "/proc/net/netstat",
                format!("TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 {overflows}\n"),
            );
            let rest = "00000000 ".repeat(8);
            tree.put(
                instant,
                "/proc/net/softnet_stat",
                format!("000003e8 {dropped} {rest}00000000 00000000 00000000\n"),
            );
        }
        read_tree(&tree).unwrap()
    }

    #[test]
    fn counters_go_by_group_and_name_and_are_rates() {
        let evidence = evidence();
        assert_eq!(figure(&evidence, "TcpExt.ListenOverflows/s"), Some(2.0));
        assert_eq!(figure(&evidence, "softnet.dropped/s"), Some(5.0));
        for absent in ["TcpExt.Nonsense/s", "nfs.queue_ms", "TcpExt.ListenOverflows", "p99", "Disk.Reads/s"] {
            assert_eq!(figure(&evidence, absent), None, "{absent}");
        }
    }

    #[test]
    fn a_name_is_known_before_anything_is_read() {
        assert_eq!(
            title("TcpExt.ListenOverflows/s").as_deref(),
            Some("ListenOverflows of TcpExt, per second")
        );
        assert!(title("nfs.queue_ms").is_some());
        assert_eq!(
            title("mysql.Threads_created/s").as_deref(),
            Some("Threads_created of SHOW GLOBAL STATUS, per second, over all database servers")
        );
        for wrong in
            ["", "/s", "p99", "TcpExt./s", "TcpExt.A B/s", "TCP.tw/s", "mysql./s", "mysql.a b/s", "mysql.x/s"]
        {
            assert_eq!(title(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn skew_is_the_busiest_over_the_mean() {
        let cpu = |runs| irq::rates::CpuRates { receive_runs_per_s: runs, ..Default::default() };
        assert_eq!(skew(&[cpu(90.0), cpu(10.0)]), Some(1.8));
        assert_eq!(skew(&[cpu(0.0)]), None);
    }
}
