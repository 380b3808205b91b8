use std::time::{Duration, Instant};

use super::{FaultError, Result};

const DEADLINE: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks again and again until `look` yields something, and fails after a deadline that names `what`.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    wait_within(DEADLINE, what, look)
}

/// Same as [`wait_for`], for what needs a deadline of its own.
pub fn wait_within<T>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let give_up = Instant::now() + deadline;
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if Instant::now() >= give_up {
            return Err(FaultError::new(format!("{what}: not seen within {} s", deadline.as_secs())));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks again and again until `holds` is true, and fails after a deadline that names `what`.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    wait_for(what, || Ok(holds()?.then_some(())))
}
