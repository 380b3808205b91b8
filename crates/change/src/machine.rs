//! What the machine says of itself.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ChangeError;

/// Milliseconds since 1970 by the wall clock.
pub(crate) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The number the kernel gave this boot (random(4), `/proc/sys/kernel/random/boot_id`).
pub(crate) fn boot_id() -> Result<String, ChangeError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let text =
        std::fs::read_to_string(PATH).map_err(|error| ChangeError::io(format!("read {PATH}"), &error))?;
    Ok(text.trim().to_owned())
}

/// Who runs this: the user behind sudo(8), else the login name of the environment.
pub(crate) fn user() -> Option<String> {
    ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok())
}
