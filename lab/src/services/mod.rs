//! Debian's own servers, each with a configuration in a temporary folder and in a network namespace of its own.
//!
//! Each is a guard: what it starts ends when it is dropped, and when this program dies. Nothing of the machine's own
//! servers or their configuration is touched.

/// MariaDB with a fresh data directory.
pub mod mariadb;
/// nginx, in the foreground.
pub mod nginx;
/// What nginx is told of its cache of pages: the texts of configurations, sound and at fault.
pub mod page_cache;
/// PHP-FPM with one pool.
pub mod php_fpm;
/// A stand-in for ProxySQL's administration.
pub mod proxysql;
mod service;

pub use service::{Service, folder};
