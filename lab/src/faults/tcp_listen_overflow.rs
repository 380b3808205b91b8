use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept, bind, connect, listen, socket_with};

use super::child::{Child, pace, sleep_forever};
use super::netns::Namespace;
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Fault, Health, Result, kernel};

/// Soon full, since nobody accepts.
const BROKEN_BACKLOG: i32 = 4;
/// Five seconds of connects, so that a busy machine does not break the twin.
const HEALTHY_BACKLOG: i32 = 1024;
const BETWEEN_CONNECTS: Duration = Duration::from_millis(5);
/// Connections the client keeps open; older ones are closed, which bounds what it holds.
const HELD: usize = 64;

/// A TCP listener whose accept queue is full because nobody accepts, under a steady stream of connects.
///
/// The kernel counts each attempt it turns away in `TcpExt: ListenOverflows` (and `ListenDrops`) of the namespace.
pub struct TcpListenOverflow {
    client: Child,
    server: Child,
    counters: Shared<Counters>,
    namespace: Namespace,
    health: Health,
}

struct Counters {
    listening: AtomicU64,
    accepted: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl TcpListenOverflow {
    /// The port of the listener, on 127.0.0.1.
    pub const PORT: u16 = 8080;

    /// Starts both ends.
    pub fn start(health: Health) -> Result<Self> {
        let namespace = Namespace::create()?;
        let counters = Shared::<Counters>::new()?;
        let server = Child::fork(c"tcp-server", &[namespace.entrance()], &[], || serve(health, &counters))?;
        wait_until("a TCP listener", || {
            server.check_alive()?;
            Ok(counters.listening.load(Relaxed) == 1)
        })?;
        let client = Child::fork(c"tcp-client", &[namespace.entrance()], &[], keep_connecting)?;
        Ok(Self { client, server, counters, namespace, health })
    }

    /// `TcpExt: ListenOverflows` of the namespace.
    pub fn overflows(&self) -> Result<u64> {
        self.client.check_alive()?;
        self.server.check_alive()?;
        kernel::network_counter(self.server.pid(), "netstat", "TcpExt", "ListenOverflows")
    }

    /// Connections the server has accepted.
    pub fn accepted(&self) -> u64 {
        self.counters.accepted.load(Relaxed)
    }
}

impl Fault for TcpListenOverflow {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("connects turned away, or accepted by the twin", || match self.health {
            Health::Broken => Ok(self.overflows()? >= 20),
            Health::Healthy => self.overflows().map(|_| self.accepted() >= 100),
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program)
    }
}

fn address() -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, TcpListenOverflow::PORT)
}

fn serve(health: Health, counters: &Counters) -> rustix::io::Result<()> {
    let listener = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&listener, &address())?;
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

fn keep_connecting() -> rustix::io::Result<()> {
    let mut held: [Option<OwnedFd>; HELD] = [const { None }; HELD];
    loop {
        for slot in &mut held {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
            match connect(&socket, &address()) {
                Ok(()) | Err(Errno::INPROGRESS) => *slot = Some(socket),
                Err(errno) => return Err(errno),
            }
            pace(BETWEEN_CONNECTS);
        }
    }
}
