//! Very many processes and sockets.

use super::check::check;
use crate::faults::crowd::Crowd;
use crate::faults::tools::machine_alone;
use crate::faults::{Fault, Health, Result};

/// narrows promises to stay below 40 MB; a debug build is larger than what is promised for, and keeps it too.
const PROMISED_KIB: u64 = 40_000_000 / 1024;

#[test]
fn a_crowd_of_processes_and_sockets_is_read_whole() -> Result<()> {
    let _alone = machine_alone()?;
    let crowd = Crowd::start(Health::Broken)?;
    crowd.wait_until_established()?;
    let checked = check(&crowd, &["--for", "2s"])?;
    println!(
        "{} sockets, {} processes: {:.2} s, {} KiB at most, {} samples",
        crowd.sockets()?,
        crowd.asleep(),
        checked.took.as_secs_f64(),
        checked.peak_kib,
        checked.report.window.samples
    );
    assert!(checked.report.unread.is_empty(), "{:?}", checked.report.unread);
    assert!((0..=1).contains(&checked.exit_code), "exit code {}", checked.exit_code);
    assert!(checked.report.window.samples > 0);
    assert!((1..PROMISED_KIB).contains(&checked.peak_kib), "{} KiB", checked.peak_kib);
    Ok(())
}

#[test]
fn idle_connections_in_a_small_crowd_raise_no_alarm() -> Result<()> {
    let twin = Crowd::start(Health::Healthy)?;
    twin.wait_until_established()?;
    assert_eq!(twin.sockets()?, 201);
    check(&twin, &["--for", "2s", "--only", "sockets,nic,qdisc"])?.clear()
}
