use std::ffi::OsStr;
use std::process::Command;

use super::Result;

/// Whether the machinery is broken, or is the healthy twin that must raise no alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The fault is there.
    Broken,
    /// The same machinery without the fault.
    Healthy,
}

/// A condition of the kernel that lasts as long as the value lives.
pub trait Fault {
    /// Blocks until the kernel itself shows the condition; for a healthy twin, until its work is seen done.
    fn wait_until_established(&self) -> Result<()>;

    /// Prepares `program` (an absolute path) to run where the fault can be seen.
    fn command(&self, program: impl AsRef<OsStr>) -> Command;
}
