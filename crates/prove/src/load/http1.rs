//! HTTP/1.1: one request at a time on a connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::{Request, Response};

use super::connect::{Connector, Io};
use super::failure::Failure;
use super::origin::{Body, Prepared};
use super::tally::Answer;

/// One place for a connection, which is opened when a request needs it.
pub(super) struct Http1 {
    connector: Rc<Connector>,
    keep_alive: bool,
    link: Option<Link>,
    /// Whether the request at hand waits for its connection to come about.
    pub(super) is_connecting: bool,
}

/// A connection. It is driven by whoever waits on it: a task of its own would cost two wake-ups for each request.
struct Link {
    sender: SendRequest<Body>,
    driver: Option<Pin<Box<Connection<Io, Body>>>>,
}

impl Http1 {
    pub(super) fn new(connector: Rc<Connector>, keep_alive: bool) -> Self {
        Self { connector, keep_alive, link: None, is_connecting: false }
    }

    /// Closes the connection, with whatever is under way on it.
    pub(super) fn close(&mut self) {
        self.link = None;
    }

    /// Sends a request and reads the whole answer.
    ///
    /// A server may close a kept connection at any time, also while a request is on its way to it. As browsers do, such
    /// a request is sent once more on a fresh connection where that is safe (RFC 9112, section 9.3.1); its time runs on.
    pub(super) async fn exchange(&mut self, prepared: &Prepared) -> Result<Answer, Failure> {
        loop {
            let was_used = self.open().await?;
            let Some(link) = &mut self.link else { continue };
            match link.exchange(prepared.request()).await {
                Ok(answer) => {
                    if !self.keep_alive {
                        self.close();
                    }
                    return Ok(answer);
                }
                Err(error) => {
                    self.close();
                    let repeats = error.is_canceled() || (prepared.is_idempotent() && is_closed(&error));
                    if !(was_used && repeats) {
                        return Err(Failure::of_exchange(&error));
                    }
                }
            }
        }
    }

    /// Waits while nothing is to be sent, and notices when the server closes.
    pub(super) fn poll_idle(&mut self, context: &mut Context<'_>) {
        if let Some(link) = &mut self.link {
            link.poll_driver(context);
            if link.sender.is_closed() {
                self.link = None;
            }
        }
    }

    /// Makes sure of a connection that takes a request; says whether it was used before.
    async fn open(&mut self) -> Result<bool, Failure> {
        if let Some(link) = &mut self.link {
            if link.ready().await {
                return Ok(true);
            }
            self.link = None;
        }
        self.is_connecting = true;
        let io = self.connector.connect().await?;
        let (sender, driver) = handshake(io).await.map_err(|error| Failure::of_exchange(&error))?;
        self.is_connecting = false;
        self.link = Some(Link { sender, driver: Some(Box::pin(driver)) });
        Ok(false)
    }
}

impl Link {
    async fn ready(&mut self) -> bool {
        if self.sender.is_ready() {
            return true;
        }
        let Self { sender, driver } = self;
        drive(driver, sender.ready()).await.is_ok()
    }

    async fn exchange(&mut self, request: Request<Body>) -> Result<Answer, hyper::Error> {
        let Self { sender, driver } = self;
        let sent = sender.send_request(request);
        drive(driver, async { read(sent.await?).await }).await
    }

    fn poll_driver(&mut self, context: &mut Context<'_>) {
        poll(&mut self.driver, context);
    }
}

/// Reads an answer to its end.
pub(super) async fn read(response: Response<Incoming>) -> Result<Answer, hyper::Error> {
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut body_bytes = 0;
    while let Some(frame) = body.frame().await {
        body_bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(Answer { status, body_bytes })
}

/// Waits for `work` and drives the connection that it depends on.
async fn drive<T>(driver: &mut Option<Pin<Box<Connection<Io, Body>>>>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        poll(driver, context);
        work.as_mut().poll(context)
    })
    .await
}

fn poll(driver: &mut Option<Pin<Box<Connection<Io, Body>>>>, context: &mut Context<'_>) {
    // What ends a connection is told to the request on it.
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(context).is_ready()) {
        *driver = None;
    }
}

/// Whether the server closed the connection before any answer.
fn is_closed(error: &hyper::Error) -> bool {
    let failure = Failure::of_exchange(error);
    error.is_incomplete_message() || failure.0 == "connection reset"
}
