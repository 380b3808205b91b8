//! Advice is tried before it is given.
//!
//! A [`Trial`] holds two copies of the tables that the queries use, side by side: one stays as it is, the other takes the
//! advice. Queries run on both in turn, so that a busy machine slows both alike.
//!
//! The source is only read: `SELECT` and `SHOW` in read-only transactions, in chunks, each with a deadline. Whatever
//! changes anything is sent to the copies alone, on a throw-away server, or in schemas of the trial's own whose names
//! begin with `narrows_trial_`; see `permit` for what a statement may say there.
#![allow(clippy::disallowed_methods, reason = "starts and removes its own throw-away server")]

mod compare;
mod copy;
mod error;
mod judge;
mod leftover;
mod literal;
mod measure;
mod permit;
mod ranges;
mod runs;
mod scratch;
mod server;
mod settings;
mod source;
mod state;
mod stop;
mod tokens;
mod work;

pub use error::TrialError;
pub use leftover::{Leftover, leftovers};
pub use settings::{Limits, Link, Place, Sample};
pub use stop::Stop;
pub use work::Trial;
