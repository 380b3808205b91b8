//! A PHP shop of Debian's own packages: nginx and PHP-FPM on one host, MariaDB on another, and its visitors, each in a
//! network namespace. The web host has 500 local ports.

mod place;
mod visitors;

pub use place::{Database, SITE, Shop};
pub use visitors::{Second, Seen};
