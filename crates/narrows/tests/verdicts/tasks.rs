//! Tasks in state D.

use model::Verdict;

use super::check::check_in_quiet;
use super::noise::Disturbance;
use crate::faults::frozen_filesystem::FrozenFilesystem;
use crate::faults::tools::machine_alone;
use crate::faults::wait::wait_until;
use crate::faults::{Fault, FaultError, Health, Result, kernel};

const FROZEN: &str = "tasks.waiting-on-frozen-filesystem";
const STUCK: &str = "tasks.stuck";
const LOAD: &str = "cpu.load-high-while-idle";
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

/// With 64 waiting tasks per CPU the one-minute average passes 4 per CPU in its first renewal, 5 s after, or its second.
///
/// The symptom is a high load *while CPUs are idle*: it must be there exactly if they were, as measured apart from narrows.
#[test]
fn the_load_of_tasks_that_wait_for_a_frozen_file_system_is_explained() -> Result<()> {
    let _alone = machine_alone()?;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let fault = FrozenFilesystem::start(Health::Broken, 64 * cpus)?;
    fault.wait_until_established()?;
    wait_until("a load above 4 per CPU", || Ok(kernel::load_average()? >= 4.0 * cpus as f64))?;
    check_in_quiet(&fault, &["--for", "2s"], |checked| {
        checked.breaking(FROZEN)?;
        match checked.noise.as_ref().and_then(Disturbance::was_idle) {
            Some(true) => drop(checked.differs(LOAD, FROZEN, Verdict::Confirmed)?),
            Some(false) => checked.absent(LOAD)?,
            None => return Err(FaultError::new("the CPUs were idle half of the time")),
        }
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
