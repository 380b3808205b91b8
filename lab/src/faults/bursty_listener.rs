//! Why in turns: how much of a burst a queue turns away, and how long the acceptor stays away, decide which length the tool
//! works out. On a busy machine both would be luck if client and server did not wait for each other.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept, bind, connect, listen, socket_with,
};
use tempfile::TempDir;

use super::child::{Child, pace};
use super::netns::Namespace;
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Attempt, Fault, Result, kernel};

/// Connections that come at once.
const BURST: usize = 48;
/// What the daemon asks listen(2) for.
const WANTED_BACKLOG: i32 = 4096;
/// What the kernel makes of it: 17 of each burst find room.
const LOWERED_CLAMP: &str = "16";
/// How long a burst waits for its acceptor, so that samples of the queue meet it.
const AWAY: Duration = Duration::from_millis(120);
/// How long the queue is empty between bursts.
const BETWEEN: Duration = Duration::from_millis(240);
const LOOK: Duration = Duration::from_millis(2);

/// Which listener it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Over a veth pair.
    Tcp,
    /// A path in a temporary folder.
    Unix,
}

/// A daemon that asks for a long queue and gets a short one, because `net.core.somaxconn` of its namespace is 16. It accepts
/// in rounds; each burst between two rounds is longer than the queue.
///
/// TCP counts what is turned away in `TcpExt: ListenOverflows`; of a Unix socket only the client hears of it (`EAGAIN`).
pub struct BurstyListener {
    client: Child,
    server: Child,
    counters: Shared<Counters>,
    namespace: Namespace,
    family: Family,
    _directory: TempDir,
}

struct Counters {
    listening: AtomicU64,
    /// How often the test wanted listen(2) called again.
    reloads: AtomicU64,
    bursts: AtomicU64,
    rounds: AtomicU64,
    refused: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

enum Address {
    Tcp(SocketAddrV4),
    Unix(SocketAddrUnix),
}

impl BurstyListener {
    /// The port of the TCP listener, on 127.0.0.1.
    pub const PORT: u16 = 8080;

    /// Starts client and server.
    pub fn start(family: Family) -> Result<Self> {
        let namespace = Namespace::create()?;
        namespace.set("net/core/somaxconn", LOWERED_CLAMP)?;
        let directory = TempDir::new().attempt(|| "make a directory for a socket".to_owned())?;
        let address = match family {
            Family::Tcp => Address::Tcp(SocketAddrV4::new(Ipv4Addr::LOCALHOST, Self::PORT)),
            Family::Unix => Address::Unix(
                SocketAddrUnix::new(directory.path().join("listener.sock"))
                    .attempt(|| "make a socket address".to_owned())?,
            ),
        };
        let counters = Shared::<Counters>::new()?;
        let entrance = [namespace.entrance()];
        let server = Child::fork(c"burst-server", &entrance, &[], || serve(&address, &counters))?;
        wait_until("a listener", || {
            server.check_alive()?;
            Ok(counters.listening.load(Relaxed) > 0)
        })?;
        let client = Child::fork(c"burst-client", &entrance, &[], || send_bursts(&address, &counters))?;
        Ok(Self { client, server, counters, namespace, family, _directory: directory })
    }

    /// Connects that were turned away.
    pub fn turned_away(&self) -> Result<u64> {
        self.check_alive()?;
        match self.family {
            Family::Tcp => kernel::network_counter(self.server.pid(), "netstat", "TcpExt", "ListenOverflows"),
            Family::Unix => Ok(self.counters.refused.load(Relaxed)),
        }
    }

    /// Has the daemon call listen(2) again with the backlog that it always wanted, and waits until it has.
    pub fn reload(&self) -> Result<()> {
        let reloads = self.counters.reloads.fetch_add(1, Relaxed) + 1;
        wait_until("listen() called again", || {
            self.check_alive()?;
            Ok(self.counters.listening.load(Relaxed) > reloads)
        })
    }

    /// Waits for the end of so many bursts that begin after this.
    pub fn wait_for_bursts(&self, count: u64) -> Result<()> {
        let begun = self.counters.rounds.load(Relaxed) + 1;
        wait_until("bursts", || {
            self.check_alive()?;
            Ok(self.counters.rounds.load(Relaxed) >= begun + count)
        })
    }

    /// The namespace of the listener.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn check_alive(&self) -> Result<()> {
        self.client.check_alive()?;
        self.server.check_alive()
    }
}

impl Fault for BurstyListener {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("connects turned away", || Ok(self.turned_away()? >= 60))
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command(program)
    }
}

fn open(address: &Address) -> rustix::io::Result<OwnedFd> {
    let family = match address {
        Address::Tcp(_) => AddressFamily::INET,
        Address::Unix(_) => AddressFamily::UNIX,
    };
    socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn serve(address: &Address, counters: &Counters) -> rustix::io::Result<()> {
    let listener = open(address)?;
    match address {
        Address::Tcp(address) => bind(&listener, address)?,
        Address::Unix(address) => bind(&listener, address)?,
    }
    loop {
        let reloads = counters.reloads.load(Relaxed);
        if counters.listening.load(Relaxed) <= reloads {
            listen(&listener, WANTED_BACKLOG)?;
            counters.listening.store(reloads + 1, Relaxed);
        }
        let rounds = counters.rounds.load(Relaxed);
        if counters.bursts.load(Relaxed) == rounds {
            pace(LOOK);
            continue;
        }
        pace(AWAY);
        loop {
            match accept(&listener) {
                Ok(connection) => drop(connection),
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno),
            }
        }
        counters.rounds.store(rounds + 1, Relaxed);
    }
}

fn send_bursts(address: &Address, counters: &Counters) -> rustix::io::Result<()> {
    loop {
        let mut held: [Option<OwnedFd>; BURST] = [const { None }; BURST];
        for slot in &mut held {
            let socket = open(address)?;
            let connected = match address {
                Address::Tcp(address) => connect(&socket, address),
                Address::Unix(address) => connect(&socket, address),
            };
            match connected {
                Ok(()) | Err(Errno::INPROGRESS) => *slot = Some(socket),
                Err(Errno::AGAIN) => {
                    counters.refused.fetch_add(1, Relaxed);
                }
                Err(errno) => return Err(errno),
            }
        }
        let bursts = counters.bursts.fetch_add(1, Relaxed) + 1;
        while counters.rounds.load(Relaxed) < bursts {
            pace(LOOK);
        }
        drop(held);
        pace(BETWEEN);
    }
}
