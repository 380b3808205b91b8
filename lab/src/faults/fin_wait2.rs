use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, accept, bind, connect, getsockname, listen, socket_with,
};

use super::child::{Child, pace};
use super::shared::{Atomics, Shared};
use super::wait::wait_until;
use super::{FaultError, Result, kernel};

/// Connections that the server holds open although their client has closed them.
const HELD: usize = 900;
/// Then, ten a second: each is held longer than the kernel waits for its FIN.
const BETWEEN: Duration = Duration::from_millis(100);
const QUICKLY: Duration = Duration::from_millis(2);

/// Connections over the machine's own loopback that their client closes and their server never does: they wait in
/// FIN-WAIT-2 until `net.ipv4.tcp_fin_timeout` ends.
///
/// Not in a network namespace of its own, because `tcp_max_orphans`, which they are measured by, is only in the first.
pub struct FinWait2 {
    server: Child,
    counters: Shared<Counters>,
}

struct Counters {
    port: AtomicU64,
    closed: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Atomics for Counters {}

impl FinWait2 {
    /// Starts, and waits until so many connections wait.
    pub fn start(waiting: usize) -> Result<Self> {
        let counters = Shared::<Counters>::new()?;
        let server = Child::fork(c"fin-wait-2", &[], &[], || close_and_hold(&counters))?;
        let fault = Self { server, counters };
        wait_until("sockets in FIN-WAIT-2", || Ok(fault.seconds_left()?.len() >= waiting))?;
        Ok(fault)
    }

    /// The sockets in FIN-WAIT-2 towards the server: their local port, and how many seconds the kernel goes on waiting.
    pub fn seconds_left(&self) -> Result<BTreeMap<u16, u64>> {
        self.server.check_alive()?;
        let remote = format!(":{:04X}", self.counters.port.load(Relaxed));
        let text = kernel::read(&format!("/proc/{}/net/tcp", self.server.pid()))?;
        let socket = |line: &str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [_, local, towards, state, _, timer, ..] = fields.as_slice() else { return None };
            let port = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
            let ticks = u64::from_str_radix(timer.split(':').nth(1)?, 16).ok()?;
            // State 5, whose timer counts hundredths of a second (`get_timewait4_sock`).
            (*state == "05" && towards.ends_with(&remote)).then_some((port, ticks.div_ceil(100)))
        };
        Ok(text.lines().filter_map(socket).collect())
    }

    /// Waits for so many sockets that were not there before, and tells the longest that one of them is waited for.
    pub fn longest_wait_of_new(&self, count: usize) -> Result<u64> {
        let before = self.seconds_left()?;
        let mut longest = 0;
        wait_until("new sockets in FIN-WAIT-2", || {
            let now = self.seconds_left()?;
            let new: Vec<_> = now.iter().filter(|(port, _)| !before.contains_key(port)).collect();
            longest = new.iter().map(|(_, seconds)| **seconds).max().unwrap_or(0);
            Ok(new.len() >= count)
        })?;
        if longest == 0 {
            return Err(FaultError::new("sockets in FIN-WAIT-2 have no timer"));
        }
        Ok(longest)
    }
}

fn close_and_hold(counters: &Counters) -> rustix::io::Result<()> {
    let open = || socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let listener = open()?;
    bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    listen(&listener, 128)?;
    let address = SocketAddrV4::try_from(getsockname(&listener)?)?;
    counters.port.store(address.port().into(), Relaxed);
    let mut held: [Option<OwnedFd>; HELD] = [const { None }; HELD];
    loop {
        for slot in &mut held {
            let client = open()?;
            connect(&client, &address)?;
            *slot = Some(accept(&listener)?);
            drop(client);
            let closed = counters.closed.fetch_add(1, Relaxed);
            pace(if closed < 500 { QUICKLY } else { BETWEEN });
        }
    }
}
