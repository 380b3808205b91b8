//! `narrows prove` on real parts: kernel parameters of a network namespace, commands that read them, a site that has no
//! ports left. As root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

use lab::faults;

#[path = "hands/schema.rs"]
mod schema;

mod prove {
    mod commands;
    mod crashes;
    mod ports;
    pub(super) mod world;
}
