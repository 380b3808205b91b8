//! Reads Nginx.

use host::Host;
use model::Unread;

use super::{Configuration, Counters, Facts};

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

/// The configuration of every Nginx: of each running master, or of `/etc/nginx/nginx.conf` where none runs. Without logs.
pub fn configurations(_host: &dyn Host) -> Vec<Configuration> {
    vec![]
}

/// The folders from which the servers of these configurations are served (`root`), each once, in order.
pub fn document_roots(_configurations: &[Configuration]) -> Vec<String> {
    vec![]
}
