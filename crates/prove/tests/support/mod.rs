//! Servers that do on command what a server does in bad hours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    dead_code,
    reason = "support of tests, of which each uses a part"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use prove::load::{Arrivals, LoadResult, LoadSpec, Process, Protocol, Request};

pub(crate) mod nginx;

/// What a server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Answers.
    Answer,
    /// Answers with 503.
    Unavailable,
    /// Answers, and closes the connection without a word about it.
    AnswerAndClose,
    /// Closes half-way through the body.
    Tear,
    /// Speaks another protocol.
    Babble,
    /// Resets the connection.
    Reset,
    /// Never answers.
    KeepSilent,
}

/// A server with a thread for each connection; it lives as long as the test's process.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
    requests: AtomicU64,
}

impl Server {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Gate { is_open: Mutex::new(true), changed: Condvar::new(), requests: AtomicU64::new(0) };
        let server = Self { address: listener.local_addr().unwrap(), gate: Arc::new(gate) };
        let gate = server.gate.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let gate = gate.clone();
                std::thread::spawn(move || serve(&stream.unwrap(), manner, &gate));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Requests that came so far.
    pub(crate) fn requests(&self) -> u64 {
        self.gate.requests.load(Ordering::SeqCst)
    }

    /// While closed, requests are taken and none is answered.
    pub(crate) fn set_open(&self, open: bool) {
        *self.gate.is_open.lock().unwrap() = open;
        self.gate.changed.notify_all();
    }
}

/// Serves one connection; that the client goes away is no matter.
fn serve(stream: &TcpStream, manner: Manner, gate: &Gate) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    loop {
        while !lines.next()?.ok()?.is_empty() {}
        gate.requests.fetch_add(1, Ordering::SeqCst);
        let open = gate.is_open.lock().unwrap();
        drop(gate.changed.wait_while(open, |open| !*open).unwrap());
        let mut stream = stream;
        match manner {
            Manner::Answer => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").ok()?,
            Manner::AnswerAndClose => {
                return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").ok();
            }
            Manner::Unavailable => {
                stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").ok()?;
            }
            Manner::Tear => {
                return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello").ok();
            }
            Manner::Babble => return stream.write_all(b"220 mail.example ESMTP\r\n").ok(),
            Manner::Reset => {
                rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
                return None;
            }
            Manner::KeepSilent => {}
        }
    }
}

/// So many requests per second for so many milliseconds, without a warm-up.
pub(crate) fn load(url: &str, per_s: f64, ms: u64) -> LoadSpec {
    LoadSpec {
        requests: vec![Request {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }],
        protocol: Protocol::Http1,
        keep_alive: true,
        arrivals: Arrivals { per_s, process: Process::Constant, seed: 1 },
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(ms),
        timeout: Duration::from_secs(60),
        most_connections: 10,
        verify_certificates: true,
    }
}

/// Offers it, and demands that nothing is lost from the books.
pub(crate) fn offer(spec: &LoadSpec) -> LoadResult {
    let result = prove::load::run(spec, &mut |_| {}).unwrap();
    assert_is_whole(&result);
    result
}

/// Each request that was due was answered or failed, in each second and on the whole.
pub(crate) fn assert_is_whole(result: &LoadResult) {
    let answered: u64 = result.statuses.values().sum();
    let failed: u64 = result.failures.values().sum();
    assert_eq!(result.offered, answered + failed, "{result:?}");
    assert_eq!(result.latency.count(), result.good);
    assert_eq!(result.by_second.iter().map(|second| second.offered).sum::<u64>(), result.offered);
    assert_eq!(result.by_second.iter().map(|second| second.good).sum::<u64>(), result.good);
}

/// That every request failed in this way.
pub(crate) fn assert_all_failed(result: &LoadResult, failure: &str) {
    assert!(result.offered > 0);
    assert_eq!(result.failures.get(failure), Some(&result.offered), "{:?}", result.failures);
}
