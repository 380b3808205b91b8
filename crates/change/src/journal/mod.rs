//! The journal: what every transaction found, wanted and wrote, on disk before the first byte of the host changes.
//!
//! SQLite in WAL mode with `synchronous=FULL`: a commit has reached the disk when it returns (sqlite.org/pragma.html).
//! Whatever instant the process, or the machine, dies at, the journal holds the original of everything that was or may
//! have been written. Beside it lie byte copies and a script, so that a person can restore without narrows.

mod copies;
mod directory;
mod lock;
mod record;
mod store;

pub use lock::Lock;
pub use record::{Status, Step, Transaction, no_such};
pub use store::{Journal, NewTransaction};
