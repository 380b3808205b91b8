//! Reads PHP-FPM.

use host::Host;
use model::Unread;

use super::{Counters, Facts, Master};

/// Reads what does not change within a window, and the logs.
///
/// # Errors
/// When there is none on this host.
pub fn read(_host: &dyn Host) -> Result<Facts, Unread> {
    Ok(Facts::default())
}

/// Reads what counts up.
///
/// # Errors
/// When there is none on this host.
pub fn read_counters(_host: &dyn Host) -> Result<Counters, Unread> {
    Ok(Counters::default())
}

/// Every master with its pools as configured, without memory, logs or workers: for layers that only need to know which are
/// there.
pub fn masters(_host: &dyn Host) -> Vec<Master> {
    vec![]
}
