//! Looks at all tasks, many times a window.
//!
//! A pass costs one small read per process; only tasks that wait are looked at more closely. `/proc/PID/stack` and
//! `/proc/PID/syscall` of other users' tasks need root (fs/proc/base.c); without it those fields stay empty.

use std::collections::BTreeSet;

use host::{Host, text};
use model::Unread;

use super::accept::Pools;
use super::detail::{Buffers, Detail, Seen};
use super::parse::parse_stat;
use super::places::{Place, is_ring, place_of};
use crate::samples::{AcceptPool, Waiter};

/// Sleeping tasks are searched for I/O waiters at most this often, in seconds …
const SEARCH_EVERY_S: f64 = 1.0;
/// … or in passes, where the clock stands still.
const SEARCH_EVERY_PASSES: u32 = 20;

/// Looks at all tasks again and again, reusing its buffers.
#[derive(Debug, Default)]
pub struct Scanner {
    pass: Buffers,
    detail: Detail,
    pools: Pools,
    /// Sleeping threads of user processes in this pass, as process and thread id.
    sleepers: Vec<(u32, u32)>,
    /// Threads last seen sleeping in a place that counts as I/O wait.
    known: BTreeSet<u32>,
    searched_at_s: Option<f64>,
    passes_since_search: u32,
}

/// Calls back for every thread of the host; returns how many vanished or could not be understood.
///
/// # Errors
/// When `/proc` cannot be listed or lists no process.
pub(super) fn visit(
    host: &dyn Host,
    buffers: &mut Buffers,
    mut each: impl FnMut(&Seen),
) -> Result<u64, Unread> {
    let names = host.list("/proc").map_err(|error| error.unread())?;
    let (mut skipped, mut processes) = (0, 0_u64);
    for pid in names.iter().filter_map(|name| number(name)) {
        processes += 1;
        let stat = buffers.read(host, format_args!("/proc/{pid}/stat")).ok().and_then(parse_stat);
        let Some(stat) = stat else {
            skipped += 1;
            continue;
        };
        let threads = stat.threads.unwrap_or(1);
        each(&Seen { pid, tid: pid, stat });
        if threads > 1 {
            skipped += visit_threads(host, buffers, pid, &mut each);
        }
    }
    if processes == 0 {
        return Err(Unread::new("/proc lists no process", "mount /proc, or record the host again as root"));
    }
    Ok(skipped)
}

fn visit_threads(host: &dyn Host, buffers: &mut Buffers, pid: u32, each: &mut impl FnMut(&Seen)) -> u64 {
    let mut skipped = 0;
    let Ok(names) = host.list(&format!("/proc/{pid}/task")) else { return 0 };
    for tid in names.iter().filter_map(|name| number(name)).filter(|tid| *tid != pid) {
        let stat = buffers.read(host, format_args!("/proc/{pid}/task/{tid}/stat")).ok().and_then(parse_stat);
        match stat {
            Some(stat) => each(&Seen { pid, tid, stat }),
            None => skipped += 1,
        }
    }
    skipped
}

/// The number that a name in `/proc` consists of. Most other names begin with a letter.
fn number(name: &str) -> Option<u32> {
    name.as_bytes().first().filter(|byte| byte.is_ascii_digit())?;
    name.parse().ok()
}

impl Scanner {
    /// The tasks that wait now: those in state `D`, and those in `S` that count as waiting for I/O.
    ///
    /// The kernel counts tasks in `io_schedule` whatever their state (`procs_blocked` of `/proc/stat`); when it counts
    /// more than the tasks in `D` explain, sleeping tasks are searched for waiters of an io_uring.
    ///
    /// # Errors
    /// When `/proc` cannot be listed or lists no process.
    pub fn waiters(&mut self, host: &dyn Host) -> Result<Vec<Waiter>, Unread> {
        let blocked = self.blocked(host);
        self.detail.begin();
        self.pools.begin();
        let Self { pass, detail, pools, sleepers, known, .. } = self;
        let mut waiters = Vec::new();
        let mut still_known = BTreeSet::new();
        sleepers.clear();
        visit(host, pass, |seen| {
            pools.look(host, seen);
            match seen.stat.state {
                'D' => waiters.push(detail.waiter(host, seen)),
                'S' if known.contains(&seen.tid)
                    && waits_for_io(host, &mut detail.buffers, (seen.pid, seen.tid)) =>
                {
                    still_known.insert(seen.tid);
                    waiters.push(detail.waiter(host, seen));
                }
                'S' if blocked > 0 && !seen.stat.is_kernel_thread() => sleepers.push((seen.pid, seen.tid)),
                _ => {}
            }
        })?;
        pools.end();
        *known = still_known;
        let explained = waiters.iter().filter(|waiter| may_count_as_io(waiter)).count();
        let unexplained = usize::try_from(blocked).unwrap_or(usize::MAX).saturating_sub(explained);
        if unexplained > 0 && self.search_is_due(host.clock().monotonic_s) {
            self.search(host, unexplained, &mut waiters);
        }
        Ok(waiters)
    }

    /// What all passes saw of pools of workers that wait in accept(2).
    pub fn pools(&self) -> Vec<AcceptPool> {
        self.pools.seen()
    }

    /// Calls back for every thread, reusing this scanner's buffers.
    ///
    /// # Errors
    /// As [`visit`].
    pub(super) fn census(&mut self, host: &dyn Host, each: impl FnMut(&Seen)) -> Result<u64, Unread> {
        visit(host, &mut self.pass, each)
    }

    /// Tasks the kernel counts in `io_schedule` now; 0 when it does not say, which costs only the search.
    fn blocked(&mut self, host: &dyn Host) -> u64 {
        let Ok(bytes) = self.detail.buffers.read(host, format_args!("/proc/stat")) else { return 0 };
        let line = bytes.rsplit(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"procs_blocked "));
        line.and_then(|count| text::decimal(count.trim_ascii())).unwrap_or(0)
    }

    fn search_is_due(&mut self, now_s: f64) -> bool {
        self.passes_since_search = self.passes_since_search.saturating_add(1);
        let due = match self.searched_at_s {
            None => true,
            Some(at_s) => now_s - at_s >= SEARCH_EVERY_S || self.passes_since_search >= SEARCH_EVERY_PASSES,
        };
        if due {
            (self.searched_at_s, self.passes_since_search) = (Some(now_s), 0);
        }
        due
    }

    /// Finds sleeping tasks that count as waiting for I/O, until as many are found as the kernel counts.
    fn search(&mut self, host: &dyn Host, wanted: usize, waiters: &mut Vec<Waiter>) {
        let mut found = 0;
        for (pid, tid) in std::mem::take(&mut self.sleepers) {
            if found == wanted {
                break;
            }
            if !waits_for_io(host, &mut self.detail.buffers, (pid, tid)) {
                continue;
            }
            let Some(stat) = self.pass.of_task(host, (pid, tid), "stat").and_then(parse_stat) else {
                continue;
            };
            let seen = Seen { pid, tid, stat };
            waiters.push(self.detail.waiter(host, &seen));
            self.known.insert(tid);
            found += 1;
        }
    }
}

/// Whether a sleeping task waits in a place that sets `in_iowait` (`io_cqring_wait_schedule` of io_uring/io_uring.c).
fn waits_for_io(host: &dyn Host, buffers: &mut Buffers, task: (u32, u32)) -> bool {
    let wchan = buffers.of_task(host, task, "wchan").map(<[u8]>::trim_ascii);
    wchan.and_then(|wchan| std::str::from_utf8(wchan).ok()).is_some_and(is_ring)
}

/// Whether a waiting task may be one of `procs_blocked`. Waits for RPC replies, for locks and for an answer of FUSE never
/// are: they call `schedule` (`rpc_wait_bit_killable` of net/sunrpc/sched.c), not `io_schedule`.
fn may_count_as_io(waiter: &Waiter) -> bool {
    let answer = waiter.wchan.as_deref() == Some("request_wait_answer");
    let place = place_of(waiter.wchan.as_deref(), &waiter.stack);
    !answer && !matches!(place, Place::NetworkFilesystem | Place::Lock | Place::Frozen)
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn stat(tid: u32, command: &str, state: char, flags: u32, threads: u32) -> String {
        format!("{tid} ({command}) {state} 1 1 1 0 -1 {flags} 0 0 0 0 5 6 0 0 20 0 {threads} 0 100 0 0")
    }

    fn host_with_a_ring(instants: usize) -> Tree {
        let mut tree = Tree::in_memory(instants);
        for instant in 0..instants {
            tree.put(instant, "/proc/stat", "cpu 1 2 3\nprocs_running 1\nprocs_blocked 1\n");
            tree.put(instant, "/proc/uptime", format!("{instant}.0 0.0"));
            tree.put(instant, "/proc/sys/kernel/arch", "x86_64");
            tree.put(instant, "/proc/7/stat", stat(7, "mariadbd", 'S', 0, 2));
            tree.put(instant, "/proc/7/wchan", "do_sys_poll");
            tree.put(instant, "/proc/7/task/7/wchan", "do_sys_poll");
            tree.put(instant, "/proc/7/task/9/stat", stat(9, "mariadbd", 'S', 0, 2));
            tree.put(instant, "/proc/7/task/9/wchan", "io_cqring_wait");
            tree.put(instant, "/proc/7/task/9/syscall", "426 0x5 0x0 0x1");
        }
        tree
    }

    #[test]
    fn a_waiter_of_an_io_uring_is_found_in_a_sleeping_thread() {
        let tree = host_with_a_ring(2);
        let mut scanner = Scanner::default();
        for instant in 0..2 {
            let waiters = scanner.waiters(&tree.at(instant)).unwrap();
            assert_eq!(waiters.len(), 1);
            assert_eq!((waiters[0].tid, waiters[0].state), (9, 'S'));
            assert_eq!(waiters[0].wchan.as_deref(), Some("io_cqring_wait"));
            assert_eq!(waiters[0].syscall.as_deref(), Some("io_uring_enter"));
        }
    }

    #[test]
    fn tasks_that_wait_for_rpc_replies_do_not_hide_a_waiter_of_an_io_uring() {
        let mut tree = host_with_a_ring(1);
        tree.put(0, "/proc/20/stat", stat(20, "php-fpm8.2", 'D', 0, 1));
        tree.put(0, "/proc/20/wchan", "rpc_wait_bit_killable");
        tree.put(
            0,
            "/proc/20/stack",
            "[<0>] rpc_wait_bit_killable+0xd/0x60\n[<0>] nfs_getattr+0x1/0x2 [nfs]\n",
        );
        let waiters = Scanner::default().waiters(&tree.at(0)).unwrap();
        let states: Vec<_> = waiters.iter().map(|waiter| (waiter.tid, waiter.state)).collect();
        assert_eq!(states, [(20, 'D'), (9, 'S')]);
        assert_eq!(waiters[0].stack, ["rpc_wait_bit_killable", "nfs_getattr"]);
    }

    #[test]
    fn sleeping_tasks_are_left_alone_while_the_kernel_counts_no_io_waiter() {
        let mut tree = host_with_a_ring(1);
        tree.put(0, "/proc/stat", "procs_blocked 0\n");
        assert!(Scanner::default().waiters(&tree.at(0)).unwrap().is_empty());
    }

    #[test]
    fn a_process_that_vanishes_is_skipped_and_counted() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/5/comm", "gone");
        tree.put(0, "/proc/6/stat", stat(6, "php", 'R', 0, 1));
        let mut seen = vec![];
        let skipped = Scanner::default().census(&tree.at(0), |task| seen.push(task.tid)).unwrap();
        assert_eq!((skipped, seen), (1, vec![6]));
    }

    #[test]
    fn a_host_without_processes_is_unread() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/stat", "procs_blocked 3\n");
        assert!(Scanner::default().waiters(&tree.at(0)).is_err());
        assert!(Scanner::default().waiters(&Tree::in_memory(1).at(0)).is_err());
    }
}
