//! The only code that touches a machine to read it.

pub mod kernel;
