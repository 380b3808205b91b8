//! The queueing mathematics behind every capacity number: pure functions of measured rates and times.
//!
//! Times are seconds, rates are per second, counts are integers where the thing counted is whole.
//!
//! **Invalid input is `None`, everywhere.** A time, rate or level that is negative, infinite or not a number, a
//! station without servers, or a result too large for an `f64` has no answer, and neither has a question without one
//! (the wait of an overloaded queue, the saturation point of an idle station). Functions that can return `None` for
//! a second reason say which. Zero is a valid rate and a valid time: an idle station is a fact, not an error.
//!
//! | Module | Answers | Source |
//! |---|---|---|
//! | [`utilization`] | how busy a station is; Little's law | Little 1961; Lazowska et al. 1984, ch. 3 |
//! | [`erlang`] | waiting and loss with Poisson arrivals and `c` servers | Erlang 1917; Kleinrock 1975, ch. 3 |
//! | [`finite`] | the same with a bounded queue | Kleinrock 1975, ch. 3 |
//! | [`drain`] | how long a batch takes, how deep a queue should be | counting arguments, stated with each function |
//! | [`bounds`] | what a chain of stations can deliver at most, and at least | Lazowska et al. 1984, ch. 5 |
//! | [`ports`] | outgoing connection rate that ephemeral ports sustain | the Linux TCP source; Little 1961 |
//!
//! Full references: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in
//! automatic telephone exchanges", 1917. J. D. C. Little, "A proof for the queuing formula: L = λW", Operations
//! Research 9(3), 1961. L. Kleinrock, *Queueing Systems, Volume 1: Theory*, 1975. E. D. Lazowska, J. Zahorjan,
//! G. S. Graham, K. C. Sevcik, *Quantitative System Performance*, 1984.

pub mod bounds;
pub mod drain;
pub mod erlang;
pub mod finite;
pub mod ports;
pub mod utilization;

mod input;

pub use bounds::{Center, ClosedNetwork};
pub use drain::BurstBacklog;
pub use erlang::MultiServerQueue;
pub use finite::FiniteQueue;
pub use ports::PortHold;

/// The largest number of servers or places for which a model is solved; more is `None`.
///
/// The solvers walk the states one by one. Four million is beyond any real backlog (the kernel's `somaxconn` is
/// sometimes set to 1 048 576), and an optimized build still solves it in about a tenth of a second.
pub const MAX_STATES: u32 = 1 << 22;
