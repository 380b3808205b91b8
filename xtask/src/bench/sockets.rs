//! Holds many TCP sockets open in a network namespace of their own.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the program that holds sockets is told on its command line.
pub(super) const HOLDER: &str = "holder";
/// Sockets that one process holds, below the usual hard limit of open files.
const EACH: usize = 10_000;

/// Processes that hold sockets until they are dropped.
pub(super) struct Held(Vec<Child>);

impl Drop for Held {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Held {
    /// How many there are, for a person.
    pub(super) fn shown(&self) -> String {
        format!(", {} connected TCP sockets", EACH * self.0.len())
    }
}

/// Starts as many holders as it takes and waits until they hold their sockets.
pub(super) fn hold(sockets: usize) -> anyhow::Result<Held> {
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    if !status.context("could not start ip")?.success() {
        bail!("the loopback interface of the namespace could not be set up");
    }
    let mut held = Held(vec![]);
    while held.0.len() * EACH < sockets {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "--inside", "--world", HOLDER]).stdin(Stdio::null()).stdout(Stdio::piped());
        held.0.push(command.spawn().context("could not start a holder of sockets")?);
    }
    for child in &mut held.0 {
        let output = child.stdout.take().context("a holder of sockets has no output")?;
        if BufReader::new(output).lines().next().is_none() {
            bail!("a holder could not hold its sockets");
        }
    }
    Ok(held)
}

/// Connects half as many times as sockets are to be held, keeps both ends, says so, and sleeps.
pub(super) fn hold_here() -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })
        .context("could not raise the limit of open files")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let connect = |_| -> anyhow::Result<_> {
        let near = TcpStream::connect(address).context("could not connect")?;
        Ok((near, listener.accept().context("could not accept")?.0))
    };
    let _held = (0..EACH / 2).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    println!("held");
    loop {
        std::thread::park();
    }
}
