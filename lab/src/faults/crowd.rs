use std::ffi::OsStr;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::net::{AddressFamily, SocketFlags, SocketType, accept, bind, connect, listen, socket_with};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::child::{Child, sleep_forever};
use super::netns::Namespace;
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Attempt, Fault, FaultError, Health, Result, kernel};

const PORT: u16 = 8080;
const BACKLOG: i32 = 1024;
/// Descriptors a helper needs besides its connections.
const SPARE_DESCRIPTORS: u64 = 32;
/// How long a sleeper lives at most.
const SLEEP: &str = "600";

/// A machine with very many processes and TCP sockets, all idle: nothing is wrong, but reading it takes work.
pub struct Crowd {
    sleepers: Sleepers,
    _connector: Child,
    acceptor: Child,
    namespace: Namespace,
    connections: u64,
}

struct Counters {
    listening: AtomicU64,
    connected: AtomicU64,
    accepted: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl Crowd {
    /// Starts 2,000 processes and 10,000 connections (20,000 sockets), or a hundredth of both as the twin.
    pub fn start(health: Health) -> Result<Self> {
        let (processes, connections) = match health {
            Health::Broken => (2_000, 10_000),
            Health::Healthy => (20, 100),
        };
        let namespace = Namespace::create()?;
        let counters = Shared::<Counters>::new()?;
        let acceptor = Child::fork(c"crowd-acceptor", &[namespace.entrance()], &[], || {
            hold_accepted(connections, &counters)
        })?;
        wait_until("a listener", || acceptor.check_alive().map(|()| counters.listening.load(Relaxed) == 1))?;
        let connector = Child::fork(c"crowd-connector", &[namespace.entrance()], &[], || {
            hold_connected(connections, &counters)
        })?;
        let sleepers = Sleepers::start(processes)?;
        wait_until("all connections", || {
            acceptor.check_alive()?;
            connector.check_alive()?;
            let made = counters.connected.load(Relaxed).min(counters.accepted.load(Relaxed));
            Ok(made == connections)
        })?;
        Ok(Self { sleepers, _connector: connector, acceptor, namespace, connections })
    }

    /// TCP sockets in use, as `/proc/net/sockstat` of the namespace counts them.
    pub fn sockets(&self) -> Result<u64> {
        let path = format!("/proc/{}/net/sockstat", self.acceptor.pid());
        let text = kernel::read(&path)?;
        text.lines()
            .find_map(|line| line.strip_prefix("TCP: inuse ")?.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| FaultError::new(format!("{path} has no TCP sockets in use")))
    }

    /// Sleeping processes that `/proc` still shows asleep.
    pub fn asleep(&self) -> usize {
        let asleep = |pid| matches!(kernel::process_state(pid), Ok('S'));
        self.sleepers.0.iter().filter(|sleeper| asleep(sleeper.id())).count()
    }
}

impl Fault for Crowd {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("all sockets and sleepers", || {
            Ok(self.sockets()? > 2 * self.connections && self.asleep() == self.sleepers.0.len())
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.namespace.command_beside_the_machine(program)
    }
}

/// Processes of sleep(1), ended and reaped when dropped.
struct Sleepers(Vec<std::process::Child>);

impl Sleepers {
    fn start(count: usize) -> Result<Self> {
        let mut sleepers = Self(Vec::with_capacity(count));
        for _ in 0..count {
            let mut command = Command::new("/bin/sleep");
            command.arg(SLEEP).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // SAFETY: one system call, no allocation.
            unsafe { command.pre_exec(die_with_parent) };
            let spawned = command.spawn();
            let number = sleepers.0.len();
            sleepers
                .0
                .push(spawned.attempt(|| format!("start process {number} of {count} (see `ulimit -u`)"))?);
        }
        Ok(sleepers)
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        for sleeper in &mut self.0 {
            let _ = sleeper.kill();
        }
        for sleeper in &mut self.0 {
            let _ = sleeper.wait();
        }
    }
}

fn die_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Raises the limit of open files as far as `connections` need, which root may do past the hard limit.
fn allow(connections: u64) -> rustix::io::Result<()> {
    let needed = Some(connections + SPARE_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let enough = |bound: Option<u64>| bound.is_none() || bound >= needed;
    let raise = |bound| if enough(bound) { bound } else { needed };
    setrlimit(Resource::Nofile, Rlimit { current: raise(limit.current), maximum: raise(limit.maximum) })
}

fn address() -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT)
}

fn hold_accepted(connections: u64, counters: &Counters) -> rustix::io::Result<()> {
    allow(connections)?;
    let listener = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&listener, &address())?;
    listen(&listener, BACKLOG)?;
    counters.listening.store(1, Relaxed);
    for _ in 0..connections {
        // Left open on purpose: it ends with the process.
        let _ = accept(&listener)?.into_raw_fd();
        counters.accepted.fetch_add(1, Relaxed);
    }
    sleep_forever();
}

fn hold_connected(connections: u64, counters: &Counters) -> rustix::io::Result<()> {
    allow(connections)?;
    for _ in 0..connections {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &address())?;
        let _ = socket.into_raw_fd();
        counters.connected.fetch_add(1, Relaxed);
    }
    sleep_forever();
}
