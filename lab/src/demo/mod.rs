//! `cargo xtask demo`: an incident that whoever runs PHP sites has met, from the first error page to the proof.

mod before;
mod interrupt;
mod screen;
mod story;

use std::io::Write;

use crate::faults::Result;

/// From now on Ctrl-C ends the show by the way on which all is cleaned up.
pub fn heed_interrupts() {
    interrupt::listen();
}

/// Shows it.
pub fn show(to: &mut dyn Write) -> Result<()> {
    story::tell(to)
}
