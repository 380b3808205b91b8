//! Whole digests against the reports that pt-query-digest 3.5.7 made of the same logs.
//!
//! `generator/gen_slowlog.py` writes the logs, always the same; `conformance/goldens` holds the reports. Every class, every
//! attribute and every statistic is compared. What may differ, and why, is in CONFORMANCE.md.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

#[path = "goldens/json.rs"]
mod json;
#[path = "goldens/logs.rs"]
mod logs;
#[path = "goldens/text.rs"]
mod text;
