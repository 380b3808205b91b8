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

/// Lists the workers of a pool, and corrects its address by what is listened at.
pub(super) fn fill(host: &dyn Host, pool: &mut Pool, processes: &[&Process], listeners: &[Listener]) {
    let at = |address: &str| listeners.iter().find(|listener| listener.local == address);
    // Without IPv6 a bare port is listened at for IPv4 alone.
    let inet4 = pool.listen.strip_prefix("[::]:").map(|port| format!("0.0.0.0:{port}"));
    if at(&pool.listen).is_none() && inet4.as_deref().and_then(at).is_some() {
        pool.listen = inet4.unwrap_or_default();
    }
    let inode = at(&pool.listen).map(|listener| listener.inode);
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
