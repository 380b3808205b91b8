use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, bind, connect, send, socket_with};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::child::{Child, pace};
use super::netns::Namespace;
use super::shared::{Atomics, Shared};
use super::{Attempt, FaultError, Result, kernel};

const PORT: u16 = 9000;
const BETWEEN: Duration = Duration::from_millis(5);

/// Datagrams over `lo` of a namespace of its own, as many on every CPU: each is one turn of the polling of received packets.
///
/// Whether a turn is cut short depends on `net.core.netdev_budget`; the kernel counts such turns in column 3 of
/// `/proc/net/softnet_stat`, for the whole machine.
pub struct SteadyDatagrams {
    senders: Vec<Child>,
    counters: Shared<Counters>,
    _namespace: Namespace,
}

struct Counters {
    sent: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl SteadyDatagrams {
    /// Starts both ends.
    pub fn start() -> Result<Self> {
        let namespace = Namespace::create()?;
        let counters = Shared::<Counters>::new()?;
        let usable = sched_getaffinity(None).attempt(|| "read which CPUs may be used".to_owned())?;
        let cpus = (0..CpuSet::MAX_CPU).filter(|cpu| usable.is_set(*cpu));
        let sender =
            |cpu| Child::fork(c"udp-sender", &[namespace.entrance()], &[], || send_steadily(cpu, &counters));
        let senders = cpus.map(sender).collect::<Result<_>>()?;
        Ok(Self { senders, counters, _namespace: namespace })
    }

    /// Datagrams sent.
    pub fn sent(&self) -> Result<u64> {
        self.senders.iter().try_for_each(Child::check_alive)?;
        Ok(self.counters.sent.load(Relaxed))
    }

    /// Turns of polling that were cut short since boot, on all CPUs.
    pub fn squeezed() -> Result<u64> {
        let text = kernel::read("/proc/net/softnet_stat")?;
        let column = |line: &str| u64::from_str_radix(line.split_whitespace().nth(2)?, 16).ok();
        let odd = |line: &str| FaultError::new(format!("odd softnet_stat line: {line}"));
        text.lines().map(|line| column(line).ok_or_else(|| odd(line))).sum()
    }
}

fn send_steadily(cpu: usize, counters: &Counters) -> rustix::io::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only)?;
    let open = || socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    // A receiver that never reads: what does not fit its buffer is dropped after the turn that counts.
    let port = PORT + u16::try_from(cpu % 1000).unwrap_or(0);
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let (receiver, sender) = (open()?, open()?);
    bind(&receiver, &address)?;
    connect(&sender, &address)?;
    loop {
        send(&sender, &[0_u8; 64], SendFlags::empty())?;
        counters.sent.fetch_add(1, Relaxed);
        pace(BETWEEN);
    }
}
