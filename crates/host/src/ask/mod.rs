//! Questions to running services, answered live: one file a protocol. Every answer is bounded in time and in bytes.

mod fastcgi;
mod opcache;
pub(crate) mod sql;
mod stub_status;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::{HostError, Question};

/// How long a service may take, from the first try to connect to the last byte.
const DEADLINE: Duration = Duration::from_millis(300);
/// The most that is read of an answer.
const MOST_BYTES: usize = 4 << 20;

/// Asks a service of this machine.
pub(crate) fn ask(question: &Question, databases: &sql::Databases) -> Result<Vec<u8>, HostError> {
    match question {
        Question::StubStatus { address, server, path } => stub_status::ask(address, server, path),
        Question::FpmStatus { address, path } => fastcgi::status(address, path),
        Question::OpcacheStatus { address } => opcache::ask(address),
        Question::Sql { server, name, statement } => databases.ask(server, name, statement),
    }
}

/// A connection to a service, with one deadline for all that is said on it.
pub(crate) struct Connection {
    stream: Stream,
    address: String,
    until: Instant,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    /// Connects to `ADDRESS:PORT` or to a path. A Unix socket whose queue is full refuses at once or is given up.
    pub(crate) fn open(address: &str) -> Result<Self, HostError> {
        let until = Instant::now() + DEADLINE;
        let failed = |error: std::io::Error| failed(address, &error);
        let stream = if address.starts_with('/') {
            Stream::Unix(unix(address).map_err(|error| match error.kind() {
                std::io::ErrorKind::WouldBlock => queue_full(address),
                _ => failed(error),
            })?)
        } else {
            let to: SocketAddr = address.parse().map_err(|_| HostError::Unsupported {
                path: address.to_owned(),
                reason: "it is neither a path nor an address with a port".to_owned(),
            })?;
            Stream::Tcp(TcpStream::connect_timeout(&to, DEADLINE).map_err(failed)?)
        };
        Ok(Self { stream, address: address.to_owned(), until })
    }

    /// Sends all of it.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let left = self.left()?;
        let sent = match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_write_timeout(Some(left)).and_then(|()| stream.write_all(bytes))
            }
            Stream::Unix(stream) => {
                stream.set_write_timeout(Some(left)).and_then(|()| stream.write_all(bytes))
            }
        };
        sent.map_err(|error| failed(&self.address, &error))
    }

    /// Reads until the service closes the connection, or until what was read is enough.
    pub(crate) fn receive(&mut self, enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, HostError> {
        let mut answer = Vec::new();
        let mut buffer = [0; 8 << 10];
        loop {
            let left = self.left()?;
            let read = match &mut self.stream {
                Stream::Tcp(stream) => {
                    stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut buffer))
                }
                Stream::Unix(stream) => {
                    stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut buffer))
                }
            };
            match read {
                Ok(0) => return Ok(answer),
                Ok(length) => answer.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&self.address, &error)),
            }
            if answer.len() >= MOST_BYTES || enough(&answer) {
                return Ok(answer);
            }
        }
    }

    fn left(&self) -> Result<Duration, HostError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(timed_out(&self.address)) } else { Ok(left) }
    }
}

/// A Unix socket, connected without waiting for a place in a full queue (unix_stream_connect: EAGAIN if non-blocking).
fn unix(path: &str) -> std::io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn failed(address: &str, error: &std::io::Error) -> HostError {
    match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => timed_out(address),
        _ => HostError::from_io(address, error),
    }
}

fn queue_full(address: &str) -> HostError {
    HostError::Io { path: address.to_owned(), reason: "its listen queue is full".to_owned() }
}

fn timed_out(address: &str) -> HostError {
    let limit_ms = u64::try_from(DEADLINE.as_millis()).unwrap_or(u64::MAX);
    HostError::TimedOut { path: address.to_owned(), limit_ms }
}
