//! Finds pools of workers: processes or threads that wait in accept(2) on one listening socket and serve one connection at a
//! time, as PHP-FPM and Apache's prefork do.
//!
//! A worker that sleeps in accept() is idle, any other is busy. Not seen are workers that wait for a connection in poll or epoll
//! (nginx, HAProxy, Node.js: they serve many connections each and their limit is the CPU; but also unicorn and the sync
//! worker of gunicorn), pools of which no worker was idle in any sample, and tasks whose `/proc/PID/syscall` may not be read.

use std::collections::{BTreeMap, HashMap, HashSet};

use host::{Host, text};

use super::Architecture;
use super::detail::{Buffers, Seen, architecture_of};
use super::parse::parse_call;
use crate::samples::AcceptPool;

/// Every sleeping task is asked whether it waits in accept() in each of the first passes …
const FIRST_SEARCHES: u32 = 5;
/// … and then once in so many passes, which is a second of an unhurried window.
const SEARCH_EVERY_PASSES: u32 = 20;

/// The pools met so far.
#[derive(Debug, Default)]
pub(super) struct Pools {
    buffers: Buffers,
    architecture: Option<Architecture>,
    passes: u32,
    searching: bool,
    workers: HashMap<u32, Socket>,
    /// The sockets at which first threads of one parent and one command were seen.
    families: HashMap<(u64, Vec<u8>), Vec<Socket>>,
    /// First threads of a family that hold none of its sockets.
    strangers: HashSet<u32>,
    met: HashSet<u32>,
    now: HashMap<u64, Now>,
    tallies: BTreeMap<u64, Tally>,
}

/// A listening socket, and the number of its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    descriptor: u64,
    inode: u64,
}

/// A pool in one pass.
#[derive(Debug, Default)]
struct Now {
    workers: u32,
    busy: u32,
    command: String,
}

#[derive(Debug, Default)]
struct Tally {
    command: String,
    passes: u32,
    busy: u64,
    workers_most: u32,
    passes_full: u32,
}

impl Pools {
    /// Begins a pass over all tasks.
    pub(super) fn begin(&mut self) {
        self.searching = self.passes < FIRST_SEARCHES || self.passes.is_multiple_of(SEARCH_EVERY_PASSES);
        self.passes = self.passes.saturating_add(1);
        self.met.clear();
        self.now.clear();
    }

    /// Looks at a task of the pass.
    pub(super) fn look(&mut self, host: &dyn Host, seen: &Seen) {
        if seen.stat.is_kernel_thread() || seen.stat.state == 'Z' {
            return;
        }
        let known = self.workers.get(&seen.tid).copied();
        let asked = seen.stat.state == 'S' && (known.is_some() || self.searching);
        if let Some(socket) = asked.then(|| self.accepts(host, seen, known)).flatten() {
            self.workers.insert(seen.tid, socket);
            self.note_family(seen, socket);
            self.count(seen, socket, false);
        } else if let Some(socket) = known.or_else(|| self.of_a_family(host, seen)) {
            self.workers.insert(seen.tid, socket);
            self.count(seen, socket, true);
        }
    }

    /// Ends the pass. That in which a pool was found is not counted: workers that came before the first idle one were
    /// passed over.
    pub(super) fn end(&mut self) {
        let met = std::mem::take(&mut self.met);
        self.workers.retain(|tid, _| met.contains(tid));
        self.strangers.retain(|tid| met.contains(tid));
        self.met = met;
        for (inode, now) in self.now.drain() {
            let Some(tally) = self.tallies.get_mut(&inode) else {
                self.tallies.insert(inode, Tally { command: now.command, ..Tally::default() });
                continue;
            };
            tally.passes += 1;
            tally.busy += u64::from(now.busy);
            tally.workers_most = tally.workers_most.max(now.workers);
            tally.passes_full += u32::from(now.busy == now.workers);
        }
    }

    /// What was seen of every pool.
    #[expect(clippy::cast_precision_loss, reason = "a mean of counts of tasks")]
    pub(super) fn seen(&self) -> Vec<AcceptPool> {
        let sampled = self.tallies.iter().filter(|(_, tally)| tally.passes > 0);
        let pools = sampled.map(|(inode, tally)| AcceptPool {
            command: tally.command.clone(),
            inode: *inode,
            workers: tally.workers_most,
            busy: tally.busy as f64 / f64::from(tally.passes),
            full_share: f64::from(tally.passes_full) / f64::from(tally.passes),
        });
        pools.collect()
    }

    /// The listening socket in whose accept() a sleeping task waits.
    fn accepts(&mut self, host: &dyn Host, seen: &Seen, known: Option<Socket>) -> Option<Socket> {
        let architecture = *self.architecture.get_or_insert_with(|| architecture_of(host));
        let (number, descriptor) =
            self.buffers.of_task(host, (seen.pid, seen.tid), "syscall").and_then(parse_call)?;
        if !matches!(architecture.name_of(number).as_str(), "accept" | "accept4") {
            return None;
        }
        known
            .filter(|socket| socket.descriptor == descriptor)
            .or_else(|| Some(Socket { descriptor, inode: socket_inode(host, seen.pid, descriptor)? }))
    }

    /// Children of one parent are a pool, and so are threads; but of a process with a thread in accept() the others need
    /// not be workers, and have to be seen there.
    fn note_family(&mut self, seen: &Seen, socket: Socket) {
        let Some(parent) = seen.stat.parent.filter(|_| seen.is_first()) else { return };
        let family = self.families.entry((parent, seen.stat.command.to_vec())).or_default();
        if !family.contains(&socket) {
            family.push(socket);
            self.strangers.clear();
        }
    }

    /// The socket of a pool whose workers are siblings of this process and hold it under the same number.
    fn of_a_family(&mut self, host: &dyn Host, seen: &Seen) -> Option<Socket> {
        let parent = seen.stat.parent.filter(|_| seen.is_first() && !self.families.is_empty())?;
        let family = self.families.get(&(parent, seen.stat.command.to_vec()))?;
        self.met.insert(seen.tid);
        if self.strangers.contains(&seen.tid) {
            return None;
        }
        let holds = |socket: &&Socket| socket_inode(host, seen.pid, socket.descriptor) == Some(socket.inode);
        let found = family.iter().find(holds).copied();
        if found.is_none() {
            self.strangers.insert(seen.tid);
        }
        found
    }

    fn count(&mut self, seen: &Seen, socket: Socket, busy: bool) {
        self.met.insert(seen.tid);
        let now = self.now.entry(socket.inode).or_default();
        if now.workers == 0 {
            now.command = text::string(seen.stat.command);
        }
        now.workers += 1;
        now.busy += u32::from(busy);
    }
}

/// The inode of the socket behind a descriptor.
fn socket_inode(host: &dyn Host, pid: u32, descriptor: u64) -> Option<u64> {
    let target = host.link(&format!("/proc/{pid}/fd/{descriptor}")).ok()?;
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use crate::samples::{AcceptPool, Sampler};

    const MASTER: u32 = 10;

    fn stat(tid: u32, parent: u32, command: &str, state: char, threads: u32) -> String {
        format!("{tid} ({command}) {state} {parent} 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 {threads} 0 100 0 0")
    }

    /// A master and its workers; for each instant the letters say who is idle (`i`), busy asleep (`s`) or running (`r`).
    fn pool(instants: &[&str]) -> Tree {
        let mut tree = Tree::in_memory(instants.len());
        tree.put(0, "/proc/sys/kernel/arch", "x86_64");
        for (instant, workers) in instants.iter().enumerate() {
            tree.put(instant, "/proc/uptime", format!("{instant}.0 0.0"));
            tree.put(instant, "/proc/10/stat", stat(MASTER, 1, "php-fpm8.2", 'S', 1));
            tree.put(instant, "/proc/10/syscall", "232 0x9 0x0");
            for (pid, letter) in (11..).zip(workers.chars()) {
                let state = if letter == 'r' { 'R' } else { 'S' };
                tree.put(instant, &format!("/proc/{pid}/stat"), stat(pid, MASTER, "php-fpm8.2", state, 1));
                let call = if letter == 'i' { "43 0xb 0x7ffe 0x7ffe" } else { "230 0x1 0x0 0x7ffe" };
                tree.put(instant, &format!("/proc/{pid}/syscall"), call);
                tree.put_link(instant, &format!("/proc/{pid}/fd/11"), "socket:[4711]");
            }
        }
        tree
    }

    fn sampled(tree: &Tree) -> Vec<AcceptPool> {
        let mut sampler = Sampler::default();
        (0..tree.instants()).for_each(|instant| sampler.observe(&tree.at(instant)));
        sampler.finish().pools
    }

    #[test]
    fn workers_in_accept_are_idle_and_their_siblings_are_busy() {
        let pools = sampled(&pool(&["iii", "isr", "iis", "srs", "iii"]));
        let expected = AcceptPool {
            command: "php-fpm8.2".to_owned(),
            inode: 4711,
            workers: 3,
            busy: 6.0 / 4.0,
            full_share: 0.25,
        };
        assert_eq!(pools, [expected]);
    }

    #[test]
    fn a_worker_that_was_never_idle_belongs_to_the_pool_whose_socket_it_holds() {
        let mut tree = pool(&["ir", "ir", "ir"]);
        for instant in 0..3 {
            tree.put(instant, "/proc/20/stat", stat(20, MASTER, "php-fpm8.2", 'R', 1));
            tree.put_link(instant, "/proc/20/fd/11", "socket:[9999]");
        }
        let pools = sampled(&tree);
        assert_eq!((pools.len(), pools[0].workers, pools[0].busy), (1, 2, 1.0));
    }

    #[test]
    fn threads_are_workers_once_they_were_seen_idle() {
        let mut tree = Tree::in_memory(3);
        tree.put(0, "/proc/sys/kernel/arch", "x86_64");
        for instant in 0..3 {
            tree.put(instant, "/proc/30/stat", stat(30, 1, "served", 'S', 4));
            tree.put(instant, "/proc/30/task/30/syscall", "202 0x7f 0x0");
            tree.put_link(instant, "/proc/30/fd/3", "socket:[77]");
            for tid in [31, 32, 33] {
                let busy = tid == 33 || (tid, instant) == (32, 2);
                tree.put(instant, &format!("/proc/30/task/{tid}/stat"), stat(tid, 1, "served", 'S', 4));
                let call = if busy { "0 0x5 0x0" } else { "288 0x3 0x0" };
                tree.put(instant, &format!("/proc/30/task/{tid}/syscall"), call);
            }
        }
        let pools = sampled(&tree);
        assert_eq!((pools.len(), pools[0].workers, pools[0].busy), (1, 2, 0.5), "33 was never idle");
    }

    #[test]
    fn a_pool_that_was_never_idle_is_not_known() {
        assert_eq!(sampled(&pool(&["ss", "rr", "ss"])), []);
    }
}
