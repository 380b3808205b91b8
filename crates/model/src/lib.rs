//! The nouns of narrows and the queueing mathematics. No input or output happens here.

pub mod queueing;
