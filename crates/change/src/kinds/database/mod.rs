//! Global variables and statements of database servers.
//!
//! Each step has a connection of its own, so that a server that was started anew meanwhile, or that a dead man finds
//! again, is no special case. What a process that was killed left running on the server is ended before an undo looks at
//! anything: every connection that writes holds a lock of the server by the target's name until it ends.

mod access;
mod holders;
mod rounding;
mod session;
mod statement;
mod variable;

pub use access::{Access, Databases};
pub use statement::SqlStatement;
pub use variable::SqlVariable;
pub(crate) use variable::{is_option, said_in as variable_said_in};
