use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept, bind, connect, listen, socket_with,
};
use tempfile::TempDir;

use super::child::{Child, pace, sleep_forever};
use super::netns::Namespace;
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Attempt, Fault, Health, Result};

/// Soon full, since nobody accepts.
const BROKEN_BACKLOG: i32 = 4;
/// Five seconds of connects, so that a busy machine does not break the twin.
const HEALTHY_BACKLOG: i32 = 1024;
const BETWEEN_CONNECTS: Duration = Duration::from_millis(5);

/// A Unix stream listener whose queue is full because nobody accepts; a client is told `EAGAIN` again and again.
///
/// The kernel keeps no counter of this: only the queue itself shows it (`ss -xl`: Recv-Q above Send-Q).
pub struct UnixListenOverflow {
    client: Child,
    server: Child,
    counters: Shared<Counters>,
    path: PathBuf,
    /// The kernel lists Unix sockets by network namespace, so that only this listener is seen.
    namespace: Namespace,
    health: Health,
    _directory: TempDir,
}

struct Counters {
    listening: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl UnixListenOverflow {
    /// Starts both ends.
    pub fn start(health: Health) -> Result<Self> {
        let namespace = Namespace::create()?;
        let directory = TempDir::new().attempt(|| "make a directory for a socket".to_owned())?;
        let path = directory.path().join("listener.sock");
        let address =
            SocketAddrUnix::new(&path).attempt(|| format!("make a socket address of {}", path.display()))?;
        let counters = Shared::<Counters>::new()?;
        let entrance = [namespace.entrance()];
        let server = Child::fork(c"unix-server", &entrance, &[], || serve(&address, health, &counters))?;
        wait_until("a Unix listener", || {
            server.check_alive()?;
            Ok(counters.listening.load(Relaxed) == 1)
        })?;
        let client = Child::fork(c"unix-client", &entrance, &[], || keep_connecting(&address, &counters))?;
        Ok(Self { client, server, counters, path, namespace, health, _directory: directory })
    }

    /// Where the listener is bound.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects that the kernel answered with `EAGAIN`.
    pub fn refused(&self) -> Result<u64> {
        self.client.check_alive()?;
        self.server.check_alive()?;
        Ok(self.counters.refused.load(Relaxed))
    }
}

impl Fault for UnixListenOverflow {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("connects turned away, or accepted by the twin", || match self.health {
            Health::Broken => Ok(self.refused()? >= 20),
            Health::Healthy => self.refused().map(|_| self.counters.accepted.load(Relaxed) >= 100),
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program)
    }
}

fn serve(address: &SocketAddrUnix, health: Health, counters: &Counters) -> rustix::io::Result<()> {
    let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&listener, address)?;
    listen(&listener, if health == Health::Broken { BROKEN_BACKLOG } else { HEALTHY_BACKLOG })?;
    counters.listening.store(1, Relaxed);
    if health == Health::Broken {
        sleep_forever();
    }
    loop {
        drop(accept(&listener)?);
        counters.accepted.fetch_add(1, Relaxed);
    }
}

fn keep_connecting(address: &SocketAddrUnix, counters: &Counters) -> rustix::io::Result<()> {
    loop {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match connect(&socket, address) {
            Ok(()) => {}
            Err(Errno::AGAIN) => {
                counters.refused.fetch_add(1, Relaxed);
            }
            Err(errno) => return Err(errno),
        }
        pace(BETWEEN_CONNECTS);
    }
}
