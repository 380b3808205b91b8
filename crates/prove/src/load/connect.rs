//! Connections: TCP, and TLS on it.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::Failure;

/// A connection, with or without TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection as hyper wants it.
pub(super) type Io = TokioIo<Box<dyn Wire>>;

/// What TLS needs.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<rustls::ClientConfig>,
    pub(super) name: ServerName<'static>,
    /// Whether a server that does not choose HTTP/2 by ALPN is refused.
    pub(super) only_http2: bool,
}

/// Opens connections to one server.
#[derive(Debug)]
pub(super) struct Connector {
    addresses: Vec<SocketAddr>,
    /// The address that took the latest connection, tried first.
    preferred: Cell<usize>,
    tls: Option<Tls>,
    opened: Cell<u64>,
}

impl Connector {
    pub(super) fn new(addresses: Vec<SocketAddr>, tls: Option<Tls>) -> Self {
        Self { addresses, preferred: Cell::new(0), tls, opened: Cell::new(0) }
    }

    /// How many connections came about.
    pub(super) fn opened(&self) -> u64 {
        self.opened.get()
    }

    /// Opens one; of several addresses, the first that takes it.
    pub(super) async fn connect(&self) -> Result<Io, Failure> {
        let stream = self.tcp().await.map_err(|error| Failure::of_connect(&error))?;
        self.opened.set(self.opened.get() + 1);
        let Some(tls) = &self.tls else { return Ok(TokioIo::new(Box::new(stream))) };
        let stream = TlsConnector::from(tls.config.clone())
            .connect(tls.name.clone(), stream)
            .await
            .map_err(|error| Failure::of_connect(&error))?;
        if tls.only_http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Failure::NO_HTTP2);
        }
        Ok(TokioIo::new(Box::new(stream)))
    }

    async fn tcp(&self) -> io::Result<TcpStream> {
        let first = self.preferred.get();
        let mut refused = None;
        for offset in 0..self.addresses.len() {
            let index = (first + offset) % self.addresses.len();
            match TcpStream::connect(self.addresses[index]).await {
                Ok(stream) => {
                    self.preferred.set(index);
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable)))
    }
}
