//! The change that gives an interface a queue pair per CPU.

use model::{Change, ChangeKind, Derived, Remedy};

use super::Interface;

/// One queue pair per CPU, or as many as the device has; `None` where it has no more or does not say.
pub(crate) fn more_queues(interface: &Interface, cpus: usize) -> Option<Remedy> {
    let channels = interface.channels.as_ref()?;
    let (now, most) = (channels.combined?, channels.combined_max?);
    let wanted = most.min(u32::try_from(cpus).ok()?);
    (now < wanted).then(|| queues_remedy(&interface.name, now, most, wanted, cpus))
}

fn queues_remedy(interface: &str, now: u32, most: u32, wanted: u32, cpus: usize) -> Remedy {
    let target = Derived::new(wanted, "min(most, cpus)")
        .input("most", most, &format!("ETHTOOL_MSG_CHANNELS_GET {interface}"))
        .input("cpus", cpus, "/proc/interrupts header");
    let change =
        Change::new(ChangeKind::Channels { interface: interface.to_owned() }, Some(now.to_string()), target)
            .persists_by("a systemd .link file: [Link] CombinedChannels=")
            .restarts("most drivers reset the interface: packets are lost for up to a second")
            .risks("each queue takes memory for its ring; the driver assigns one CPU per queue by itself");
    Remedy::new(format!("Use {wanted} queue pairs on {interface}"), "NET_RX skew falls to 1.5 or below")
        .change(change)
}
