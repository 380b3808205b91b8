//! The network namespace that a target belongs to.

use serde::{Deserialize, Serialize};

use crate::ChangeError;

/// A network namespace other than the one narrows was started in, and how to find it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NetworkNamespace {
    /// The number of its inode in nsfs, as in the link `/proc/PID/ns/net`. Unique until the next boot.
    pub inode: u64,
    /// `/proc/sys/kernel/random/boot_id` of the boot in which it was seen.
    pub boot_id: String,
    /// Its name for `ip netns`, where it has one.
    pub name: Option<String>,
    /// A process that was in it.
    pub process: Option<u32>,
}

/// Runs work in a namespace, or where the caller is. `Ok(None)` when the namespace has gone.
pub(crate) fn within<T: Send>(
    namespace: Option<&NetworkNamespace>,
    work: impl FnOnce() -> Result<T, ChangeError> + Send,
) -> Result<Option<T>, ChangeError> {
    match namespace {
        None => work().map(Some),
        Some(namespace) => {
            Err(ChangeError::new(format!("enter network namespace {}", namespace.inode), "not done yet"))
        }
    }
}
