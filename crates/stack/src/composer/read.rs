//! Reads this layer.

use host::Host;
use model::Unread;

use super::Facts;

/// Reads the layer.
///
/// # Errors
/// When there is none on this host.
pub fn read(_host: &dyn Host) -> Result<Facts, Unread> {
    Ok(Facts::default())
}
