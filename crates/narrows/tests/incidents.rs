//! Five incidents, as recorded or built host trees, and the reports that are expected of them.
//!
//! `SNAPSHOTS=overwrite cargo test -p narrows --test incidents` writes the golden reports anew; read them before they
//! are committed. `incidents/README.md` tells how each tree came to be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "the tests write trees and run the program")]

mod incidents {
    pub(super) mod report;
    pub(super) mod tree;
}

use incidents::report::Report;
use incidents::tree::{HostTree, Worker};

#[test]
fn interrupts_on_one_cpu_are_a_finding_and_no_reason_for_iowait() {
    let report = Report::of("000-irq-pinned", &HostTree::recorded("000-irq-pinned"));
    report.is_confirmed("irq.skew");
    report.says("irq.skew", "CPU 0 does 8× the mean");
    report.remedies("irq.skew", "cpus[queue mod n]");
    report.differs("cpu.iowait-high", "cpu.io-uring-waiters", "confirmed");
    report.differs("cpu.iowait-high", "irq.skew", "ruled-out");
    report.differs("cpu.iowait-high", "disk.saturated", "ruled-out");
    report.differs("cpu.iowait-high", "tasks.waiting-on-disk", "ruled-out");
    report.says("cpu.io-uring-waiters", "3 io_uring waiters on 8 CPUs");
}

#[test]
fn interrupts_spread_over_all_cpus_give_no_finding() {
    let report = Report::of("000-irq-spread", &HostTree::recorded("000-irq-spread"));
    report.has_nothing_above_hygiene();
    report.is_ruled_out("irq.skew");
    report.is_absent("cpu.iowait-high");
}

#[test]
fn fifty_workers_on_sixteen_slots_wait_for_slots() {
    let report = Report::of("004-nfs-slots", &HostTree::recorded("004-nfs-slots"));
    report.differs("nfs.latency-high", "nfs.slot-exhaustion", "confirmed");
    report.says("nfs.slot-exhaustion", "over 16 slots");
    report.remedies("nfs.slot-exhaustion", "validate_timestamps=0");
    report.folds_a_stack_through(&["nfs_getattr", "__nfs_revalidate_inode", "nfs4_proc_getattr"]);
    report.never_proposes("remount");
    report.never_proposes("lookupcache");
}

#[test]
fn eleven_workers_cannot_fill_sixteen_slots() {
    let report = Report::of("004-nfs-latency", &HostTree::recorded("004-nfs-latency"));
    report.is_ruled_out("nfs.slot-exhaustion");
    report.differs("nfs.latency-high", "nfs.server-slow", "confirmed");
    report.folds_a_stack_through(&["nfs_getattr", "__nfs_revalidate_inode", "nfs4_proc_getattr"]);
}

#[test]
fn cached_attributes_leave_nothing_to_find() {
    let report = Report::of("004-nfs-cached", &HostTree::recorded("004-nfs-cached"));
    report.has_nothing_above_hygiene();
    report.is_absent("nfs.latency-high");
}

#[test]
fn time_wait_towards_many_destinations_exhausts_nothing_and_each_setting_of_the_guide_is_judged() {
    let report = Report::of("001", &HostTree::built(&["001"]));
    report.is_ruled_out("sockets.ephemeral-ports-exhausted");
    report.is_absent("sockets.ports-scarce");
    for flagged in [
        "sockets.port-range-over-services",
        "sockets.syn-backlog-inert",
        "sockets.optmem-huge",
        "sockets.fin-timeout-for-time-wait",
        "sockets.orphans-near-limit",
        "sockets.somaxconn-inert",
    ] {
        report.is_confirmed(flagged);
    }
    report.differs("sockets.retransmissions-high", "sockets.loss-limits-cubic", "confirmed");
    report.remedies("sockets.port-range-over-services", "3306,11211");
}

#[test]
fn time_wait_towards_one_destination_exhausts_its_ports() {
    let report = Report::of("001-one-destination", &HostTree::built(&["001", "001-one-destination"]));
    report.differs("sockets.ports-scarce", "sockets.ephemeral-ports-exhausted", "confirmed");
    report.says("sockets.ephemeral-ports-exhausted", "28,232 of 28,232 ports");
    report.says("sockets.ephemeral-ports-exhausted", "errno 99");
    report.never_proposes("1024 65535");
}

#[test]
fn steal_on_sixteen_cpus_is_no_matter_of_credits() {
    let report = Report::of("002", &HostTree::built(&["002"]));
    report.differs("cpu.steal-high", "cpu.steal", "confirmed");
    report.says("cpu.steal", "no burstable instance: not CPU credits");
    for flagged in [
        "sockets.fastopen-key-zero",
        "sockets.fastopen-without-listener",
        "settings.trailing-comment",
        "settings.overridden",
        "qdisc.root-without-multiqueue",
        "qdisc.shaper-above-the-link",
        "qdisc.transmit-queue-length-inert",
        "irq.backlog-raised-without-drops",
    ] {
        report.is_confirmed(flagged);
    }
    report.is_ruled_out("sockets.somaxconn-inert");
    report.is_ruled_out("cpu.reading-inconsistent");
}

#[test]
fn a_row_of_cpu_time_that_makes_101_percent_is_named() {
    let tree = HostTree::built(&["002", "002-row-of-101-percent"]);
    let report = Report::read(&tree);
    report.is_confirmed("cpu.reading-inconsistent");
    report.says("cpu.reading-inconsistent", "cpu0 counts 6,060 ticks in 6,000: its columns make 101 %");
}

#[test]
fn a_load_of_450_on_idle_cpus_is_the_file_server() {
    let mut tree = HostTree::built(&["003"]);
    tree.add_workers(&waiting_workers());
    let report = Report::of("003", &tree);
    report.differs("cpu.load-high-while-idle", "tasks.waiting-on-network-filesystem", "confirmed");
    report.differs("cpu.load-high-while-idle", "nfs.server-slow", "confirmed");
    report.differs("cpu.load-high-while-idle", "tasks.waiting-on-disk", "ruled-out");
    report.is_absent("cpu.iowait-high");
    for flagged in [
        "memory.slab-table-inconsistent",
        "memory.cache-pressure-inert",
        "memory.swappiness-inert",
        "sockets.orphan-retries-low",
        "sockets.time-wait-buckets-changed",
        "sockets.port-range-over-services",
        "sockets.fin-timeout-for-time-wait",
    ] {
        report.is_confirmed(flagged);
    }
    report.is_ruled_out("memory.dentry-flood");
    report.says("memory.slab-table-inconsistent", "6.87 GiB, not 14 GiB");
}

#[test]
fn twenty_thousand_connections_a_second_to_one_destination_run_out_of_ports() {
    let mut tree = HostTree::built(&["003", "003-port-exhaustion"]);
    tree.add_workers(&waiting_workers());
    let report = Report::of("003-port-exhaustion", &tree);
    report.differs("sockets.ports-scarce", "sockets.ephemeral-ports-exhausted", "confirmed");
    report.says("sockets.ephemeral-ports-exhausted", "10.2.8.1:6033: 28,232 of 28,232 ports");
    report.is_ruled_out("sockets.orphan-retries-low");
}

/// The 402 workers of PHP that the report lists in state D, at the places where such waits were recorded on Linux 6.1.
fn waiting_workers() -> Vec<Worker> {
    const REPLY: [&str; 9] = [
        "rpc_wait_bit_killable",
        "__rpc_execute",
        "rpc_execute",
        "rpc_run_task",
        "nfs4_do_call_sync",
        "_nfs4_proc_getattr",
        "nfs4_proc_getattr",
        "__nfs_revalidate_inode",
        "nfs_getattr",
    ];
    const PERMISSION: [&str; 4] =
        ["rpc_wait_bit_killable", "nfs4_proc_getattr", "__nfs_revalidate_inode", "nfs_permission"];
    let place = |pid: u32| if pid.is_multiple_of(3) { PERMISSION.as_slice() } else { REPLY.as_slice() };
    (11_402..11_804).map(|pid| Worker { pid, command: "php-fpm", state: 'D', stack: place(pid) }).collect()
}
