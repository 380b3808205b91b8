//! The client of MariaDB, MySQL and of ProxySQL's administration port.
//!
//! Statements go over the text protocol, which is all that ProxySQL's administration speaks. Every connection has a deadline.
//! A password comes from an option file or the environment, stays in [`Login`], and is never printed.
#![allow(clippy::disallowed_methods, reason = "reads the option files that hold credentials")]

mod administration;
mod connection;
mod error;
mod login;
mod logins;
mod options;
mod table;

pub use connection::Connection;
pub use error::DatabaseError;
pub use login::{Address, Login, Tls, TlsMode};
pub use logins::Logins;
pub use options::Sources;
pub use table::Table;
