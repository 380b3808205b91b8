//! Measures the peers, each in its steady state: started, left alone until it runs, then timed by its CPU clock.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::{
    EVERY_MS, NODE_EXPORTER, PEER_SECONDS, PIDSTAT, READINGS, SADC, SOCKET_STATISTICS, clock, world,
};

/// Something that does what narrows does.
pub(super) enum Peer {
    /// It samples once a second by itself.
    Sampler { what: &'static str, program: &'static str, arguments: &'static [&'static str] },
    /// It answers when it is asked over HTTP.
    Exporter,
    /// It answers once and ends.
    Once { what: &'static str, program: &'static str, arguments: &'static [&'static str] },
}

/// The peers that have something to say about a world and are installed.
pub(super) fn all(world: &str) -> Vec<Peer> {
    let sadc =
        Peer::Sampler { what: SADC, program: "/usr/lib/sysstat/sadc", arguments: &["-S", "XALL", "1"] };
    let arguments = &["-u", "-r", "-d", "-w", "-h", "-p", "ALL", "1"];
    let pidstat = Peer::Sampler { what: PIDSTAT, program: "pidstat", arguments };
    let statistics = Peer::Once { what: SOCKET_STATISTICS, program: "ss", arguments: &["-Htian"] };
    let peers = match world {
        "sockets" => vec![Peer::Exporter, sadc, statistics],
        _ => vec![Peer::Exporter, sadc, pidstat],
    };
    peers.into_iter().filter(Peer::is_installed).collect()
}

/// A process that ends when it goes out of scope.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Killed {
    fn start(program: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("could not start {program}"))?))
    }
}

impl Peer {
    fn is_installed(&self) -> bool {
        let (what, program) = match self {
            Self::Sampler { what, program, .. } | Self::Once { what, program, .. } => (*what, *program),
            Self::Exporter => (NODE_EXPORTER, "prometheus-node-exporter"),
        };
        let found = program.starts_with('/') && std::path::Path::new(program).is_file();
        let found = found || crate::run::exists(program);
        if !found {
            world::note(&format!("{what} is not installed"));
        }
        found
    }

    /// Measures one round and tells what it cost.
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        match self {
            Self::Sampler { what, program, arguments } => sampler(what, program, arguments),
            Self::Exporter => exporter(),
            Self::Once { what, program, arguments } => once(what, program, arguments),
        }
    }
}

/// Between two samples the clock is read, so that as many samples are counted as there are seconds.
fn sampler(what: &str, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let peer = Killed::start(program, arguments)?;
    thread::sleep(Duration::from_millis(500));
    let start = clock::cpu_of(&peer.0)?;
    thread::sleep(Duration::from_secs(PEER_SECONDS.into()));
    let took = clock::cpu_of(&peer.0)?.saturating_sub(start);
    world::tell(what, clock::ms(took) / f64::from(PEER_SECONDS), clock::peak_bytes_of(&peer.0));
    Ok(())
}

fn exporter() -> anyhow::Result<()> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let listen = format!("--web.listen-address={address}");
    let peer = Killed::start("prometheus-node-exporter", &[&listen])?;
    let start = Instant::now();
    while scrape(&address).is_err() {
        if start.elapsed() > Duration::from_secs(10) {
            bail!("prometheus-node-exporter does not answer on {address}");
        }
        thread::sleep(Duration::from_millis(20));
    }
    let start = clock::cpu_of(&peer.0)?;
    for _ in 0..READINGS {
        thread::sleep(Duration::from_millis(EVERY_MS));
        scrape(&address)?;
    }
    let took = clock::cpu_of(&peer.0)?.saturating_sub(start);
    world::tell(NODE_EXPORTER, clock::ms(took) / f64::from(READINGS), clock::peak_bytes_of(&peer.0));
    Ok(())
}

fn scrape(address: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200 ") || answer.len() < 10_000 {
        bail!("prometheus-node-exporter answered with {} bytes", answer.len());
    }
    Ok(())
}

fn once(what: &str, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().with_context(|| format!("could not start {program}"))?;
    let used = clock::wait(&child)?;
    world::tell(what, clock::ms(used.cpu), Some(used.peak_bytes));
    Ok(())
}
