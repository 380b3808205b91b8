//! What the kernel attaches by itself: the kind named in `net.core.default_qdisc`.

use std::fs;
use std::io;

use crate::ChangeError;

/// Only the first network namespace has the file; what it says holds for all.
const DEFAULT: &str = "/proc/sys/net/core/default_qdisc";

/// Runs work while the kernel's default is `kind`.
///
/// Undoing has no other way to a discipline that the kernel attached by itself: the plan that replaced it has often
/// changed the default as well, and what the kernel then attaches is the new default. The old one is named for the
/// instant of the work and the value there was is put back.
pub(super) fn with_default(
    attempted: &str,
    kind: Option<&str>,
    work: impl FnOnce() -> Result<(), ChangeError>,
) -> Result<(), ChangeError> {
    let Some(kind) = kind else { return work() };
    let before = match fs::read_to_string(DEFAULT) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return work(),
        Err(error) => return Err(failed(attempted, &error)),
    };
    if before.trim() == kind {
        return work();
    }
    fs::write(DEFAULT, kind).map_err(|error| failed(attempted, &error))?;
    let done = work();
    let restored = fs::write(DEFAULT, before.trim()).map_err(|error| {
        failed(attempted, &error).help(format!("set net.core.default_qdisc to {} again", before.trim()))
    });
    done.and(restored)
}

fn failed(attempted: &str, error: &io::Error) -> ChangeError {
    ChangeError::io(format!("{attempted} by way of {DEFAULT}"), error)
}
