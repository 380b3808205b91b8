//! Parts that scenarios are built from.

pub mod php_fpm;
pub mod prediction;
pub mod server;
