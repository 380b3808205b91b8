//! Advice on a real MariaDB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod autoload;
mod random;
mod shop;
mod spatial;
mod trial;
mod typed_table;
