//! Changes of databases, on Debian's MariaDB.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests fail by panic")]

#[path = "databases/failures.rs"]
mod failures;
#[path = "databases/proxysql.rs"]
mod proxysql;
#[path = "databases/site.rs"]
mod site;
#[path = "databases/statements.rs"]
mod statements;
#[path = "databases/variables.rs"]
mod variables;
