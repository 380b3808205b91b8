//! Local ports that run out, and TIME_WAIT that is cut short.

use std::net::TcpListener;

use super::round::{Expected, there_and_back};
use crate::faults::port_exhaustion::{Holder, PortExhaustion};
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, Fault, Health, Result, kernel};
use lab::site::Site;

const CAUSE: &str = "sockets.ephemeral-ports-exhausted";
const RANGE: &str = "net.ipv4.ip_local_port_range";

#[test]
fn ports_in_time_wait_are_used_again() -> Result<()> {
    let fault = PortExhaustion::start(Health::Broken, Holder::TimeWait)?;
    let site = Site::own(fault.client_namespace())?;
    // The administrator's own line is edited where it stands.
    let (file, lines) =
        ("/etc/sysctl.d/99-local.conf", "# ours\nnet.ipv4.tcp_tw_reuse = 2\nvm.swappiness = 60\n");
    site.write(file, lines)?;
    fault.wait_until_established()?;
    let expected = Expected::parameter(CAUSE, "net.ipv4.tcp_tw_reuse", "2", "1");
    let recycled = || kernel::network_counter(fault.client_pid(), "netstat", "TcpExt", "TWRecycled");
    let moved = |_: &change::plan::Plan| {
        assert_eq!(site.read(file)?, lines.replace("= 2", "= 1"));
        assert!(site.read("/etc/sysctl.d/90-narrows.conf").is_err(), "one line in one file is enough");
        let (connected, before) = (fault.connected()?, recycled()?);
        wait_until("ports used again", || {
            Ok(fault.connected()? > connected + 200 && recycled()? > before + 100)
        })
    };
    let back = || {
        let refused = fault.refused()?;
        wait_until("no port left again", || Ok(fault.refused()? > refused + 20))
    };
    let third = format!("{CAUSE}=3");
    there_and_back(&site, &["--for", "1s", "--only", CAUSE, "--remedy", &third], &[expected], moved, back)?;
    Ok(())
}

#[test]
fn a_wider_range_has_ports_again_and_leaves_those_of_services_alone() -> Result<()> {
    let fault = PortExhaustion::start(Health::Broken, Holder::Open)?;
    let _service = fault
        .client_namespace()
        .run(|| TcpListener::bind(("127.0.0.1", 20_000)).attempt(|| "listen on port 20000".to_owned()))?;
    let site = Site::own(fault.client_namespace())?;
    fault.wait_until_established()?;
    let expected = [
        Expected::parameter(CAUSE, "net.ipv4.ip_local_reserved_ports", "", "20000"),
        Expected::parameter(CAUSE, RANGE, "40000 40999", "10240 65535"),
    ];
    let moved = |plan: &change::plan::Plan| {
        assert_eq!(plan.changes[0].id, "net.ipv4.ip_local_reserved_ports", "it comes first");
        let ours = site.read("/etc/sysctl.d/90-narrows.conf")?;
        assert!(ours.contains("ip_local_reserved_ports = 20000") && ours.contains("= 10240 65535"), "{ours}");
        let (connected, refused) = (fault.connected()?, fault.refused()?);
        wait_until("connections again", || Ok(fault.connected()? > connected + 50))?;
        assert!(fault.refused()? <= refused + 1, "a connect was refused after the range was widened");
        Ok(())
    };
    let back = || {
        let refused = fault.refused()?;
        wait_until("no port left again", || Ok(fault.refused()? > refused + 20))
    };
    there_and_back(&site, &["--for", "1s", "--only", CAUSE], &expected, moved, back)?;
    Ok(())
}

#[test]
fn time_wait_gets_the_room_that_closed_connections_need() -> Result<()> {
    let fault = PortExhaustion::start(Health::Healthy, Holder::TimeWait)?;
    fault.wait_until_established()?;
    let key = "net.ipv4.tcp_max_tw_buckets";
    fault.client_namespace().set("net/ipv4/tcp_max_tw_buckets", "1")?;
    let site = Site::own(fault.client_namespace())?;
    let overflows =
        || kernel::network_counter(fault.client_pid(), "netstat", "TcpExt", "TCPTimeWaitOverflow");
    wait_until("TIME_WAIT cut short", || Ok(overflows()? > 3))?;
    let cause = "sockets.time-wait-table-full";
    let expected = Expected { to: None, ..Expected::parameter(cause, key, "1", "") };
    let moved = |_: &change::plan::Plan| {
        let (before, connected) = (overflows()?, fault.other_connected()?);
        wait_until("connections closed", || Ok(fault.other_connected()? >= connected + 10))?;
        assert_eq!(overflows()?, before);
        Ok(())
    };
    let back = || {
        let before = overflows()?;
        wait_until("TIME_WAIT cut short again", || Ok(overflows()? > before))
    };
    let options = ["--for", "2s", "--severity", "hygiene", "--only", cause];
    there_and_back(&site, &options, &[expected], moved, back)?;
    Ok(())
}
