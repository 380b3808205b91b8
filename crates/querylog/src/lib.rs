//! Digests logs of queries of MySQL, MariaDB and Percona Server.
//!
//! Bytes go in, in chunks; a [`Digest`] comes out: queries grouped into classes by their fingerprint, with exact counts and
//! sums and quantiles of stated error. Digests merge, exactly, whatever order and machine they come from.

pub mod attribute;
pub mod class;
mod class_id;
pub mod digest;
mod distill;
pub mod event;
pub mod filter;
pub mod fingerprint;
mod format;
mod general;
pub mod histogram;
mod ingest;
mod key;
pub mod live;
pub mod metric;
pub mod problem;
mod redact;
pub mod report;
pub mod saved;
pub mod select;
mod settings;
mod slow;
pub mod source;
mod statements;
mod tables;
pub mod texts;
pub mod time;

pub use attribute::{Attribute, Unit};
pub use class::{Class, Sample};
pub use class_id::ClassId;
pub use digest::{Digest, File};
pub use distill::distill;
pub use event::{Command, Event, Value};
pub use filter::{Filter, FilterError, Moment, Within};
pub use fingerprint::{Rules, fingerprint};
pub use format::Format;
pub use ingest::{Feed, Ingest};
pub use metric::{Flag, Metric, Spread};
pub use problem::{Problem, Problems};
pub use redact::redact;
pub use select::{All, Basic, Select};
pub use settings::Settings;
pub use source::{Follow, SourceError, Start};
pub use statements::statements;
pub use tables::{Table, tables};
pub use texts::Texts;
pub use time::Time;
