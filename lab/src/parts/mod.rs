//! Parts that scenarios are built from.

pub mod names;
pub mod nfs;
pub mod php_fpm;
pub mod prediction;
pub mod server;
pub mod stat;
