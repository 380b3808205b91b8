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
pub mod figures;
mod foretell;
pub mod glob;
pub mod layers;
pub mod mounts;
mod order;
pub mod reading;
mod remedies;
pub mod samples;
mod steps;
mod watched;
mod wording;

pub mod cgroup;
pub mod composer;
pub mod cpu;
pub mod cron;
pub mod disk;
pub mod irq;
pub mod memory;
pub mod mysql;
pub mod nfs;
pub mod nginx;
pub mod nic;
pub mod opcache;
pub mod php_fpm;
pub mod processes;
pub mod proxysql;
pub mod qdisc;
pub mod quantiles;
pub mod services;
pub mod settings;
pub mod sockets;
pub mod tasks;
pub mod wordpress;

pub use cause::{Cause, Layer, Presence, Refutation, Symptom};
pub use engine::diagnose;
pub use evidence::{Evidence, Reading, Span};
pub use foretell::foretell;
