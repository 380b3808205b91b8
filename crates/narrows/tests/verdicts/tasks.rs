//! Tasks in state D.

use model::Verdict;

use super::check::check_in_quiet;
use crate::faults::frozen_filesystem::FrozenFilesystem;
use crate::faults::tools::machine_alone;
use crate::faults::{Fault, Health, Result};

const FROZEN: &str = "tasks.waiting-on-frozen-filesystem";
const STUCK: &str = "tasks.stuck";
const WRITERS: usize = 4;

#[test]
fn writers_of_a_frozen_file_system_are_named() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = FrozenFilesystem::start(Health::Broken, WRITERS)?;
    fault.wait_until_established()?;
    let writes = fault.writes()?;
    let checked = check_in_quiet(&fault, &["--for", "2s"], |checked| {
        checked.breaking(FROZEN)?;
        checked.differs(STUCK, FROZEN, Verdict::Confirmed)?;
        for rival in ["tasks.waiting-on-disk", "tasks.waiting-on-fuse", "tasks.waiting-on-network-filesystem"]
        {
            checked.differs(STUCK, rival, Verdict::RuledOut)?;
        }
        checked.nothing_but(&[FROZEN])
    })?;
    assert_eq!(fault.writes()?, writes);
    println!("{}", checked.confirmed(FROZEN)?.summary);
    Ok(())
}

/// The one-minute average passes 4 per CPU with four times that many waiting tasks within 18 s.
#[test]
fn the_load_of_tasks_that_wait_for_a_frozen_file_system_is_explained() -> Result<()> {
    let _alone = machine_alone()?;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let fault = FrozenFilesystem::start(Health::Broken, 32 * cpus)?;
    fault.wait_until_established()?;
    check_in_quiet(&fault, &["--for", "2s"], |checked| {
        checked.differs("cpu.load-high-while-idle", FROZEN, Verdict::Confirmed)?;
        checked.nothing_but(&[FROZEN])
    })?;
    Ok(())
}

#[test]
fn writers_of_a_thawed_file_system_raise_no_alarm() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = FrozenFilesystem::start(Health::Healthy, WRITERS)?;
    twin.wait_until_established()?;
    check_in_quiet(&twin, &["--for", "2s"], |checked| {
        checked.ruled_out(FROZEN)?;
        checked.clear()
    })?;
    Ok(())
}
