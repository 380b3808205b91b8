//! Requests that all come at once, each over a connection of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{FaultError, Result};

/// The longest that a client waits, for its connection and then for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of one request.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The status; `None` where none came.
    pub status: Option<u16>,
    /// How long connect(2) took; [`PATIENCE`] where it failed.
    pub connect: Duration,
}

/// Sends `count` requests at once from a namespace.
pub fn send(from: &Namespace, to: SocketAddr, count: usize) -> Result<Vec<Answer>> {
    from.run(|| {
        std::thread::scope(|scope| {
            let visitors: Vec<_> = (0..count).map(|_| scope.spawn(|| visit(to))).collect();
            let answers = visitors
                .into_iter()
                .map(|visitor| visitor.join().map_err(|_| FaultError::new("a visitor panicked")));
            answers.collect()
        })
    })
}

/// Does some work while a burst comes again and again, `every` so often.
pub fn meanwhile<T>(
    every: Duration,
    burst: impl Fn() -> Result<()> + Sync,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
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
    let mut times: Vec<_> = answers.iter().map(|answer| answer.connect).collect();
    times.sort_unstable();
    let rank = (times.len() * 99).div_ceil(100);
    times.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

/// One request.
pub fn visit(to: SocketAddr) -> Answer {
    let started = Instant::now();
    let connected = TcpStream::connect_timeout(&to, PATIENCE);
    let connect = started.elapsed();
    match connected {
        Ok(mut stream) => Answer { status: status(&mut stream).ok().flatten(), connect },
        Err(_) => Answer { status: None, connect: PATIENCE },
    }
}

fn status(stream: &mut TcpStream) -> std::io::Result<Option<u16>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => return Err(error),
        _ => {}
    }
    let line = String::from_utf8_lossy(answer.get(..32.min(answer.len())).unwrap_or_default()).into_owned();
    Ok(line.split(' ').nth(1).and_then(|status| status.parse().ok()))
}
