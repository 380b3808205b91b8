//! A server whose capacity is known: workers that wait in accept(2), each serving one connection at a time for a stated time.
//!
//! `lab serve` is its program. The workers are processes, forked before the first connection, as those of PHP-FPM are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
use rustix::process::{Pid, Signal, WaitOptions, getppid, set_parent_process_death_signal, waitpid};
use tempfile::TempDir;

use super::stat::file_name;
use crate::faults::netns::Namespace;
use crate::faults::{Attempt, FaultError, Result, kernel};
use crate::services::{self, Service};

/// What the server is to be.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where it listens
    #[arg(long)]
    pub listen: SocketAddr,
    /// How many processes serve
    #[arg(long, default_value_t = 8)]
    pub workers: u32,
    /// How long each request takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub service_ms: u64,
    /// What it asks listen(2) for
    #[arg(long, default_value_t = 511)]
    pub backlog: i32,
    /// How long no worker accepts, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub pause_ms: u64,
    /// How often that is, in milliseconds
    #[arg(long, default_value_t = 2000)]
    pub every_ms: u64,
    /// Have each request look at so many files of this folder, one after another
    #[arg(long, requires = "files")]
    pub folder: Option<PathBuf>,
    /// How many
    #[arg(long, default_value_t = 0)]
    pub files: usize,
    /// Leave it to the client to close, which then holds the port for a minute
    #[arg(long)]
    pub client_closes: bool,
}

/// How long a worker waits for a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until killed.
pub fn serve(what: &Serve) -> Result<()> {
    let listener = open(what).attempt(|| format!("listen at {}", what.listen))?;
    let parent = rustix::process::getpid();
    for _ in 0..what.workers {
        // SAFETY: this process has one thread, so that its child may run anything.
        match unsafe { libc::fork() } {
            -1 => return Err(std::io::Error::last_os_error()).attempt(|| "fork a worker".to_owned()),
            0 => return work(what, &listener, parent),
            _ => {}
        }
    }
    match waitpid(None, WaitOptions::empty()) {
        Ok(ended) => Err(FaultError::new(format!("a worker ended: {ended:?}"))),
        Err(errno) => Err(errno).attempt(|| "wait for workers".to_owned()),
    }
}

fn open(what: &Serve) -> rustix::io::Result<TcpListener> {
    let family = if what.listen.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &what.listen)?;
    listen(&socket, what.backlog)?;
    Ok(socket.into())
}

fn work(what: &Serve, listener: &TcpListener, parent: Pid) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).attempt(|| "bind a worker's life".to_owned())?;
    if getppid() != Some(parent) {
        return Ok(());
    }
    let begun = Instant::now();
    loop {
        let (connection, _) = listener.accept().attempt(|| "accept".to_owned())?;
        stay_away(what, begun.elapsed());
        // A client that went away is its own loss.
        let _ = answer(what, connection);
        stay_away(what, begun.elapsed());
    }
}

/// Sleeps to the end of the pause, where it is one: the first part of each turn.
fn stay_away(what: &Serve, running: Duration) {
    let pause = Duration::from_millis(what.pause_ms);
    let turn = Duration::from_millis(what.every_ms.max(1));
    let into = Duration::from_nanos((running.as_nanos() % turn.as_nanos()).try_into().unwrap_or(0));
    std::thread::sleep(pause.saturating_sub(into));
}

fn answer(what: &Serve, mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut head = [0_u8; 4096];
    let mut length = 0;
    while !head.get(..length).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
        let free = head.get_mut(length..).filter(|free| !free.is_empty());
        let read = connection.read(free.ok_or(std::io::ErrorKind::InvalidData)?)?;
        if read == 0 {
            return Ok(());
        }
        length += read;
    }
    std::thread::sleep(Duration::from_millis(what.service_ms));
    for path in
        what.folder.iter().flat_map(|folder| (0..what.files).map(|index| folder.join(file_name(index))))
    {
        std::fs::metadata(path)?;
    }
    if what.client_closes {
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")?;
        while connection.read(&mut head)? > 0 {}
        return Ok(());
    }
    connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
}

/// The server as a program of its own.
pub struct Server {
    _service: Service,
    _folder: TempDir,
}

/// Starts the server in a namespace, and waits until it listens.
pub fn start(namespace: &Namespace, options: &[&str]) -> Result<Server> {
    let folder = services::folder()?;
    let program = program()?.display().to_string();
    let words = [&[program.as_str(), "serve"], options].concat();
    let mut service = Service::start("server", namespace, &words, folder.path())?;
    // Looked up rather than tried, which would be one more connection in what narrows is shown.
    let sockets = format!("/proc/{}/net/tcp", service.pid());
    let listens = |line: &str| line.split_whitespace().nth(3) == Some("0A");
    service.wait_until_ready(|| kernel::read(&sockets).is_ok_and(|text| text.lines().any(listens)))?;
    Ok(Server { _service: service, _folder: folder })
}

/// The program of the lab: the one that runs, or beside a test.
fn program() -> Result<PathBuf> {
    let this = std::env::current_exe().attempt(|| "find the running program".to_owned())?;
    let places = this.ancestors().skip(1).take(2).map(|folder| folder.join("lab"));
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| FaultError::new("there is no lab beside this program: cargo build -p lab"))
}
