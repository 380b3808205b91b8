//! The layers of the stack: how each is read, its limits, its symptoms and its causes.
//!
//! Reading turns a [`host::Host`] into [`Evidence`]; [`diagnose`] turns evidence into a [`model::report::Report`] and
//! touches nothing: the same evidence gives the same report, on any machine, at any later time.

pub mod bundle;
pub mod cause;
pub mod collect;
pub mod document;
mod engine;
pub mod evidence;
pub mod layers;
pub mod reading;
mod remedies;
pub mod samples;
mod watched;
mod wording;

pub mod cgroup;
pub mod cpu;
pub mod disk;
pub mod irq;
pub mod memory;
pub mod nfs;
pub mod nic;
pub mod qdisc;
pub mod settings;
pub mod sockets;
pub mod tasks;

pub use cause::{Cause, Layer, Presence, Refutation, Symptom};
pub use engine::diagnose;
pub use evidence::{Evidence, Reading, Span};
