//! Packets dropped by the backlog of a CPU, which the whole machine shares.

use super::check::check_in_quiet;
use crate::faults::tools::machine_alone;
use crate::faults::veth_backlog_drop::VethBacklogDrop;
use crate::faults::{Fault, Health, Result};

const BACKLOG: &str = "irq.backlog-short";

#[test]
fn bursts_that_overflow_the_backlog_are_named() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = VethBacklogDrop::start(Health::Broken)?;
    fault.wait_until_established()?;
    let checked = check_in_quiet(&fault, &["--for", "2s"], |checked| {
        checked.breaking(BACKLOG)?;
        checked.differs("irq.packets-dropped", BACKLOG, model::Verdict::Confirmed)?;
        checked.nothing_but(&[BACKLOG])
    })?;
    println!("{} · {:?} s", checked.confirmed(BACKLOG)?.summary, checked.took);
    println!("sent {} received {} dropped {}", fault.sent(), fault.received(), fault.dropped()?);
    Ok(())
}

#[test]
fn bursts_that_fit_the_backlog_raise_no_alarm() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = VethBacklogDrop::start(Health::Healthy)?;
    twin.wait_until_established()?;
    check_in_quiet(&twin, &["--for", "2s"], |checked| {
        checked.not_confirmed(BACKLOG)?;
        checked.clear()
    })?;
    Ok(())
}
