//! Why not a plain flood: `veth` hands each packet to the backlog of the *sending* CPU, which empties it in the softirq that
//! follows that very packet, so one sender never fills it. A burst must therefore enter with softirqs held off. One UDP
//! segmentation-offload send does that: `gso_max_segs 1` on the link makes the kernel cut it into 64 packets before the
//! driver sees it, and transmit them all within one bottom-half-disabled section. Two hundred sends a second suffice.
//! (A veth end with GRO or XDP on receives by NAPI and has no such backlog; both are off by default.)

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with,
};

use super::child::{Child, pace};
use super::netns::{Namespace, VethPair};
use super::shared::{Atomics, Shared};
use super::sysctl::ChangedSysctl;
use super::wait::wait_until;
use super::{Fault, Health, Result, kernel};

const PORT: u16 = 9000;
const PACKETS_PER_BURST: usize = 64;
const PACKET_BYTES: usize = 100;
/// Well below one burst. The default of 1,000 is far above it.
const LOWERED_BACKLOG: &str = "16";
/// A minute of bursts, after which the sender falls silent whoever still holds it.
const MAX_BURSTS: u64 = 12_000;

/// Bursts over a veth pair that overflow the per-CPU backlog of received packets.
///
/// The kernel counts them in column 2 of `/proc/net/softnet_stat`, for the whole machine. Hold
/// [`machine_alone`](super::tools::machine_alone): the fault lowers `net.core.netdev_max_backlog` for everybody.
pub struct VethBacklogDrop {
    sender: Child,
    receiver: Child,
    counters: Shared<Counters>,
    pair: VethPair,
    _lowered: Option<ChangedSysctl>,
    dropped_before: u64,
    health: Health,
}

struct Counters {
    listening: AtomicU64,
    bursts: AtomicU64,
    received: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl VethBacklogDrop {
    /// Starts both ends.
    pub fn start(health: Health) -> Result<Self> {
        let pair = VethPair::create(&["gso_max_segs", "1"])?;
        let counters = Shared::<Counters>::new()?;
        let receiver = Child::fork(c"udp-receiver", &[pair.right.entrance()], &[], || receive(&counters))?;
        wait_until("a UDP receiver", || {
            receiver.check_alive()?;
            Ok(counters.listening.load(Relaxed) == 1)
        })?;
        let lowered = match health {
            Health::Broken => Some(ChangedSysctl::set("net/core/netdev_max_backlog", LOWERED_BACKLOG)?),
            Health::Healthy => None,
        };
        let dropped_before = kernel::softnet_dropped()?;
        let interval = Duration::from_millis(if health == Health::Broken { 5 } else { 50 });
        let sender =
            Child::fork(c"udp-sender", &[pair.left.entrance()], &[], || send_bursts(interval, &counters))?;
        Ok(Self { sender, receiver, counters, pair, _lowered: lowered, dropped_before, health })
    }

    /// Packets dropped since the start because a backlog was full, on all CPUs.
    pub fn dropped(&self) -> Result<u64> {
        self.sender.check_alive()?;
        self.receiver.check_alive()?;
        Ok(kernel::softnet_dropped()?.saturating_sub(self.dropped_before))
    }

    /// The namespace at the receiving end.
    pub fn receiving_namespace(&self) -> &Namespace {
        &self.pair.right
    }

    /// Packets handed to the link.
    pub fn sent(&self) -> u64 {
        self.counters.bursts.load(Relaxed) * PACKETS_PER_BURST as u64
    }

    /// Packets that arrived.
    pub fn received(&self) -> u64 {
        self.counters.received.load(Relaxed)
    }
}

impl Fault for VethBacklogDrop {
    /// For the twin, ten bursts must pass whole. A drop starts the count anew rather than fails, because the counter
    /// belongs to the machine: thousands of loopback sockets that end at once can overflow even the default backlog.
    fn wait_until_established(&self) -> Result<()> {
        if self.health == Health::Broken {
            return wait_until("packets dropped", || Ok(self.dropped()? >= 1000));
        }
        let mut start = (self.dropped()?, self.received());
        wait_until("ten bursts in a row without a drop", || {
            let now = (self.dropped()?, self.received());
            if now.0 != start.0 {
                start = now;
            }
            Ok(now.1 >= start.1 + 10 * PACKETS_PER_BURST as u64)
        })
    }

    /// The counter belongs to the machine, the receiving link to the right namespace.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.receiving_namespace().command(program)
    }
}

fn udp_socket() -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
}

fn receive(counters: &Counters) -> rustix::io::Result<()> {
    let socket = udp_socket()?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT))?;
    counters.listening.store(1, Relaxed);
    let mut packet = [0_u8; PACKET_BYTES];
    loop {
        recv(&socket, &mut packet, RecvFlags::empty())?;
        counters.received.fetch_add(1, Relaxed);
    }
}

fn send_bursts(interval: Duration, counters: &Counters) -> rustix::io::Result<()> {
    let socket = udp_socket()?;
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::from(VethPair::RIGHT), PORT))?;
    segment_sends(&socket)?;
    let burst = [0_u8; PACKETS_PER_BURST * PACKET_BYTES];
    loop {
        if counters.bursts.load(Relaxed) < MAX_BURSTS {
            send(&socket, &burst, SendFlags::empty())?;
            counters.bursts.fetch_add(1, Relaxed);
        }
        pace(interval);
    }
}

/// Has the kernel cut each send into packets of `PACKET_BYTES` (udp(7), `UDP_SEGMENT`).
fn segment_sends(socket: &OwnedFd) -> rustix::io::Result<()> {
    let size: libc::c_int = 100;
    const { assert!(PACKET_BYTES == 100) };
    // SAFETY: the option value is a live int of the length given.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            (&raw const size).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(Errno::OPNOTSUPP) }
}
