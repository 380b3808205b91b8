//! Network interfaces, their queues, rings and drivers' counters.

use std::collections::BTreeMap;

use host::kernel::{Channels, Ring};
use model::Missing;
use serde::{Deserialize, Serialize};

/// The network interface layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Every interface but `lo`.
    pub interfaces: Vec<Interface>,
    /// Interfaces without hardware beyond those that are read.
    pub left_out: u64,
}

/// One network interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// `veth`, `bridge`, `vlan`, …; `None` for hardware.
    pub kind: Option<String>,
    /// The driver (`virtio_net`).
    pub driver: Option<String>,
    /// The device's name on its bus (`virtio2`), as it appears in `/proc/interrupts`.
    pub device: Option<String>,
    /// The NUMA node its device sits on, where the host says.
    pub node: Option<u32>,
    /// `operstate`: `up`, `down`, `unknown`.
    pub state: Option<String>,
    /// The largest packet in bytes.
    pub mtu: Option<u64>,
    /// The link's speed, where the driver says.
    pub speed_mbits: Option<u64>,
    /// `txqueuelen` in packets.
    pub transmit_queue_length: Option<u64>,
    /// `/sys/class/net/NAME/statistics`.
    pub statistics: BTreeMap<String, u64>,
    /// Ring sizes; `None` where the driver does not say.
    pub ring: Option<Ring>,
    /// Queue counts; `None` where the driver does not say.
    pub channels: Option<Channels>,
    /// The driver's own counters (`ethtool -S`).
    pub driver_statistics: BTreeMap<String, u64>,
    /// Receive queues.
    pub receive_queues: Vec<ReceiveQueue>,
    /// Transmit queues.
    pub transmit_queues: Vec<TransmitQueue>,
    /// Why the driver's own answers are missing, where they are.
    pub driver_unread: Option<String>,
}

/// A receive queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReceiveQueue {
    /// Its number.
    pub index: u32,
    /// `rps_cpus`, the mask of receive packet steering.
    pub rps_cpus: Option<String>,
    /// `rps_flow_cnt`.
    pub rps_flow_count: Option<u64>,
}

/// A transmit queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransmitQueue {
    /// Its number.
    pub index: u32,
    /// `xps_cpus`, the mask of transmit packet steering.
    pub xps_cpus: Option<String>,
}

impl Facts {
    /// The interfaces with hardware behind them; none in a container, whose interfaces are the host's `veth`.
    ///
    /// # Errors
    /// What is missing, when nothing says of an interface whether there is hardware behind it.
    pub fn hardware(&self) -> Result<Vec<&Interface>, Missing> {
        let hardware: Vec<_> = self.interfaces.iter().filter(|interface| interface.is_hardware()).collect();
        let doubtful =
            self.interfaces.iter().find(|interface| interface.kind.is_none() && !interface.is_hardware());
        match doubtful {
            Some(interface) if hardware.is_empty() => Err(Missing::new(
                format!("whether {} has hardware", interface.name),
                "record the link /sys/class/net/*/device, or the kernel's list of links, as well",
            )),
            _ => Ok(hardware),
        }
    }
}

impl Interface {
    /// Whether a device stands behind it: hardware, or what the hypervisor presents as such.
    pub fn is_hardware(&self) -> bool {
        self.device.is_some() || (self.kind.is_none() && self.driver.is_some())
    }

    /// Whether its driver is virtio_net, whose receive ring overflows out of the guest's sight.
    pub fn is_virtio(&self) -> bool {
        self.driver.as_deref() == Some("virtio_net")
            || self.device.as_deref().is_some_and(|device| device.starts_with("virtio"))
    }
}
