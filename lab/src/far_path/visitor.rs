//! Visitors: connections that are kept, and loads of many of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::FarPath;
use crate::faults::netns::Namespace;
use crate::faults::{Attempt, FaultError, Result, report_left_behind};

/// No path here takes so long for the next byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the site that is kept open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects from the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let attempted = || "connect to the site".to_owned();
        let site = SocketAddr::V4(FarPath::SITE);
        let stream = TcpStream::connect_timeout(&site, PATIENCE).attempt(attempted)?;
        stream.set_nodelay(true).attempt(attempted)?;
        stream.set_read_timeout(Some(PATIENCE)).attempt(attempted)?;
        Ok(Self { stream, buffer: vec![0; 1 << 16] })
    }

    /// Asks for a file and reads it to its end; returns how long that took.
    pub fn fetch(&mut self, name: &str) -> Result<Duration> {
        let begun = Instant::now();
        let mut left = self.ask(name)?;
        while left > 0 {
            left = left.saturating_sub(self.read()? as u64);
        }
        Ok(begun.elapsed())
    }

    /// Reads a file, again and again, until a moment; returns the bytes read after another one.
    fn read_until(&mut self, name: &str, from: Instant, until: &dyn Fn() -> bool) -> Result<u64> {
        let mut counted = 0;
        loop {
            let mut left = self.ask(name)?;
            while left > 0 {
                if until() {
                    return Ok(counted);
                }
                let read = self.read()? as u64;
                left = left.saturating_sub(read);
                counted += if Instant::now() >= from { read } else { 0 };
            }
        }
    }

    fn read(&mut self) -> Result<usize> {
        match self.stream.read(&mut self.buffer).attempt(|| "read from the site".to_owned())? {
            0 => Err(FaultError::new("the site closed a connection")),
            read => Ok(read),
        }
    }

    /// Sends a request; returns the bytes of the body that are still to come.
    fn ask(&mut self, name: &str) -> Result<u64> {
        let request = format!("GET /{name} HTTP/1.1\r\nHost: site\r\n\r\n");
        self.stream.write_all(request.as_bytes()).attempt(|| format!("ask for {name}"))?;
        let mut head = vec![];
        loop {
            let read = self.read()?;
            head.extend_from_slice(&self.buffer[..read]);
            if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&head[..end]);
                let length = length(&text).filter(|_| text.starts_with("HTTP/1.1 200 "));
                let length = length.ok_or_else(|| FaultError::new(format!("the site answered {text}")))?;
                return Ok(length.saturating_sub((head.len() - end - 4) as u64));
            }
        }
    }
}

fn length(head: &str) -> Option<u64> {
    let value = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    head.lines().find_map(value)
}

impl FarPath {
    /// Mbit/s of one transfer over `measured`, after `start` in which it came up to speed.
    pub fn transfer_rate(&self, name: &str, start: Duration, measured: Duration) -> Result<f64> {
        self.visitor.run(|| {
            let mut connection = Connection::open()?;
            let from = Instant::now() + start;
            let until = from + measured;
            let bytes = connection.read_until(name, from, &|| Instant::now() >= until)?;
            Ok(bytes as f64 * 8.0 / measured.as_secs_f64() / 1e6)
        })
    }
}

/// Visitors on threads of their own, until dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Vec<Duration>>>>,
}

impl Load {
    /// Visitors who load a large file all the time.
    pub fn of_transfers(namespace: &Namespace, visitors: usize, name: &'static str) -> Result<Self> {
        Self::start(namespace, visitors, move |_, stop| {
            let mut connection = Connection::open()?;
            connection.read_until(name, Instant::now(), &|| stop.load(Relaxed))?;
            Ok(vec![])
        })
    }

    /// Visitors who load a file over a kept connection and pause after it, each for a time of its own.
    pub fn with_pauses(
        namespace: &Namespace,
        visitors: usize,
        name: &'static str,
        pause: impl Fn(usize) -> Duration + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start(namespace, visitors, move |visitor, stop| {
            let (mut connection, mut times) = (Connection::open()?, vec![]);
            while !stop.load(Relaxed) {
                times.push(connection.fetch(name)?);
                std::thread::sleep(pause(visitor));
            }
            Ok(times)
        })
    }

    fn start(
        namespace: &Namespace,
        visitors: usize,
        visit: impl Fn(usize, &AtomicBool) -> Result<Vec<Duration>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let entrance = namespace.entrance().try_clone_to_owned();
        let entrance = Arc::new(entrance.attempt(|| "keep a network namespace open".to_owned())?);
        let (stop, visit) = (Arc::new(AtomicBool::new(false)), Arc::new(visit));
        let threads = (0..visitors).map(|visitor| {
            let (entrance, stop, visit) = (Arc::clone(&entrance), Arc::clone(&stop), Arc::clone(&visit));
            std::thread::spawn(move || {
                enter(&entrance)?;
                visit(visitor, &stop)
            })
        });
        Ok(Self { threads: threads.collect(), stop })
    }

    /// Ends it; returns how long each file took.
    pub fn end(mut self) -> Result<Vec<Duration>> {
        self.join()
    }

    fn join(&mut self) -> Result<Vec<Duration>> {
        self.stop.store(true, Relaxed);
        let joined = self.threads.drain(..).map(JoinHandle::join);
        let each = joined.map(|done| done.map_err(|_| FaultError::new("a visitor panicked"))?);
        Ok(each.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Fails if a visitor could not go on.
    pub fn check(&self) -> Result<()> {
        match self.threads.iter().any(JoinHandle::is_finished) {
            true => Err(FaultError::new("a visitor ended early")),
            false => Ok(()),
        }
    }
}

fn enter(entrance: &OwnedFd) -> Result<()> {
    rustix::thread::move_into_link_name_space(entrance.as_fd(), None)
        .attempt(|| "enter a network namespace".to_owned())
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            report_left_behind(error);
        }
    }
}

/// The middle of several times, in ms.
pub fn median(times: &[Duration]) -> f64 {
    share_below(times, 0.5)
}

/// The time in ms that this share of times stays at or below (nearest rank).
pub fn share_below(times: &[Duration], share: f64) -> f64 {
    let mut sorted: Vec<_> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
