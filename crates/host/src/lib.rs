//! The only code that touches a machine to read it.
