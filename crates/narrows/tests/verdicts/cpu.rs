//! I/O wait that no disk causes.

use model::Verdict;

use super::check::check_in_quiet;
use crate::faults::io_uring_waiters::IoUringWaiters;
use crate::faults::tools::machine_alone;
use crate::faults::{Fault, Health, Result};

const IO_URING: &str = "cpu.io-uring-waiters";
const IOWAIT: &str = "cpu.iowait-high";

#[test]
fn io_wait_of_io_uring_users_is_named_and_its_rivals_are_ruled_out() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = IoUringWaiters::start(Health::Broken, 8)?;
    fault.wait_until_established()?;
    let share = fault.wait_for_iowait_share(|share| share > 0.8)?;
    let checked = check_in_quiet(&fault, &["--for", "3s"], |checked| {
        checked.differs(IOWAIT, IO_URING, Verdict::Confirmed)?;
        checked.differs(IOWAIT, "disk.saturated", Verdict::RuledOut)?;
        checked.differs(IOWAIT, "irq.skew", Verdict::RuledOut)?;
        checked.clear()
    })?;
    println!("iowait {share:.2} of idle time; {}", checked.confirmed(IO_URING)?.summary);
    Ok(())
}

#[test]
fn plain_readers_of_a_pipe_raise_no_alarm() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = IoUringWaiters::start(Health::Healthy, 8)?;
    twin.wait_until_established()?;
    check_in_quiet(&twin, &["--for", "3s"], |checked| {
        checked.not_confirmed(IO_URING)?;
        checked.absent(IOWAIT)?;
        checked.clear()
    })?;
    Ok(())
}
