//! Sockets, one by one, into a [`TcpTable`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};

use super::netlink::text;
use super::ports::Ports;
use super::tcp_info::{CongestionControl, TcpInfo};
use super::{Destination, Service, TcpDetail, TcpTable, TcpTotals};

/// Names of the TCP states by number (kernel `include/net/tcp_states.h`), which starts at 1.
const STATE_NAMES: [&str; 11] = [
    "established",
    "syn-sent",
    "syn-received",
    "fin-wait-1",
    "fin-wait-2",
    "time-wait",
    "close",
    "close-wait",
    "last-ack",
    "listen",
    "closing",
];
pub(super) const ESTABLISHED: u8 = 1;
const SYN_RECEIVED: u8 = 3;
const FIN_WAIT_2: u8 = 5;
const TIME_WAIT: u8 = 6;
pub(super) const LISTEN: u8 = 10;
/// `TCP_NEW_SYN_RECV`, which the kernel shows as SYN-RECEIVED.
const NEW_SYN_RECEIVED: u8 = 12;

const DESTINATIONS_KEPT: usize = 256;
const BUSY_KEPT: usize = 64;
/// Bounds the memory a flood of destinations can take (about 8 MiB).
const DESTINATIONS_HELD: usize = 65_536;

/// The milliseconds a socket stays in TIME_WAIT (`TCP_TIMEWAIT_LEN` in include/net/tcp.h).
const TIME_WAIT_MS: u32 = 60_000;
/// The steps of [`Destination::time_wait_by_age`].
const AGES: usize = (TIME_WAIT_MS / AGE_STEP_MS) as usize;
const AGE_STEP_MS: u32 = Destination::AGE_STEP_S * 1000;

/// One socket as any source tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) state: u8,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) detail: Option<(TcpInfo, CongestionControl)>,
    /// How long its timer still runs: for a socket in TIME_WAIT, how long it stays.
    pub(super) expires_ms: Option<u32>,
}

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Route {
    remote: IpAddr,
    port: u16,
    local: IpAddr,
}

#[derive(Debug, Default)]
struct Counts {
    established: u32,
    time_wait: u32,
    other: u32,
    in_range: u32,
    time_wait_by_age: [u32; AGES],
}

impl Counts {
    fn total(&self) -> u32 {
        self.established.saturating_add(self.time_wait).saturating_add(self.other)
    }
}

/// An established socket, ordered by the segments it sent.
#[derive(Debug, PartialEq, Eq)]
struct Busy {
    segments_out: u32,
    socket: Socket,
    info: TcpInfo,
    congestion_control: CongestionControl,
}

impl Ord for Busy {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |busy: &Self| (busy.segments_out, busy.socket.local, busy.socket.remote);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Busy {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Takes sockets in any order; nothing is allocated per socket.
#[derive(Debug)]
pub(super) struct TableBuilder {
    ephemeral: (u16, u16),
    listening: Ports,
    destinations: HashMap<Route, Counts>,
    services: HashMap<u16, Service>,
    states: [u64; STATE_NAMES.len()],
    unknown_states: u64,
    busy: BinaryHeap<Reverse<Busy>>,
    totals: TcpTotals,
    congestion_controls: Vec<(CongestionControl, u64)>,
    rtts_us: Vec<u32>,
    overflowed: bool,
}

impl TableBuilder {
    /// Starts a table; both ends of `ephemeral` belong to the range.
    pub(super) fn new(ephemeral: (u16, u16), listening: Ports) -> Self {
        Self {
            ephemeral,
            services: listening.iter().map(|port| (port, Service { port, ..Service::default() })).collect(),
            listening,
            destinations: HashMap::new(),
            states: [0; STATE_NAMES.len()],
            unknown_states: 0,
            busy: BinaryHeap::with_capacity(BUSY_KEPT.saturating_add(1)),
            totals: TcpTotals::default(),
            congestion_controls: Vec::new(),
            rtts_us: Vec::new(),
            overflowed: false,
        }
    }

    pub(super) fn add(&mut self, socket: &Socket) {
        let state = if socket.state == NEW_SYN_RECEIVED { SYN_RECEIVED } else { socket.state };
        match usize::from(state).checked_sub(1).and_then(|index| self.states.get_mut(index)) {
            Some(count) => *count = count.saturating_add(1),
            None => self.unknown_states = self.unknown_states.saturating_add(1),
        }
        if state == LISTEN {
            return;
        }
        if self.listening.contains(socket.local.port()) {
            self.add_incoming(state, socket.local.port());
        } else if socket.remote.port() != 0 {
            self.add_outgoing(state, socket);
        }
        if state == ESTABLISHED
            && let Some((info, congestion_control)) = socket.detail
        {
            self.add_detail(socket, info, congestion_control);
        }
    }

    fn add_incoming(&mut self, state: u8, port: u16) {
        let Some(service) = self.services.get_mut(&port) else { return };
        let count = match state {
            ESTABLISHED => &mut service.established,
            TIME_WAIT => &mut service.time_wait,
            FIN_WAIT_2 => &mut service.fin_wait2,
            SYN_RECEIVED => &mut service.syn_received,
            _ => &mut service.other,
        };
        *count = count.saturating_add(1);
    }

    fn add_outgoing(&mut self, state: u8, socket: &Socket) {
        let route = Route {
            remote: socket.remote.ip().to_canonical(),
            port: socket.remote.port(),
            local: socket.local.ip().to_canonical(),
        };
        if self.destinations.len() >= DESTINATIONS_HELD && !self.destinations.contains_key(&route) {
            self.overflowed = true;
            return;
        }
        let counts = self.destinations.entry(route).or_default();
        let count = match state {
            ESTABLISHED => &mut counts.established,
            TIME_WAIT => &mut counts.time_wait,
            _ => &mut counts.other,
        };
        *count = count.saturating_add(1);
        if let Some(left_ms) = socket.expires_ms.filter(|_| state == TIME_WAIT) {
            let step = TIME_WAIT_MS.saturating_sub(left_ms) / AGE_STEP_MS;
            let step = usize::try_from(step).unwrap_or(AGES).min(AGES - 1);
            counts
                .time_wait_by_age
                .get_mut(step)
                .into_iter()
                .for_each(|count| *count = count.saturating_add(1));
        }
        let (low, high) = self.ephemeral;
        if (low..=high).contains(&socket.local.port()) {
            counts.in_range = counts.in_range.saturating_add(1);
        }
    }

    fn add_detail(&mut self, socket: &Socket, info: TcpInfo, congestion_control: CongestionControl) {
        let totals = &mut self.totals;
        let add = |sum: &mut u64, value: Option<u64>| *sum = sum.saturating_add(value.unwrap_or(0));
        add(&mut totals.sockets, Some(1));
        add(&mut totals.retransmits_total, Some(info.retransmits_total.into()));
        add(&mut totals.segments_out, info.segments_out.map(u64::from));
        add(&mut totals.busy_us, info.busy_us);
        add(&mut totals.receive_window_limited_us, info.receive_window_limited_us);
        add(&mut totals.send_buffer_limited_us, info.send_buffer_limited_us);
        if info.rtt_us != 0 {
            self.rtts_us.push(info.rtt_us);
        }
        match self.congestion_controls.iter_mut().find(|(name, _)| *name == congestion_control) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.congestion_controls.push((congestion_control, 1)),
        }
        let segments_out = info.segments_out.unwrap_or(0);
        if self.busy.len() >= BUSY_KEPT
            && self.busy.peek().is_some_and(|Reverse(least)| least.segments_out >= segments_out)
        {
            return;
        }
        self.busy.push(Reverse(Busy { segments_out, socket: *socket, info, congestion_control }));
        if self.busy.len() > BUSY_KEPT {
            self.busy.pop();
        }
    }

    /// Closes the table; `interrupted` says that the kernel's own table changed meanwhile.
    pub(super) fn finish(mut self, interrupted: bool) -> TcpTable {
        let mut destinations: Vec<_> = self.destinations.into_iter().collect();
        destinations.sort_unstable_by(|(a, x), (b, y)| y.total().cmp(&x.total()).then_with(|| a.cmp(b)));
        let left_out = destinations.len().saturating_sub(DESTINATIONS_KEPT);
        destinations.truncate(DESTINATIONS_KEPT);
        let mut services: Vec<_> = self.services.into_values().collect();
        services.sort_unstable_by_key(|service| service.port);
        let names = STATE_NAMES.iter().map(|&name| name.to_owned());
        let mut states: std::collections::BTreeMap<_, _> = names.zip(self.states).collect();
        if self.unknown_states > 0 {
            states.insert("unknown".to_owned(), self.unknown_states);
        }
        self.totals.median_rtt_us = percentile(&mut self.rtts_us, 50);
        self.totals.p90_rtt_us = percentile(&mut self.rtts_us, 90);
        self.totals.by_congestion_control = self
            .congestion_controls
            .iter()
            .map(|(name, count)| (name_of(name).unwrap_or_else(|| "unknown".to_owned()), *count))
            .collect();
        TcpTable {
            destinations: destinations.into_iter().map(destination).collect(),
            services,
            states,
            busy: self.busy.into_sorted_vec().into_iter().map(|Reverse(busy)| detail(&busy)).collect(),
            totals: (self.totals.sockets > 0).then_some(self.totals),
            destinations_left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            truncated: interrupted || self.overflowed,
        }
    }
}

fn destination((route, counts): (Route, Counts)) -> Destination {
    let oldest = counts.time_wait_by_age.iter().rposition(|count| *count > 0);
    let by_age = oldest.and_then(|oldest| counts.time_wait_by_age.get(..=oldest));
    Destination {
        local: route.local.to_string(),
        remote: route.remote.to_string(),
        port: route.port,
        established: counts.established,
        time_wait: counts.time_wait,
        other: counts.other,
        in_range: counts.in_range,
        time_wait_by_age: by_age.unwrap_or_default().to_vec(),
    }
}

fn detail(busy: &Busy) -> TcpDetail {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let Socket { local, remote, .. } = busy.socket;
    busy.info.detail(canonical(local), canonical(remote), "established", name_of(&busy.congestion_control))
}

fn name_of(congestion_control: &CongestionControl) -> Option<String> {
    Some(text(congestion_control)).filter(|name| !name.is_empty())
}

/// Nearest-rank percentile.
fn percentile(samples: &mut [u32], percent: usize) -> Option<u32> {
    let rank = samples.len().saturating_mul(percent).div_ceil(100).checked_sub(1)?;
    (rank < samples.len()).then(|| *samples.select_nth_unstable(rank).1)
}

#[cfg(test)]
mod tests;
