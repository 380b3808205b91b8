//! Lossless configuration documents, read with file, line and span.
//!
//! Everything here is pure and works on bytes that someone else read: no function opens a file. A document
//! keeps the exact bytes it was given. An edit names what to change, and touches only the span of that thing.

mod document;
mod edit_error;
mod fstab;
mod fstab_edit;
mod glob;
mod haproxy;
mod haproxy_edit;
mod libconfig;
mod nginx;
mod nginx_block_edit;
mod nginx_edit;
mod nginx_lexer;
mod nginx_place;
mod option_file;
mod option_files;
mod php_constant;
mod php_constants;
mod php_constants_edit;
mod php_declarations;
#[cfg(test)]
mod php_declarations_tests;
mod php_ini;
mod php_names;
mod settings;
mod settings_place;
mod sysctl_d;
mod sysctl_edit;
mod sysctl_key;
mod sysctl_order;
mod systemd_unit;

pub use document::{Document, DocumentError, Line, LineEnding, Span};
pub use edit_error::{EditError, Problem};
pub use fstab::{
    MountDevice, MountEntry, MountOption, MountTable, MountTableDialect, MountTableProblem,
    MountTableProblemReason, parse_mountstats_device, unescape_octal,
};
pub use fstab_edit::FstabEditError;
pub use glob::{is_pattern, name_fits};
pub use haproxy::HaproxyDocument;
pub use libconfig::{LibconfigDocument, LibconfigSetting, LibconfigValue};
pub use nginx::{NginxDirective, NginxDocument};
pub use nginx_block_edit::nginx_word;
pub use nginx_lexer::NginxWord;
pub use option_files::{OptionFileSource, OptionFiles};
pub use php_constant::{PhpCondition, PhpConstant, PhpInclude, PhpLiteral};
pub use php_constants::PhpConstants;
pub use php_declarations::{
    PhpDeclaration, PhpFile, PhpKind, PhpLookup, PhpMethod, PhpObstacle, php_class_key, php_file,
};
pub use settings::{Setting, SettingsDialect, SettingsDocument};
pub use sysctl_d::{SysctlDocument, SysctlEntry, SysctlEntryKind, UnreadLine, UnreadReason};
pub use sysctl_edit::SysctlEditError;
pub use sysctl_key::SysctlKey;
pub use sysctl_order::{
    Effective, IgnoredFile, IgnoredReason, Overridden, SysctlFile, SysctlOrder, order_sysctls,
};
