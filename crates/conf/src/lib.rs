//! Lossless configuration documents, read with file, line and span.
//!
//! Everything here is pure and works on bytes that someone else read: no function opens a file. A document
//! keeps the exact bytes it was given. An edit names what to change, and touches only the span of that thing.

mod document;
mod fstab;
mod fstab_edit;
mod sysctl_d;
mod sysctl_key;
mod sysctl_order;

pub use document::{Document, DocumentError, Line, LineEnding, Span};
pub use fstab::{
    MountDevice, MountEntry, MountOption, MountTable, MountTableDialect, MountTableProblem,
    MountTableProblemReason, parse_mountstats_device, unescape_octal,
};
pub use fstab_edit::FstabEditError;
pub use sysctl_d::{SysctlDocument, SysctlEditError, SysctlEntry, SysctlEntryKind, UnreadLine, UnreadReason};
pub use sysctl_key::SysctlKey;
pub use sysctl_order::{
    Effective, IgnoredFile, IgnoredReason, Overridden, SysctlFile, SysctlOrder, order_sysctls,
};
