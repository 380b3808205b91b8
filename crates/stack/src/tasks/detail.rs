//! Looks closely at tasks that wait.

use std::collections::HashMap;
use std::fmt::Write;

use host::{Host, HostError, text};

use super::parse::{TaskStat, parse_stack, parse_syscall, parse_wchan};
use super::syscalls::Architecture;
use crate::samples::Waiter;

/// Tasks whose stack is read anew in every pass. Reading the stacks of 450 waiting tasks costs more than the pass itself …
const FRESH_PER_PASS: u32 = 64;
/// … so the stack of any further task is read again after this many passes, or as soon as it waits somewhere else.
const KEPT_FOR_PASSES: u64 = 20;

/// Buffers for reading small files again and again.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    bytes: Vec<u8>,
    path: String,
}

impl Buffers {
    pub(super) fn read(&mut self, host: &dyn Host, path: std::fmt::Arguments) -> Result<&[u8], HostError> {
        self.path.clear();
        self.bytes.clear();
        let _ = self.path.write_fmt(path);
        host.read_into(&self.path, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// A file of a thread, or of its process where a tree holds no `task` folder.
    pub(super) fn of_task(&mut self, host: &dyn Host, (pid, tid): (u32, u32), file: &str) -> Option<&[u8]> {
        let found = match self.read(host, format_args!("/proc/{pid}/task/{tid}/{file}")) {
            Err(HostError::NotFound { .. }) if pid == tid => {
                self.read(host, format_args!("/proc/{pid}/{file}")).is_ok()
            }
            result => result.is_ok(),
        };
        found.then_some(self.bytes.as_slice())
    }
}

/// A thread met in a pass.
pub(super) struct Seen<'a> {
    /// The process.
    pub(super) pid: u32,
    /// The thread.
    pub(super) tid: u32,
    /// Its stat line; for the first thread that of the process, whose CPU time is that of all its threads.
    pub(super) stat: TaskStat<'a>,
}

impl Seen<'_> {
    /// Whether it stands for the whole process.
    pub(super) fn is_first(&self) -> bool {
        self.pid == self.tid
    }
}

/// Reads where tasks wait.
#[derive(Debug, Default)]
pub(super) struct Detail {
    pub(super) buffers: Buffers,
    architecture: Option<Architecture>,
    kept: HashMap<u32, Kept>,
    pass: u64,
    fresh: u32,
}

#[derive(Debug)]
struct Kept {
    pass: u64,
    wchan: Option<String>,
    stack: Vec<String>,
    syscall: Option<String>,
}

impl Detail {
    /// Begins a pass over all tasks.
    pub(super) fn begin(&mut self) {
        self.pass += 1;
        self.fresh = 0;
        let pass = self.pass;
        self.kept.retain(|_, kept| kept.pass + KEPT_FOR_PASSES > pass);
    }

    /// Where a task waits.
    pub(super) fn waiter(&mut self, host: &dyn Host, seen: &Seen) -> Waiter {
        let task = (seen.pid, seen.tid);
        let wchan = self.buffers.of_task(host, task, "wchan").and_then(parse_wchan);
        let kept = self.kept.get(&seen.tid).filter(|kept| kept.wchan == wchan && wchan.is_some());
        let (stack, syscall) = match kept.filter(|_| self.fresh >= FRESH_PER_PASS) {
            Some(kept) => (kept.stack.clone(), kept.syscall.clone()),
            None => self.read(host, seen, wchan.as_deref()),
        };
        let command = text::string(seen.stat.command);
        Waiter { tid: seen.tid, command, state: seen.stat.state, wchan, stack, syscall }
    }

    fn read(&mut self, host: &dyn Host, seen: &Seen, wchan: Option<&str>) -> (Vec<String>, Option<String>) {
        let task = (seen.pid, seen.tid);
        let architecture = *self.architecture.get_or_insert_with(|| architecture_of(host));
        let stack = self.buffers.of_task(host, task, "stack").map(parse_stack).unwrap_or_default();
        // A kernel thread is in no system call, but its file says `0`, which is read(2).
        let in_a_call = !seen.stat.is_kernel_thread();
        let syscall = in_a_call.then(|| self.buffers.of_task(host, task, "syscall")).flatten();
        let syscall = syscall.and_then(|bytes| parse_syscall(bytes, architecture));
        self.fresh += 1;
        let wchan = wchan.map(str::to_owned);
        let kept = Kept { pass: self.pass, wchan, stack: stack.clone(), syscall: syscall.clone() };
        self.kept.insert(seen.tid, kept);
        (stack, syscall)
    }
}

/// The architecture, from `/proc/sys/kernel/arch` (since Linux 6.1) or the keys of `/proc/cpuinfo`.
pub(crate) fn architecture_of(host: &dyn Host) -> Architecture {
    if let Ok(name) = host.value("/proc/sys/kernel/arch") {
        return Architecture::named(&name);
    }
    let cpuinfo = host.value("/proc/cpuinfo").unwrap_or_default();
    let has = |key: &str| cpuinfo.lines().any(|line| line.starts_with(key));
    match (has("vendor_id"), has("CPU implementer")) {
        (true, _) => Architecture::X86,
        (_, true) => Architecture::Generic,
        _ => Architecture::Other,
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;
    use crate::tasks::Scanner;

    /// A host on which 70 tasks wait in one place in the first instant; in the second their stacks differ, and the
    /// last of them waits elsewhere.
    fn host_with_a_pile() -> Tree {
        let mut tree = Tree::in_memory(2);
        for pid in 100..170 {
            for instant in 0..2 {
                tree.put(instant, &format!("/proc/{pid}/stat"), format!("{pid} (php) D 1"));
                let moved = pid == 169 && instant == 1;
                let wchan = if moved { "folio_wait_bit" } else { "rpc_wait_bit_killable" };
                tree.put(instant, &format!("/proc/{pid}/wchan"), wchan);
                tree.put(instant, &format!("/proc/{pid}/stack"), format!("[<0>] frame{instant}+0x1/0x2\n"));
            }
        }
        tree
    }

    #[test]
    fn in_a_pile_of_waiting_tasks_only_some_stacks_are_read_in_every_pass() {
        let tree = host_with_a_pile();
        let mut scanner = Scanner::default();
        assert!(scanner.waiters(&tree.at(0)).unwrap().iter().all(|waiter| waiter.stack == ["frame0"]));
        let later = scanner.waiters(&tree.at(1)).unwrap();
        let fresh = later.iter().filter(|waiter| waiter.stack == ["frame1"]).count();
        assert_eq!((later.len(), fresh), (70, 65), "64, and the one that moved");
        assert_eq!(later[69].stack, ["frame1"]);
    }

    #[test]
    fn a_kept_stack_is_read_again_after_some_passes() {
        let tree = host_with_a_pile();
        let mut scanner = Scanner::default();
        scanner.waiters(&tree.at(0)).unwrap();
        for _ in 0..KEPT_FOR_PASSES {
            scanner.waiters(&tree.at(1)).unwrap();
        }
        let last = scanner.waiters(&tree.at(1)).unwrap();
        assert!(last.iter().all(|waiter| waiter.stack == ["frame1"]));
    }
}
