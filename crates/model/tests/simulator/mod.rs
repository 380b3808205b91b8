//! A small discrete-event simulator: it knows arrivals, servers and lines, and none of the formulas it checks.

pub(crate) mod closed;
pub(crate) mod open;
pub(crate) mod random;
