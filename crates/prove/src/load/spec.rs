//! What to offer.

use std::time::Duration;

/// When requests are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// At equal distances.
    Constant,
    /// With exponential distances, as independent visitors come.
    Poisson,
}

/// How many requests are due, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    /// Requests per second.
    pub per_s: f64,
    /// How they are spread.
    pub process: Process,
    /// Moves the random distances.
    pub seed: u64,
}

/// How requests are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, one request at a time on each connection.
    Http1,
    /// HTTP/2, many on each; with TLS by ALPN, else with prior knowledge (RFC 9113, section 3.3).
    Http2,
}

/// One request of the mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, as `GET`.
    pub method: String,
    /// The whole address, `http://` or `https://`.
    pub url: String,
    /// Header fields besides those the protocol needs.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// A load: what, how often, for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSpec {
    /// The mix, sent in turn and again from the start.
    pub requests: Vec<Request>,
    /// How they are carried.
    pub protocol: Protocol,
    /// Whether connections are used again; without it every request opens one and closes it first.
    pub keep_alive: bool,
    /// When requests are due.
    pub arrivals: Arrivals,
    /// How long requests are due at this rate before anything is counted.
    pub warm_up: Duration,
    /// How long requests are due and counted.
    pub duration: Duration,
    /// How long an answer may take, counted from when its request was due.
    pub timeout: Duration,
    /// The most connections at once. A request that is due when all are busy waits for one, and its latency counts on.
    pub most_connections: usize,
    /// Whether certificates are checked against those that this host trusts.
    pub verify_certificates: bool,
}
