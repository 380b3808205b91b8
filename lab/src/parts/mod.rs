//! Parts that scenarios are built from.

pub mod composer_app;
pub mod course;
pub mod names;
pub mod nfs;
pub mod prediction;
pub mod server;
pub mod stat;
pub mod undisturbed;
