//! Reads `/sys/class/net`, and what rtnetlink and the drivers say.
//!
//! The number of files is bounded: 14 and 3 per queue for an interface with hardware (up to [`MOST_QUEUES`] queues), 11
//! for any other (up to [`MOST_VIRTUAL`] of them): a container host has hundreds of `veth`. Of one that is down
//! nothing but its name is read.

use std::collections::BTreeMap;

use host::kernel::{Ethtool, Link};
use host::{Host, HostError};
use model::Unread;

use super::{Facts, Interface, ReceiveQueue, TransmitQueue};

/// The most queues of each direction whose settings are read.
pub const MOST_QUEUES: usize = 128;
/// The most interfaces without hardware that are read.
pub const MOST_VIRTUAL: usize = 64;

/// The counters of Documentation/ABI/testing/sysfs-class-net-statistics that a cause looks at.
const STATISTICS: [&str; 11] = [
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_dropped",
    "tx_dropped",
    "rx_errors",
    "rx_missed_errors",
    "rx_fifo_errors",
    "rx_nohandler",
    "collisions",
];

/// Reads the layer at this instant. The driver of an interface that is down is not asked: the kernel would wake a device
/// that sleeps (`pm_runtime_get_sync` in `dev_ethtool` of net/ethtool/ioctl.c).
///
/// # Errors
/// When `/sys/class/net` cannot be listed.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let names = host.list("/sys/class/net").map_err(|error| HostError::unread(&error))?;
    let links = host.links().unwrap_or_default();
    let mut facts = Facts::default();
    let mut virtual_ones = 0;
    for name in names.into_iter().filter(|name| name != "lo" && name != "bonding_masters") {
        let link = links.iter().find(|link| link.name == name);
        let device = host.link(&format!("/sys/class/net/{name}/device")).ok();
        virtual_ones += usize::from(device.is_none());
        if device.is_none() && virtual_ones > MOST_VIRTUAL {
            facts.left_out += 1;
            continue;
        }
        facts.interfaces.push(interface(host, name, link, device.as_deref()));
    }
    Ok(facts)
}

fn interface(host: &dyn Host, name: String, link: Option<&Link>, device: Option<&str>) -> Interface {
    let value = |file: &str| host.value(&format!("/sys/class/net/{name}/{file}")).ok();
    if let Some(link) = link.filter(|link| !link.up) {
        let state = Some("down".to_owned());
        return Interface {
            kind: link.kind.clone(),
            device: device.map(base_name),
            state,
            name,
            ..Interface::default()
        };
    }
    let number = |file: &str| value(file).and_then(|text| text.parse::<u64>().ok());
    let statistics: BTreeMap<_, _> = STATISTICS
        .iter()
        .filter_map(|counter| Some(((*counter).to_owned(), number(&format!("statistics/{counter}"))?)))
        .collect();
    let queue_length = link.map(|link| u64::from(link.transmit_queue_length));
    let mut read = Interface {
        kind: link.and_then(|link| link.kind.clone()),
        device: device.map(base_name),
        state: value("operstate"),
        mtu: link.map(|link| u64::from(link.mtu)).or_else(|| number("mtu")),
        transmit_queue_length: queue_length.or_else(|| number("tx_queue_len")),
        statistics,
        ..Interface::default()
    };
    if device.is_some() || read.kind.is_none() {
        read.driver =
            host.link(&format!("/sys/class/net/{name}/device/driver")).ok().map(|to| base_name(&to));
        read.node = number("device/numa_node").and_then(|node| u32::try_from(node).ok());
        read_queues(host, &name, &mut read);
        if read.state.as_deref() == Some("down") {
            read.driver_unread = Some("it is down: asking its driver would wake the device".to_owned());
        } else {
            read.speed_mbits = number("speed").filter(|speed| *speed > 0 && *speed < u64::from(u32::MAX));
            ask_driver(host, &name, &mut read);
        }
    }
    Interface { name, ..read }
}

fn base_name(target: &str) -> String {
    target.trim_end_matches('/').rsplit('/').next().unwrap_or(target).to_owned()
}

fn read_queues(host: &dyn Host, name: &str, read: &mut Interface) {
    let folder = format!("/sys/class/net/{name}/queues");
    let numbered = |prefix: &str, names: &[String]| -> Vec<u32> {
        let numbers = names.iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok());
        let mut numbers: Vec<u32> = numbers.take(MOST_QUEUES).collect();
        numbers.sort_unstable();
        numbers
    };
    let names = host.list(&folder).unwrap_or_default();
    let value = |file: String| host.value(&format!("{folder}/{file}")).ok();
    for index in numbered("rx-", &names) {
        let rps_cpus = value(format!("rx-{index}/rps_cpus"));
        let rps_flow_count = value(format!("rx-{index}/rps_flow_cnt")).and_then(|text| text.parse().ok());
        read.receive_queues.push(ReceiveQueue { index, rps_cpus, rps_flow_count });
    }
    for index in numbered("tx-", &names) {
        let xps_cpus = value(format!("tx-{index}/xps_cpus"));
        read.transmit_queues.push(TransmitQueue { index, xps_cpus });
    }
}

fn ask_driver(host: &dyn Host, name: &str, read: &mut Interface) {
    match host.ethtool(name) {
        Ok(answer) => take_answer(answer, read),
        Err(error) => read.driver_unread = Some(error.to_string()),
    }
}

fn take_answer(answer: Ethtool, read: &mut Interface) {
    if read.device.is_some() {
        read.driver = read.driver.take().or(answer.driver);
    }
    read.speed_mbits = read.speed_mbits.or(answer.speed_mbits.map(u64::from));
    (read.ring, read.channels) = (answer.ring, answer.channels);
    read.driver_statistics = answer.statistics;
    if !answer.unsupported.is_empty() {
        read.driver_unread = Some(format!("the driver does not answer: {}", answer.unsupported.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn guest() -> Tree {
        let mut tree = Tree::in_memory(1);
        let net = "/sys/class/net";
        tree.put(0, &format!("{net}/lo/mtu"), "65536\n");
        for (file, text) in [
            ("mtu", "1500\n"),
            ("speed", "-1\n"),
            ("operstate", "up\n"),
            ("tx_queue_len", "1000\n"),
            ("statistics/rx_packets", "1707\n"),
            ("queues/rx-0/rps_cpus", "00\n"),
            ("queues/rx-0/rps_flow_cnt", "0\n"),
            ("queues/rx-10/rps_cpus", "fe\n"),
            ("queues/tx-0/xps_cpus", "01\n"),
        ] {
            tree.put(0, &format!("{net}/eth0/{file}"), text);
        }
        tree.put_link(0, &format!("{net}/eth0/device"), "../../../virtio2");
        tree.put_link(0, &format!("{net}/eth0/device/driver"), "../../../../bus/virtio/drivers/virtio_net");
        tree.put(0, &format!("{net}/veth7/mtu"), "1500\n");
        tree
    }

    #[test]
    fn a_virtio_interface_is_read_with_its_queues_and_lo_is_left_out() {
        let facts = read(&guest().at(0)).unwrap();
        assert_eq!(facts.interfaces.len(), 2);
        let eth0 = &facts.interfaces[0];
        assert_eq!((eth0.device.as_deref(), eth0.driver.as_deref()), (Some("virtio2"), Some("virtio_net")));
        assert_eq!((eth0.speed_mbits, eth0.mtu, eth0.node), (None, Some(1500), None));
        assert_eq!(eth0.receive_queues[1].rps_cpus.as_deref(), Some("fe"));
        assert_eq!(eth0.statistics.get("rx_packets"), Some(&1707));
        assert!(eth0.is_hardware() && eth0.is_virtio());
        assert!(!facts.interfaces[1].is_hardware());
        assert!(eth0.driver_unread.is_some(), "a tree without an answer says so");
    }

    #[test]
    fn the_drivers_answers_are_taken_over() {
        let mut tree = guest();
        tree.put(
            0,
            "/.narrows/ethtool/eth0.json",
            r#"{"driver":"virtio_net","ring":{"receive":256,"receive_max":256},"unsupported":["speed"]}"#,
        );
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!(facts.interfaces[0].ring.as_ref().unwrap().receive_max, Some(256));
        assert!(facts.interfaces[0].driver_unread.as_deref().unwrap().contains("speed"));
    }

    #[test]
    fn interfaces_without_hardware_beyond_the_bound_are_counted() {
        let mut tree = guest();
        for index in 0..200 {
            tree.put(0, &format!("/sys/class/net/veth{index:03}/mtu"), "1500\n");
        }
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.interfaces.len(), facts.left_out), (1 + MOST_VIRTUAL, 201 - 64));
    }

    #[test]
    fn values_that_are_no_text_are_left_out() {
        let mut tree = guest();
        tree.put(0, "/sys/class/net/eth0/mtu", vec![0xff, 0xfe]);
        tree.put(0, "/sys/class/net/eth0/statistics/rx_packets", vec![0xff]);
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.interfaces[0].mtu, facts.interfaces[0].statistics.len()), (None, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut tree = guest();
            for file in ["mtu", "speed", "statistics/rx_packets", "queues/rx-0/rps_cpus"] {
                tree.put(0, &format!("/sys/class/net/eth0/{file}"), bytes.clone());
            }
            tree.put(0, "/.narrows/ethtool/eth0.json", bytes.clone());
            tree.put(0, "/.narrows/links.json", bytes);
            proptest::prop_assert!(read(&tree.at(0)).is_ok());
        }
    }

    #[test]
    fn the_driver_of_an_interface_that_is_down_is_not_asked() {
        let mut tree = host::Tree::in_memory(1);
        for (name, state) in [("eth0", "up"), ("eth1", "down")] {
            tree.put_link(0, &format!("/sys/class/net/{name}/device"), "../../../0000:01:00.0");
            tree.put(0, &format!("/sys/class/net/{name}/operstate"), state);
            tree.put(0, &format!("/sys/class/net/{name}/speed"), "1000");
            tree.put(0, &format!("/.narrows/ethtool/{name}.json"), r#"{"ring":{"receive":256}}"#);
        }
        let facts = read(&tree.at(0)).unwrap();
        let asked: Vec<_> =
            facts.interfaces.iter().map(|one| (one.ring.is_some(), one.speed_mbits)).collect();
        assert_eq!(asked, [(true, Some(1000)), (false, None)]);
    }
}
