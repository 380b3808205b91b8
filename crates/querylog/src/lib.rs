//! Digests logs of queries of MySQL, MariaDB and Percona Server.
//!
//! Bytes go in, in chunks; a [`Digest`] comes out: queries grouped into classes by their fingerprint, with exact counts and
//! sums and quantiles of stated error. Digests merge, exactly, whatever order and machine they come from.

mod class_id;
mod distill;
pub mod fingerprint;
mod tables;

pub use class_id::ClassId;
pub use distill::distill;
pub use fingerprint::{Rules, fingerprint};
pub use tables::{Table, tables};
