//! Faults of sockets. Each has a network namespace of its own, so nothing else can be found in these layers.

use super::check::check;
use crate::faults::port_exhaustion::{Holder, PortExhaustion};
use crate::faults::tcp_listen_overflow::TcpListenOverflow;
use crate::faults::unix_listen_overflow::UnixListenOverflow;
use crate::faults::{Fault, Health, Result};

/// The layers that belong to a network namespace. The others would show what else this machine does.
const OF_A_NAMESPACE: [&str; 4] = ["--for", "2s", "--only", "sockets,nic,qdisc"];

const TCP: &str = "sockets.accept-queue-overflow";
const UNIX: &str = "sockets.unix-queue-overflow";
const PORTS: &str = "sockets.ephemeral-ports-exhausted";

#[test]
fn a_full_accept_queue_is_named_with_its_listener() -> Result<()> {
    let fault = TcpListenOverflow::start(Health::Broken)?;
    fault.wait_until_established()?;
    let checked = check(&fault, &OF_A_NAMESPACE)?;
    let cause = checked.breaking(TCP)?;
    let listener = format!("127.0.0.1:{}", TcpListenOverflow::PORT);
    assert!(cause.summary.contains(&listener), "{}", cause.summary);
    assert!(cause.remedies.iter().any(|remedy| remedy.title.contains(&listener)), "{:?}", cause.remedies);
    checked.differs("sockets.connections-refused", TCP, model::Verdict::Confirmed)?;
    checked.not_confirmed(UNIX)?;
    checked.nothing_but(&[TCP])
}

#[test]
fn a_prompt_acceptor_raises_no_alarm() -> Result<()> {
    let twin = TcpListenOverflow::start(Health::Healthy)?;
    twin.wait_until_established()?;
    check(&twin, &OF_A_NAMESPACE)?.clear()?;
    assert_eq!(twin.overflows()?, 0);
    Ok(())
}

#[test]
fn a_full_unix_queue_is_named_with_its_path() -> Result<()> {
    let fault = UnixListenOverflow::start(Health::Broken)?;
    fault.wait_until_established()?;
    let checked = check(&fault, &OF_A_NAMESPACE)?;
    let cause = checked.breaking(UNIX)?;
    assert!(cause.summary.contains(&*fault.path().to_string_lossy()), "{}", cause.summary);
    checked.differs("sockets.connections-refused", UNIX, model::Verdict::Confirmed)?;
    checked.not_confirmed(TCP)?;
    checked.nothing_but(&[UNIX])
}

#[test]
fn a_prompt_unix_acceptor_raises_no_alarm() -> Result<()> {
    let twin = UnixListenOverflow::start(Health::Healthy)?;
    twin.wait_until_established()?;
    check(&twin, &OF_A_NAMESPACE)?.clear()?;
    assert_eq!(twin.refused()?, 0);
    Ok(())
}

#[test]
fn ports_used_up_by_open_connections_are_named_with_their_destination() -> Result<()> {
    names_the_destination(Holder::Open)
}

#[test]
fn ports_used_up_by_time_wait_are_named_with_their_destination() -> Result<()> {
    names_the_destination(Holder::TimeWait)
}

fn names_the_destination(holder: Holder) -> Result<()> {
    let fault = PortExhaustion::start(Health::Broken, holder)?;
    fault.wait_until_established()?;
    let (refused, other) = (fault.refused()?, fault.other_connected()?);
    let checked = check(&fault, &OF_A_NAMESPACE)?;
    assert!(fault.refused()? > refused && fault.other_connected()? > other);
    let cause = checked.breaking(PORTS)?;
    let destination = |port| format!("192.0.2.2:{port}");
    assert!(cause.summary.starts_with(&destination(PortExhaustion::PORT)), "{}", cause.summary);
    let other = destination(PortExhaustion::OTHER_PORT);
    assert!(!cause.summary.contains(&other), "{}", cause.summary);
    assert!(!cause.remedies.iter().any(|remedy| remedy.title.contains(&other)), "{:?}", cause.remedies);
    checked.differs("sockets.ports-scarce", PORTS, model::Verdict::Confirmed)?;
    checked.nothing_but(&[PORTS])
}

#[test]
fn a_tenth_of_the_ports_raises_no_alarm() -> Result<()> {
    for holder in [Holder::Open, Holder::TimeWait] {
        let twin = PortExhaustion::start(Health::Healthy, holder)?;
        twin.wait_until_established()?;
        check(&twin, &OF_A_NAMESPACE)?.clear()?;
        assert_eq!(twin.refused()?, 0);
    }
    Ok(())
}
