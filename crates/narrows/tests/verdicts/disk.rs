//! A disk that is truly busy.

use super::check::check_in_quiet;
use crate::faults::busy_disk::BusyDisk;
use crate::faults::tools::machine_alone;
use crate::faults::{Fault, FaultError, Health, Result};
use model::Verdict;

const DISK: &str = "disk.saturated";

#[test]
fn a_busy_disk_is_named_and_io_uring_is_not() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = BusyDisk::start(Health::Broken, &std::env::temp_dir())?;
    fault.wait_until_established()?;
    let before = fault.reads()?;
    let checked = check_in_quiet(&fault, &["--for", "2s"], |checked| {
        checked.not_confirmed("cpu.io-uring-waiters")?;
        // Whether a disk that is always busy also queues is up to the disk: one that serves in parallel may have room.
        let cause = checked.cause(DISK)?;
        match cause.verdict {
            Verdict::Confirmed | Verdict::Consistent => checked.nothing_but(&[DISK, "tasks.waiting-on-disk"]),
            other => Err(FaultError::new(format!("{DISK} is {}: {}", other.name(), cause.summary))),
        }
    })?;
    let cause = checked.cause(DISK)?;
    println!(
        "device {:?}, {} reads: {} {}",
        fault.device(),
        fault.reads()? - before,
        cause.verdict.name(),
        cause.summary
    );
    Ok(())
}

#[test]
fn a_rare_read_raises_no_alarm() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = BusyDisk::start(Health::Healthy, &std::env::temp_dir())?;
    twin.wait_until_established()?;
    check_in_quiet(&twin, &["--for", "2s"], |checked| {
        checked.ruled_out(DISK)?;
        checked.clear()
    })?;
    Ok(())
}
