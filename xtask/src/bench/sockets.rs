//! Holds many TCP sockets open in a network namespace of their own.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Sockets that stay open for as long as it lives.
pub(super) struct Held {
    connections: Vec<(TcpStream, TcpStream)>,
    _listener: TcpListener,
}

impl Held {
    /// How many there are, for a person.
    pub(super) fn shown(&self) -> String {
        format!(", {} connected TCP sockets", 2 * self.connections.len())
    }
}

/// Connects half as many times as sockets are wanted: each connection has both its ends here.
pub(super) fn hold(sockets: usize) -> anyhow::Result<Held> {
    let most = Some(sockets as u64 + 1000);
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })
        .context("could not raise the limit of open files")?;
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    if !status.context("could not start ip")?.success() {
        bail!("the loopback interface of the namespace could not be set up");
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let connect = |_| -> anyhow::Result<_> {
        let near = TcpStream::connect(address).context("could not connect")?;
        Ok((near, listener.accept().context("could not accept")?.0))
    };
    let connections = (0..sockets / 2).map(connect).collect::<anyhow::Result<_>>()?;
    Ok(Held { connections, _listener: listener })
}
