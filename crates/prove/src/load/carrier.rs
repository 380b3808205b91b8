//! What carries the requests of one worker.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Context;

use super::Protocol;
use super::connect::Connector;
use super::failure::Failure;
use super::http1::Http1;
use super::http2::{Http2, STREAMS, Trunk};
use super::origin::Prepared;
use super::tally::Answer;

/// One request at a time, over either protocol.
pub(super) enum Carrier {
    Http1(Http1),
    Http2(Http2),
}

/// Makes carriers.
pub(super) struct Carriers {
    pub(super) connector: Rc<Connector>,
    pub(super) protocol: Protocol,
    pub(super) keep_alive: bool,
    trunks: RefCell<Vec<Rc<Trunk>>>,
}

impl Carriers {
    pub(super) fn new(connector: Connector, protocol: Protocol, keep_alive: bool) -> Self {
        Self { connector: Rc::new(connector), protocol, keep_alive, trunks: RefCell::default() }
    }

    /// How many there may be on so many connections.
    pub(super) fn most(&self, connections: usize) -> usize {
        match self.protocol {
            Protocol::Http1 => connections,
            Protocol::Http2 => connections.saturating_mul(STREAMS),
        }
    }

    /// The carrier `index`; those of HTTP/2 share connections.
    pub(super) fn make(&self, index: usize) -> Carrier {
        match self.protocol {
            Protocol::Http1 => Carrier::Http1(Http1::new(self.connector.clone(), self.keep_alive)),
            Protocol::Http2 => {
                let mut trunks = self.trunks.borrow_mut();
                while trunks.len() <= index / STREAMS {
                    trunks.push(Rc::new(Trunk::new(self.connector.clone())));
                }
                Carrier::Http2(Http2::new(trunks[index / STREAMS].clone()))
            }
        }
    }
}

impl Carrier {
    /// Sends a request and reads the whole answer.
    pub(super) async fn exchange(&mut self, prepared: &Prepared) -> Result<Answer, Failure> {
        match self {
            Self::Http1(carrier) => carrier.exchange(prepared).await,
            Self::Http2(carrier) => carrier.exchange(prepared).await,
        }
    }

    /// Ends an exchange that took too long; its stream of HTTP/2 was reset when its future was dropped.
    pub(super) fn give_up(&mut self) -> Failure {
        let is_connecting = match self {
            Self::Http1(carrier) => {
                carrier.close();
                carrier.is_connecting
            }
            Self::Http2(carrier) => carrier.is_connecting,
        };
        if is_connecting { Failure::CONNECT_TIMED_OUT } else { Failure::TIMED_OUT }
    }

    /// Waits while nothing is to be sent, and notices when the server closes.
    pub(super) fn poll_idle(&mut self, context: &mut Context<'_>) {
        if let Self::Http1(carrier) = self {
            carrier.poll_idle(context);
        }
    }
}
