//! Queues that are too short, TCP's, a Unix socket's, and that of half-open connections.

use super::round::{Expected, there_and_back};
use crate::faults::bursty_listener::{BurstyListener, Family};
use crate::faults::half_open::HalfOpen;
use crate::faults::wait::wait_until;
use crate::faults::{Fault, Result};
use lab::site::Site;

const SOMAXCONN: &str = "net.core.somaxconn";

/// The queue takes the new limit when its daemon calls listen() again, as the plan says.
fn a_queue_grows_and_shrinks(
    fault: &BurstyListener,
    site: &Site,
    cause: &'static str,
    to: &str,
) -> Result<()> {
    fault.wait_until_established()?;
    let expected = Expected::parameter(cause, SOMAXCONN, "16", to);
    let moved = |plan: &change::plan::Plan| -> Result<()> {
        let restart = &plan.changes[0].change.restart;
        assert!(restart.contains("listen()"), "{restart}");
        let before = fault.turned_away()?;
        fault.wait_for_bursts(2)?;
        assert!(fault.turned_away()? > before, "the limit alone must not act before listen() is called");
        fault.reload()?;
        let before = fault.turned_away()?;
        fault.wait_for_bursts(5)?;
        assert_eq!(fault.turned_away()?, before, "bursts still overflow");
        Ok(())
    };
    let back = || {
        fault.reload()?;
        let before = fault.turned_away()?;
        wait_until("overflows again", || Ok(fault.turned_away()? > before))
    };
    there_and_back(site, &["--for", "3s", "--only", cause], &[expected], moved, back)?;
    Ok(())
}

#[test]
fn a_longer_accept_queue_takes_the_bursts_that_it_refused() -> Result<()> {
    let fault = BurstyListener::start(Family::Tcp)?;
    let site = Site::own(fault.namespace())?;
    a_queue_grows_and_shrinks(&fault, &site, "sockets.accept-queue-overflow", "64")
}

#[test]
fn a_longer_unix_queue_takes_the_bursts_that_it_refused() -> Result<()> {
    let fault = BurstyListener::start(Family::Unix)?;
    let site = Site::own(fault.namespace())?;
    a_queue_grows_and_shrinks(&fault, &site, "sockets.unix-queue-overflow", "64")
}

#[test]
fn the_queue_of_a_container_grows_from_inside_and_no_file_keeps_it() -> Result<()> {
    let fault = BurstyListener::start(Family::Tcp)?;
    let site = Site::entered(fault.namespace())?;
    a_queue_grows_and_shrinks(&fault, &site, "sockets.accept-queue-overflow", "64")
}

#[test]
fn the_queue_of_a_container_grows_from_outside_by_its_name() -> Result<()> {
    let fault = BurstyListener::start(Family::Tcp)?;
    let site = Site::named(fault.namespace())?;
    a_queue_grows_and_shrinks(&fault, &site, "sockets.accept-queue-overflow", "64")
}

#[test]
fn cookies_answer_when_the_queue_of_half_open_connections_is_full() -> Result<()> {
    let fault = HalfOpen::start()?;
    let site = Site::own(fault.server_namespace())?;
    fault.wait_until_established()?;
    let cause = "sockets.syn-queue-full";
    let expected = Expected::parameter(cause, "net.ipv4.tcp_syncookies", "0", "1");
    let moved = |_: &change::plan::Plan| {
        let (dropped, cookies) = (fault.counted("TCPReqQFullDrop")?, fault.counted("TCPReqQFullDoCookies")?);
        wait_until("cookies", || Ok(fault.counted("TCPReqQFullDoCookies")? >= cookies + 50))?;
        assert_eq!(fault.counted("TCPReqQFullDrop")?, dropped);
        Ok(())
    };
    let back = || {
        let dropped = fault.counted("TCPReqQFullDrop")?;
        wait_until("SYNs dropped again", || Ok(fault.counted("TCPReqQFullDrop")? > dropped))
    };
    there_and_back(&site, &["--for", "2s", "--only", cause], &[expected], moved, back)?;
    Ok(())
}
