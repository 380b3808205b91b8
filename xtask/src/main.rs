//! Chores of the developers of narrows.

fn main() {}
