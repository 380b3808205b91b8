//! Faults made real, and what narrows does about them.
//!
//! [`faults`] makes single faults of the kernel on this machine, for tests. [`scenarios`] are whole incidents of real
//! components, each with a healthy twin, held against the `narrows` program as a user runs it; `cargo xtask lab` runs them
//! and prints the [`scoreboard`].
#![allow(
    clippy::disallowed_methods,
    reason = "faults are made with the system's own programs and proved from the kernel's own files"
)]

pub mod caller;
pub mod demo;
mod empty_folders;
pub mod far_path;
pub mod faults;
pub mod guest;
pub mod http_burst;
pub mod inside;
pub mod machine;
pub mod meeting;
pub mod narrows;
pub mod parts;
pub mod scenario;
pub mod scenarios;
pub mod score;
pub mod scoreboard;
pub mod services;
pub mod shop;
pub mod site;
