//! Parts that scenarios are built from.

pub mod composer_app;
pub mod composer_machine;
pub mod course;
pub mod database;
pub mod names;
pub mod nfs;
pub mod path_calls;
pub mod prediction;
pub mod server;
pub mod stat;
pub mod undisturbed;
pub mod wordpress;
