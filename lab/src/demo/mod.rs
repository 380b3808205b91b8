//! `cargo xtask demo`: an incident that whoever runs PHP sites has met, from the first error page to the proof.

mod before;
mod interrupt;
mod screen;
mod shop;
mod story;
mod visitors;

use std::io::Write;

use crate::faults::Result;

/// Shows it. Ctrl-C ends it early, and cleans up as its end does.
pub fn show(to: &mut dyn Write) -> Result<()> {
    interrupt::listen();
    story::tell(to)
}
