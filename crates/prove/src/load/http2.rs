//! HTTP/2: many requests at once on a connection.

use std::error::Error;
use std::rc::Rc;

use h2::Reason;
use hyper::Request;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::TokioExecutor;
use tokio::sync::Mutex;

use super::connect::Connector;
use super::failure::Failure;
use super::http1::read;
use super::origin::{Body, Prepared};
use super::tally::Answer;

/// Streams on one connection. RFC 9113, section 6.5.2, advises servers to allow no fewer; Nginx allows 128.
pub(super) const STREAMS: usize = 100;
/// How often a request is sent again that the server says it has not touched.
const REPEATS: u32 = 3;

/// A connection that up to [`STREAMS`] requests share, opened when one needs it.
pub(super) struct Trunk {
    connector: Rc<Connector>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    sender: Option<SendRequest<Body>>,
    /// How many connections were opened here, which tells one from the next.
    number: u64,
}

/// One stream's place on a connection.
pub(super) struct Http2 {
    trunk: Rc<Trunk>,
    /// Whether the request at hand waits for its connection to come about.
    pub(super) is_connecting: bool,
}

impl Trunk {
    pub(super) fn new(connector: Rc<Connector>) -> Self {
        Self { connector, held: Mutex::default() }
    }

    /// The connection and its number.
    async fn sender(&self) -> Result<(SendRequest<Body>, u64), Failure> {
        let mut held = self.held.lock().await;
        if let Some(sender) = held.sender.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((sender.clone(), held.number));
        }
        let io = self.connector.connect().await?;
        let shaken = Builder::new(TokioExecutor::new()).handshake(io).await;
        let (sender, driver) = shaken.map_err(|error| Failure::of_exchange(&error))?;
        // What ends a connection is told to the requests on it.
        tokio::task::spawn_local(async move { drop(driver.await) });
        *held = Held { sender: Some(sender.clone()), number: held.number + 1 };
        Ok((sender, held.number))
    }

    /// Sends no more on a connection that takes no more.
    async fn retire(&self, number: u64) {
        let mut held = self.held.lock().await;
        if held.number == number {
            held.sender = None;
        }
    }
}

impl Http2 {
    pub(super) fn new(trunk: Rc<Trunk>) -> Self {
        Self { trunk, is_connecting: false }
    }

    /// Sends a request and reads the whole answer; once more where the server says that it has not touched it, as it
    /// does before it closes a connection (RFC 9113, section 8.7).
    pub(super) async fn exchange(&mut self, prepared: &Prepared) -> Result<Answer, Failure> {
        let mut repeats = 0;
        loop {
            self.is_connecting = true;
            let (mut sender, number) = self.trunk.sender().await?;
            self.is_connecting = false;
            let error = match exchange(&mut sender, prepared.request()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if repeats == REPEATS || !is_untouched(&error) {
                return Err(Failure::of_exchange(&error));
            }
            self.trunk.retire(number).await;
            repeats += 1;
        }
    }
}

async fn exchange(sender: &mut SendRequest<Body>, request: Request<Body>) -> Result<Answer, hyper::Error> {
    sender.ready().await?;
    read(sender.send_request(request).await?).await
}

/// Whether the server certainly did nothing with the request.
fn is_untouched(error: &hyper::Error) -> bool {
    let reason = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    error.is_canceled()
        || error.is_closed()
        || reason.is_some_and(|error| {
            error.reason() == Some(Reason::REFUSED_STREAM)
                || (error.is_go_away() && error.reason() == Some(Reason::NO_ERROR))
        })
}
