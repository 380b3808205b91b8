use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, listen, socket_with};

use super::child::{Child, pace, sleep_forever};
use super::netns::{Namespace, VethPair};
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{Fault, Result, kernel};

/// Soon taken by half-open connections.
const BACKLOG: i32 = 8;
const BETWEEN_CONNECTS: Duration = Duration::from_millis(20);
/// Connects that wait at once; older ones are given up.
const HELD: usize = 64;

/// Connections that stay half open: the client never hears the server's SYN-ACK, because the server sends it to a wrong
/// hardware address. `tcp_syncookies` is 0, so that a full queue of them makes the kernel drop every further SYN.
///
/// The kernel counts those in `TcpExt: TCPReqQFullDrop` of the server's namespace.
pub struct HalfOpen {
    client: Child,
    server: Child,
    pair: VethPair,
}

struct Counters {
    listening: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl HalfOpen {
    /// The port of the listener.
    pub const PORT: u16 = 8080;

    /// Starts the listener and the sender of SYNs.
    pub fn start() -> Result<Self> {
        let pair = VethPair::create(&[])?;
        pair.right.set("net/ipv4/tcp_syncookies", "0")?;
        let left = Ipv4Addr::from(VethPair::LEFT).to_string();
        let nowhere = ["lladdr", "02:00:00:00:00:99", "dev", "veth0", "nud", "permanent"];
        pair.right.ip(&[&["neighbour", "replace", left.as_str()], &nowhere[..]].concat())?;
        let counters = Shared::<Counters>::new()?;
        let server = Child::fork(c"syn-server", &[pair.right.entrance()], &[], || {
            let listener = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
            bind(&listener, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, Self::PORT))?;
            listen(&listener, BACKLOG)?;
            counters.listening.store(1, Relaxed);
            sleep_forever()
        })?;
        wait_until("a listener", || {
            server.check_alive()?;
            Ok(counters.listening.load(Relaxed) == 1)
        })?;
        let client = Child::fork(c"syn-client", &[pair.left.entrance()], &[], keep_connecting)?;
        Ok(Self { client, server, pair })
    }

    /// A counter of `TcpExt` in the server's namespace.
    pub fn counted(&self, name: &str) -> Result<u64> {
        self.client.check_alive()?;
        self.server.check_alive()?;
        kernel::network_counter(self.server.pid(), "netstat", "TcpExt", name)
    }

    /// The namespace of the listener.
    pub fn server_namespace(&self) -> &Namespace {
        &self.pair.right
    }
}

impl Fault for HalfOpen {
    fn wait_until_established(&self) -> Result<()> {
        wait_until("SYNs dropped", || Ok(self.counted("TCPReqQFullDrop")? >= 20))
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.server_namespace().command(program)
    }
}

fn keep_connecting() -> rustix::io::Result<()> {
    let address = SocketAddrV4::new(Ipv4Addr::from(VethPair::RIGHT), HalfOpen::PORT);
    let mut held: [Option<OwnedFd>; HELD] = [const { None }; HELD];
    loop {
        for slot in &mut held {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
            match connect(&socket, &address) {
                Ok(()) | Err(Errno::INPROGRESS) => *slot = Some(socket),
                Err(errno) => return Err(errno),
            }
            pace(BETWEEN_CONNECTS);
        }
    }
}
