use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SocketFlags, SocketType, accept, bind, connect, listen, recv, socket_with,
};

use super::child::{Child, pace};
use super::netns::{Namespace, VethPair};
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Fault, Health, Result, kernel};

const PORTS: usize = 1000;
/// Connections of the healthy twin, from the same range.
const HEALTHY_CONNECTIONS: usize = 100;
const SERVER_BACKLOG: i32 = 1024;
/// The time between refusals. A success is followed at once, so that ports whose TIME_WAIT ends are taken again.
const PAUSE: Duration = Duration::from_millis(10);
/// Pauses for each connection to the other port: 5 connections a second, 300 in TIME_WAIT at most.
const PAUSES_PER_OTHER: u64 = 20;

/// What keeps a local port from being used again towards the same destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Open connections.
    Open,
    /// Connections the client closed first. Over loopback they would be used again (`tcp_tw_reuse` 2), over veth not.
    TimeWait,
}

/// A client that has used all of its 1,000 local ports towards one destination and goes on trying.
///
/// The kernel counts this nowhere: connect(2) fails with `EADDRNOTAVAIL`, and `/proc/net/tcp` shows the ports taken.
pub struct PortExhaustion {
    client: Child,
    _servers: [Child; 2],
    counters: Shared<Counters>,
    pair: VethPair,
    health: Health,
    holder: Holder,
}

struct Counters {
    listening: AtomicU64,
    connected: AtomicU64,
    refused: AtomicU64,
    other_connected: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl PortExhaustion {
    /// The destination port towards which no local port is left.
    pub const PORT: u16 = 8080;
    /// A destination port of the same server that can still be reached.
    pub const OTHER_PORT: u16 = 8081;

    /// Starts both ends.
    pub fn start(health: Health, holder: Holder) -> Result<Self> {
        let pair = VethPair::create(&[])?;
        pair.left.set("net/ipv4/ip_local_port_range", "40000 40999")?;
        let counters = Shared::<Counters>::new()?;
        let serve_at = |port, holder| {
            Child::fork(c"port-server", &[pair.right.entrance()], &[], || serve(port, holder, &counters))
        };
        let servers = [serve_at(Self::PORT, holder)?, serve_at(Self::OTHER_PORT, Holder::TimeWait)?];
        wait_until("two listeners", || {
            servers.iter().try_for_each(Child::check_alive)?;
            Ok(counters.listening.load(Relaxed) == 2)
        })?;
        let client = Child::fork(c"port-client", &[pair.left.entrance()], &[], || {
            use_ports(health, holder, &counters)
        })?;
        Ok(Self { client, _servers: servers, counters, pair, health, holder })
    }

    /// Connects that failed with `EADDRNOTAVAIL`.
    pub fn refused(&self) -> Result<u64> {
        self.client.check_alive()?;
        Ok(self.counters.refused.load(Relaxed))
    }

    /// Connections made to [`Self::PORT`].
    pub fn connected(&self) -> Result<u64> {
        self.client.check_alive()?;
        Ok(self.counters.connected.load(Relaxed))
    }

    /// The process whose `/proc/PID/net` shows the client's namespace.
    pub fn client_pid(&self) -> u32 {
        self.client.pid()
    }

    /// Connections made to [`Self::OTHER_PORT`].
    pub fn other_connected(&self) -> Result<u64> {
        self.client.check_alive()?;
        Ok(self.counters.other_connected.load(Relaxed))
    }

    /// Local ports taken towards [`Self::PORT`], as `/proc/net/tcp` of the client's namespace lists them.
    pub fn ports_taken(&self) -> Result<usize> {
        let state = match self.holder {
            Holder::Open => "01",
            Holder::TimeWait => "06",
        };
        kernel::tcp_sockets_towards(self.client.pid(), Self::PORT, state)
    }

    /// The namespace whose ports are used up.
    pub fn client_namespace(&self) -> &Namespace {
        &self.pair.left
    }
}

impl Fault for PortExhaustion {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("ports used up, or used sparingly by the twin", || {
            let other = self.other_connected()? >= 2;
            Ok(other
                && match self.health {
                    Health::Broken => self.refused()? >= 20 && self.ports_taken()? == PORTS,
                    Health::Healthy => self.ports_taken()? == HEALTHY_CONNECTIONS,
                })
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.client_namespace().command(program)
    }
}

fn serve(port: u16, holder: Holder, counters: &Counters) -> rustix::io::Result<()> {
    let listener = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&listener, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
    listen(&listener, SERVER_BACKLOG)?;
    counters.listening.fetch_add(1, Relaxed);
    let mut open: [Option<OwnedFd>; PORTS] = [const { None }; PORTS];
    loop {
        for slot in &mut open {
            let connection = accept(&listener)?;
            match holder {
                Holder::Open => *slot = Some(connection),
                Holder::TimeWait => {
                    let mut byte = [0_u8; 1];
                    recv(&connection, &mut byte, RecvFlags::empty())?;
                }
            }
        }
    }
}

fn use_ports(health: Health, holder: Holder, counters: &Counters) -> rustix::io::Result<()> {
    let mut open: [Option<OwnedFd>; PORTS] = [const { None }; PORTS];
    let mut pauses = 0_u64;
    loop {
        let enough =
            health == Health::Healthy && counters.connected.load(Relaxed) == HEALTHY_CONNECTIONS as u64;
        if !enough && use_port(holder, &mut open, counters)? {
            continue;
        }
        if pauses.is_multiple_of(PAUSES_PER_OTHER) {
            drop(connect_to(PortExhaustion::OTHER_PORT)?);
            counters.other_connected.fetch_add(1, Relaxed);
        }
        pauses += 1;
        pace(PAUSE);
    }
}

/// Makes one connection to the busy port; false if the kernel has no local port left for it.
fn use_port(holder: Holder, open: &mut [Option<OwnedFd>], counters: &Counters) -> rustix::io::Result<bool> {
    match connect_to(PortExhaustion::PORT) {
        Ok(connection) => {
            let slot = open.iter_mut().find(|slot| slot.is_none());
            match (holder, slot) {
                (Holder::Open, Some(slot)) => *slot = Some(connection),
                // Only a wider range has more ports than are held: it is to last.
                (Holder::Open, None) => pace(PAUSE),
                (Holder::TimeWait, _) => {}
            }
            counters.connected.fetch_add(1, Relaxed);
            Ok(true)
        }
        Err(Errno::ADDRNOTAVAIL) => {
            counters.refused.fetch_add(1, Relaxed);
            Ok(false)
        }
        Err(errno) => Err(errno),
    }
}

fn connect_to(port: u16) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::from(VethPair::RIGHT), port))?;
    Ok(socket)
}
