//! Measures what a change does, so that nobody has to believe it.
//!
//! [`load`] offers requests at a stated rate whatever the server does (an open loop) and counts latency from the instant
//! at which each request was *due*, so that a stall of the server is not hidden by a generator that waited for it.
//! The arrival schedule, the protocol and what is done with the figures are separate things.
//! [`knee`] finds the rate up to which a stack carries what is offered.
//!
//! [`command`] measures a command instead. [`trial`] measures either in blocks, with and without a change in turn, and
//! [`statistics`] says what few blocks can show.
#![allow(
    clippy::disallowed_methods,
    reason = "a measurement runs commands and reads access logs that the user names"
)]

pub mod command;
pub mod interrupt;
pub mod knee;
pub mod load;
pub mod replay;
pub mod statistics;
pub mod trial;
