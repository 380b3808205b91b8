//! The nouns of narrows and the queueing mathematics. No input or output happens here.

pub mod change;
pub mod counter;
pub mod edit;
pub mod observation;
pub mod outcome;
pub mod queueing;
pub mod report;
pub mod station;
pub mod unread;

pub use change::{Change, ChangeKind, Derived, Input, Remedy};
pub use edit::{DirectiveEdit, Edit, Presence};
pub use observation::{Observation, Value};
pub use outcome::{Missing, Outcome, Severity, Verdict};
pub use station::Station;
pub use unread::{Layered, Unread};
