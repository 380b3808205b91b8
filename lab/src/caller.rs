//! Load from outside: a guest orders it, the machine around it offers it and tells what came of it.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use prove::load::{self, Arrivals, Latencies, LoadSpec, Process, Protocol, Request};
use serde::{Deserialize, Serialize};

use crate::faults::{Attempt, FaultError, Result};
use crate::guest::{GUEST_ADDRESS, dropped_outside};
use crate::meeting::Meeting;

/// What the guest says when it will order nothing more.
const FINISHED: &str = "finished";
/// How often the host looks for an order.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// When an answer is too late.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a datagram.
const PAYLOAD: [u8; 16] = [0; 16];

/// Requests are offered for so long at a time, and again until they are wanted no longer.
const PIECE: Duration = Duration::from_secs(4);

/// Load to offer to the guest until it wants no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Requests at equal distances, whatever the server does.
    Http {
        /// The path, as `/`.
        path: String,
        /// Requests per second.
        per_s: f64,
        /// The most connections at once.
        connections: usize,
    },
    /// Datagrams in bursts.
    Datagrams {
        /// The port they go to.
        port: u16,
        /// Sockets they come from, in turn.
        flows: usize,
        /// Datagrams in a burst, one right after the other.
        burst: u32,
        /// From the start of a burst to the next, in milliseconds.
        every_ms: u64,
    },
}

/// What came of an order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Requests or datagrams that were due.
    pub offered: u64,
    /// Good answers; datagrams that the sender's kernel took.
    pub good: u64,
    /// Good answers per second that arrived while requests were due.
    pub per_s: f64,
    /// The median of latency in milliseconds, counted from when a request was due.
    pub p50_ms: Option<f64>,
    /// Its 99th percentile.
    pub p99_ms: Option<f64>,
    /// Frames that the card's other end had no room for (`tx_dropped` of the tap).
    pub dropped_outside: u64,
}

/// The guest's side.
pub struct Caller {
    meeting: Meeting,
    orders: AtomicU32,
}

/// An order that is being carried out.
#[must_use = "nobody waits for its end otherwise"]
pub struct Underway<'a> {
    meeting: &'a Meeting,
    number: u32,
}

impl Caller {
    /// Nothing is ordered yet.
    pub fn new() -> Self {
        Self { meeting: Meeting::inside(), orders: AtomicU32::new(0) }
    }

    /// Orders a load, and returns when it is about to begin.
    pub fn order(&self, order: &Order) -> Result<Underway<'_>> {
        let number = self.orders.fetch_add(1, Relaxed);
        self.meeting.tell(&format!("order.{number}"), order)?;
        self.meeting.hear(&format!("begun.{number}"))?;
        Ok(Underway { meeting: &self.meeting, number })
    }
}

impl Default for Caller {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.meeting.say(FINISHED);
    }
}

impl Underway<'_> {
    /// Ends it.
    pub fn end(self) -> Result<Figures> {
        self.meeting.say(&format!("enough.{}", self.number))?;
        self.meeting.be_told(&format!("figures.{}", self.number))
    }
}

/// The host's side: carries out what the guest orders until it orders nothing more.
pub fn serve(meeting: &Meeting) -> Result<()> {
    thread::scope(|scope| {
        for number in 0.. {
            let name = format!("order.{number}");
            while !meeting.has_heard(&name) {
                if meeting.has_heard(FINISHED) {
                    return Ok(());
                }
                meeting.still_met()?;
                thread::sleep(BETWEEN_LOOKS);
            }
            let order: Order = meeting.be_told(&name)?;
            scope.spawn(move || {
                let figures = carry_out(meeting, number, &order)
                    .and_then(|figures| meeting.tell(&format!("figures.{number}"), &figures));
                if let Err(error) = figures {
                    meeting.give_up(&error);
                }
            });
        }
        Ok(())
    })
}

fn carry_out(meeting: &Meeting, number: u32, order: &Order) -> Result<Figures> {
    meeting.say(&format!("begun.{number}"))?;
    let enough = || {
        [&format!("enough.{number}"), FINISHED].iter().any(|word| meeting.has_heard(word))
            || meeting.still_met().is_err()
    };
    let dropped = dropped_outside()?;
    let figures = match order {
        Order::Http { path, per_s, connections } => http(path, *per_s, *connections, enough),
        Order::Datagrams { port, flows, burst, every_ms } => {
            datagrams(*port, *flows, *burst, Duration::from_millis(*every_ms), enough)
        }
    }?;
    Ok(Figures { dropped_outside: dropped_outside()?.saturating_sub(dropped), ..figures })
}

fn http(path: &str, per_s: f64, connections: usize, enough: impl Fn() -> bool) -> Result<Figures> {
    let url = format!("http://{GUEST_ADDRESS}{path}");
    let mut spec = LoadSpec {
        requests: vec![Request { method: "GET".to_owned(), url, headers: vec![], body: vec![] }],
        protocol: Protocol::Http1,
        keep_alive: true,
        arrivals: Arrivals { per_s, process: Process::Constant, seed: 1 },
        warm_up: Duration::from_secs(1),
        duration: PIECE,
        timeout: TIMEOUT,
        most_connections: connections,
        verify_certificates: true,
    };
    let (mut figures, mut latency, mut answers, mut seconds) =
        (Figures::default(), Latencies::default(), 0.0, 0.0);
    while seconds == 0.0 || !enough() {
        let piece = load::run(&spec, &mut |_| {}).attempt(|| "offer HTTP load to the guest".to_owned())?;
        figures.offered += piece.offered;
        figures.good += piece.good;
        answers += piece.goodput_per_s * piece.seconds;
        seconds += piece.seconds;
        latency.merge(&piece.latency);
        spec.warm_up = Duration::ZERO;
    }
    let (p50_ms, p99_ms) = (latency.quantile_ms(0.5), latency.quantile_ms(0.99));
    Ok(Figures { per_s: answers / seconds, p50_ms, p99_ms, ..figures })
}

fn datagrams(
    port: u16,
    flows: usize,
    burst: u32,
    every: Duration,
    enough: impl Fn() -> bool,
) -> Result<Figures> {
    let address = SocketAddrV4::new(GUEST_ADDRESS, port);
    let socket = || -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(address)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let sockets = (0..flows.max(1)).map(|_| socket()).collect::<std::io::Result<Vec<_>>>();
    let sockets = sockets.attempt(|| format!("open sockets towards {address}"))?;
    let mut figures = Figures::default();
    let (begin, mut due, mut turn) = (Instant::now(), Instant::now(), sockets.iter().cycle());
    while !enough() {
        for socket in turn.by_ref().take(burst as usize) {
            figures.offered += 1;
            // A refusal is the guest's answer to the one before; what was not taken was not offered to the guest.
            figures.good += u64::from(socket.send(&PAYLOAD).is_ok());
        }
        due += every;
        match due.checked_duration_since(Instant::now()) {
            Some(left) => thread::sleep(left),
            None => due = Instant::now(),
        }
    }
    figures.per_s = per_second(figures.good, begin.elapsed())?;
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "a count of datagrams")]
fn per_second(count: u64, time: Duration) -> Result<f64> {
    match time.as_secs_f64() {
        seconds if seconds > 0.0 => Ok(count as f64 / seconds),
        _ => Err(FaultError::new("no time passed")),
    }
}
