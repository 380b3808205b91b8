//! I/O wait that no disk causes: tasks that wait for events of an io_uring.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{self, Shares, percent};
use crate::samples::Wait;
use crate::tasks::places;
use crate::{Cause, Evidence, disk, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "cpu.io-uring-waiters",
    title: "I/O wait is the waiting of io_uring users, not of a disk",
    explains: &["cpu.iowait-high"],
    refutes: &[crate::Refutation {
        symptom: "disk.latency-high",
        because: "a task that waits for io_uring events has no request at a disk",
    }],
    document: include_str!("io_uring_waiters.md"),
    test,
};

/// Below this share of CPU time there is nothing to explain.
const HIGH: f64 = 0.05;
/// From this share of busy time on, a disk may be what is waited for.
const DISK_IDLE: f64 = 0.05;
/// The waiters must be able to explain this part of the measured I/O wait to be its reason.
const EXPLAINED: f64 = 0.5;
/// Programs that are known to wait for io_uring events: MariaDB since 10.6 where liburing is built in.
const USERS: &[&str] = &["mariadbd", "mysqld"];

struct Seen {
    iowait: f64,
    /// The share of CPU time that so many waiters turn into I/O wait at most.
    explained: f64,
    disk: f64,
    cpus: f64,
    waiters: f64,
    user: Option<String>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    if total.iowait < HIGH {
        return Ok(Outcome::ruled_out(format!(
            "iowait is {} % of CPU time: nothing to explain",
            number_text(percent(total.iowait))
        )));
    }
    let disk = disk::rates::busiest(&evidence.span(|reading| &reading.disk)?);
    if disk >= DISK_IDLE {
        let busy = number_text(percent(disk));
        return Ok(Outcome::ruled_out(format!("a disk is {busy} % busy: it may be what is waited for")));
    }
    let waiters = evidence.samples.mean_tasks(places::waits_for_ring).ok_or_else(|| {
        match &evidence.samples.tasks_unread {
            Some(unread) => unread.missing("samples of waiting tasks"),
            None => Missing::new("samples of waiting tasks", "read the live host over a window"),
        }
    })?;
    let cpus = shares::count(span.last).ok_or_else(shares::no_ticks)?;
    let seen = Seen {
        iowait: total.iowait,
        explained: freest_ticks(&shares::per_cpu(&span), waiters) / ticks(total.ticks).max(1.0),
        disk,
        cpus,
        waiters,
        user: user(evidence),
    };
    let outcome = if waiters > 0.0 { found(&seen) } else { not_found(evidence, &seen)? };
    Ok(outcome.seen_all(observations(&seen)))
}

/// The free ticks of the freest CPUs, one CPU for each waiter: waiters that sleep on one CPU mark it only once. Ticks
/// and not shares, because a busy virtual CPU counts fewer of them than an idle one.
fn freest_ticks(cpus: &[(u32, Shares)], waiters: f64) -> f64 {
    let mut free: Vec<f64> = cpus.iter().map(|(_, shares)| shares.free() * ticks(shares.ticks)).collect();
    free.sort_by(|a, b| b.total_cmp(a));
    let mut left = waiters;
    let each = free.into_iter().map(|free| {
        let marked = left.clamp(0.0, 1.0);
        left -= marked;
        free * marked
    });
    each.sum()
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a window")]
fn ticks(count: u64) -> f64 {
    count as f64
}

/// The first running program that is known to use io_uring.
fn user(evidence: &Evidence) -> Option<String> {
    let tasks = evidence.latest(|reading| &reading.tasks).ok()?;
    let running = USERS.iter().find(|name| tasks.commands.contains_key(**name))?;
    Some((*running).to_owned())
}

fn found(seen: &Seen) -> Outcome {
    let line = format!(
        "{} io_uring waiters on {} explain up to {} % iowait, measured {} %",
        number_text((seen.waiters * 10.0).round() / 10.0),
        wording::cpus(seen.cpus),
        number_text(percent(seen.explained)),
        number_text(percent(seen.iowait))
    );
    if seen.explained < EXPLAINED * seen.iowait {
        return Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "waiters for the rest of the I/O wait",
            "read a longer window as root; look for page-cache reads of network and FUSE mounts",
        ));
    }
    let outcome = Outcome::confirmed(Severity::Hygiene, line);
    match seen.user.as_deref() {
        Some(user) => outcome.remedy(remedy(user, seen)),
        None => outcome,
    }
}

/// Nothing was seen to wait in io_uring: whether that is proof depends on what the kernel counts.
fn not_found(evidence: &Evidence, seen: &Seen) -> Result<Outcome, Missing> {
    let counted = evidence.readings.iter().filter_map(|reading| reading.cpu.facts()?.blocked);
    let counted = counted.max().unwrap_or(0);
    let in_d = evidence.samples.mean_tasks(|wait| wait.state == 'D' && !never_counts(wait)).unwrap_or(0.0);
    let measured = number_text(percent(seen.iowait));
    #[expect(clippy::cast_precision_loss, reason = "a count of tasks")]
    if counted == 0 || in_d >= EXPLAINED * counted as f64 {
        return Ok(Outcome::ruled_out(format!("no task waits in io_uring while iowait is {measured} %")));
    }
    let missing = Missing::new(
        "/proc/PID/wchan of the tasks that the kernel counts as waiting for I/O",
        "run narrows as root, so that it can see where tasks wait",
    );
    match seen.user.as_deref() {
        Some(user) => Ok(Outcome::consistent(
            Severity::Hygiene,
            format!("{user} runs, every disk is idle, iowait {measured} %: likely its io_uring"),
        )
        .lacks(missing)),
        None => Err(missing),
    }
}

/// Waits in state D that the kernel never counts as I/O wait: they call `schedule`, not `io_schedule`.
fn never_counts(wait: &Wait) -> bool {
    ["rpc_wait", "rwsem_", "mutex_", "__mutex", "request_wait_answer"].iter().any(|place| wait.is_in(place))
}

fn observations(seen: &Seen) -> Vec<Observation> {
    let mut seen_all = vec![
        Observation::new("/proc/stat", "cpu iowait", percent(seen.iowait)).unit("%"),
        Observation::new("/proc/diskstats", "busiest io_ticks", percent(seen.disk)).unit("%"),
        Observation::new("/proc/PID/task/*/wchan", "mean tasks that wait for an io_uring", seen.waiters)
            .unit("tasks"),
    ];
    seen_all.extend(
        seen.user
            .as_ref()
            .map(|user| Observation::new("/proc/PID/stat", "program that uses io_uring", user.as_str())),
    );
    seen_all
}

/// The directory of the drop-in, and the group in it, are MariaDB's.
const MARIADB: &str = "mariadbd";

fn native_aio_off() -> Edit {
    Edit::OptionFile {
        group: MARIADB.to_owned(),
        option: "innodb_use_native_aio".to_owned(),
        value: Some("0".to_owned()),
    }
}

fn remedy(user: &str, seen: &Seen) -> Remedy {
    let target = Derived::new(
        "innodb_use_native_aio = 0",
        "only if the I/O-wait figure must be clean; waiters / CPUs of the idle time go",
    )
    .input("waiters", number_text(seen.waiters), "/proc/PID/task/*/wchan")
    .input("CPUs", number_text(seen.cpus), "/proc/stat");
    let file = ChangeKind::File {
        path: "/etc/mysql/mariadb.conf.d/90-native-aio.cnf".to_owned(),
        edit: "[mariadbd] innodb_use_native_aio = 0".to_owned(),
        edits: (user == MARIADB).then(native_aio_off).into_iter().collect(),
    };
    let change = Change::new(file, None, target)
        .persists_by("the file itself")
        .restarts(&format!("restart {user}: its buffer pool is cold afterwards"))
        .risks("InnoDB reads and writes with threads of its own instead; a busy database may get slower");
    Remedy::new(
        "Leave it: nothing is slow. Only if the figure must be clean, let MariaDB do without io_uring",
        "iowait falls by up to the explained share; no page gets faster",
    )
    .change(change)
}
