//! Requests that all come at once, each over a connection of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result};

/// The longest that a client waits, for its connection and then for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A client needs little memory; there may be thousands.
const STACK: usize = 128 << 10;

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; `None` where none came.
    pub status: Option<u16>,
    /// How long connect(2) took; [`PATIENCE`] where it failed.
    pub connect: Duration,
    /// How long it took from connect(2) to the last byte.
    pub total: Duration,
    /// The lines of the header.
    pub header: String,
    /// What came after them.
    pub body: String,
}

impl Answer {
    /// The value of a line of the header.
    pub fn value(&self, name: &str) -> Option<&str> {
        let of_line = |line: &'_ str| {
            let (key, _) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(key.len() + 1)
        };
        self.header.lines().find_map(|line| Some(line.get(of_line(line)?..)?.trim()))
    }
}

/// Sends `count` requests at once from a namespace.
pub fn send(from: &Namespace, to: SocketAddr, count: usize) -> Result<Vec<Answer>> {
    from.run(|| crowd(to, "/", count))
}

/// Sends `count` requests for a page at once.
pub fn crowd(to: SocketAddr, path: &str, count: usize) -> Result<Vec<Answer>> {
    thread::scope(|scope| {
        let visitors: Result<Vec<_>> = (0..count)
            .map(|_| {
                let builder = thread::Builder::new().stack_size(STACK);
                builder.spawn_scoped(scope, || ask(to, path)).attempt(|| "send a visitor".to_owned())
            })
            .collect();
        let answers = visitors?
            .into_iter()
            .map(|visitor| visitor.join().map_err(|_| FaultError::new("a visitor panicked")));
        answers.collect()
    })
}

/// Does some work while a burst comes again and again, `every` so often.
pub fn meanwhile<T>(
    every: Duration,
    burst: impl Fn() -> Result<()> + Sync,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        let visitors = scope.spawn(|| -> Result<()> {
            while !enough.load(Relaxed) {
                let begun = Instant::now();
                burst()?;
                wait_until("the next burst", || Ok(begun.elapsed() >= every || enough.load(Relaxed)))?;
            }
            Ok(())
        });
        let done = work();
        enough.store(true, Relaxed);
        let visited = visitors.join().map_err(|_| FaultError::new("visitors panicked"))?;
        done.and_then(|done| visited.map(|()| done))
    })
}

/// How many answers have this status.
pub fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == Some(status)).count()
}

/// The 99th percentile of the time to connect, in milliseconds (the nearest rank).
pub fn connect_p99_ms(answers: &[Answer]) -> f64 {
    quantile_ms(answers.iter().map(|answer| answer.connect), 99)
}

/// A percentile of the time that good answers took, in milliseconds (the nearest rank).
pub fn total_ms(answers: &[Answer], percentile: usize) -> f64 {
    let good = answers.iter().filter(|answer| answer.status == Some(200));
    quantile_ms(good.map(|answer| answer.total), percentile)
}

fn quantile_ms(times: impl Iterator<Item = Duration>, percentile: usize) -> f64 {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let rank = (times.len() * percentile).div_ceil(100);
    times.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

/// One request for `/`.
pub fn visit(to: SocketAddr) -> Answer {
    ask(to, "/")
}

/// One request.
pub fn ask(to: SocketAddr, path: &str) -> Answer {
    let started = Instant::now();
    let connected = TcpStream::connect_timeout(&to, PATIENCE);
    let connect = connected.as_ref().map_or(PATIENCE, |_| started.elapsed());
    let text = connected.and_then(|mut stream| answer(&mut stream, path)).unwrap_or_default();
    let (header, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = header.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status, connect, total: started.elapsed(), header: header.to_owned(), body: body.to_owned() }
}

fn answer(stream: &mut TcpStream, path: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => return Err(error),
        _ => {}
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
