//! Where the workers of a pool are.

use host::kernel::Listener;
use host::{Host, HostError, text};

use super::super::{Pool, Worker};
use super::processes::Process;
use crate::tasks::{Architecture, architecture_of, parse_call};

/// Workers of a pool that are asked which system call they wait in, spread over all.
const MOST_ASKED: usize = 1024;

/// Calls whose first argument is a descriptor they wait for.
const WAITS_FOR_DESCRIPTOR: &[&str] = &[
    "accept",
    "accept4",
    "connect",
    "epoll_pwait",
    "epoll_wait",
    "fcntl",
    "fdatasync",
    "flock",
    "fsync",
    "pread64",
    "pwrite64",
    "read",
    "readv",
    "recvfrom",
    "recvmsg",
    "sendmsg",
    "sendto",
    "write",
    "writev",
];

/// The socket that a pool listens at. Without IPv6 a bare port is listened at for IPv4 alone.
pub(super) fn at<'a>(listeners: &'a [Listener], listen: &str) -> Option<&'a Listener> {
    let of = |address: &str| listeners.iter().find(|listener| listener.local == address);
    of(listen).or_else(|| of(&format!("0.0.0.0:{}", listen.strip_prefix("[::]:")?)))
}

/// Whether a worker waits for a connection; `None` where that may not be read.
pub(super) fn is_idle(host: &dyn Host, pid: u32, architecture: Architecture) -> Option<bool> {
    let bytes = host.read(&format!("/proc/{pid}/syscall")).ok()?;
    let call = parse_call(&bytes).map(|(number, _)| architecture.name_of(number));
    Some(call.is_some_and(|name| name.starts_with("accept")))
}

/// Lists the workers of a pool, and corrects its address by what is listened at.
pub(super) fn fill(host: &dyn Host, pool: &mut Pool, processes: &[&Process], listeners: &[Listener]) {
    if let Some(listener) = at(listeners, &pool.listen) {
        pool.listen.clone_from(&listener.local);
    }
    let inode = at(listeners, &pool.listen).map(|listener| listener.inode);
    let architecture = architecture_of(host);
    let every = processes.len().div_ceil(MOST_ASKED).max(1);
    let mut buffer = Vec::new();
    pool.workers = processes
        .iter()
        .enumerate()
        .map(|(index, process)| {
            let mut worker = Worker { pid: process.pid, state: process.state, ..Worker::default() };
            if index % every == 0 && process.state != 'R' {
                wait(host, &mut worker, inode, architecture, &mut buffer);
            }
            worker
        })
        .collect();
}

fn wait(
    host: &dyn Host,
    worker: &mut Worker,
    inode: Option<u64>,
    architecture: Architecture,
    buffer: &mut Vec<u8>,
) {
    buffer.clear();
    if host.read_into(&format!("/proc/{}/syscall", worker.pid), buffer).is_err() {
        return;
    }
    let Some((number, descriptor)) = parse_call(buffer) else { return };
    let name = architecture.name_of(number);
    if WAITS_FOR_DESCRIPTOR.contains(&name.as_str()) {
        let target = host.link(&format!("/proc/{}/fd/{descriptor}", worker.pid));
        worker.waits_for = kind(&target, inode).map(str::to_owned);
    }
    if name.starts_with("accept") {
        worker.waits_for = Some("listening".to_owned());
    }
    worker.syscall = Some(name);
}

fn kind(target: &Result<String, HostError>, listening: Option<u64>) -> Option<&'static str> {
    let target = target.as_deref().ok()?;
    let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
    Some(match inode {
        Some(inode) if listening.is_some() && text::decimal(inode.as_bytes()) == listening => "listening",
        Some(_) => "socket",
        None if target.starts_with("pipe:") => "pipe",
        None if target.starts_with('/') => "file",
        None => return None,
    })
}
