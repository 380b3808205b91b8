//! Reads OPcache.

use host::Host;
use model::Unread;

use super::{Counters, Facts, counters, runtimes};

/// Reads the settings of each PHP.
///
/// # Errors
/// When the folder of its settings may not be listed. A host without PHP has facts without any.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    host.list("/etc").map_err(|error| {
        Unread::new(format!("settings of PHP: {error}"), "run narrows where /etc is that of the host")
    })?;
    runtimes::read(host)
}

/// Asks each PHP-FPM that runs what its shared memory holds.
///
/// # Errors
/// When `/proc` cannot be listed. A PHP-FPM that does not answer says why in its own [`super::Cache`].
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    counters::read(host)
}
