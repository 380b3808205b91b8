//! Which interrupts belong to a network device, and to which of its queues.

/// What a network interrupt serves, from its name in `/proc/interrupts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// What the name says of the device: `virtio2`, `eth0`, or the bus address after `@pci:`.
    pub device: String,
    /// The queue's number.
    pub queue: u32,
    /// Whether it announces received packets (alone or together with sent ones).
    pub receives: bool,
}

/// Names of drivers that number their vectors without naming the interface (`mlx5_comp3@pci:0000:01:00.0`).
const DRIVERS: [&str; 4] = ["mlx5_comp", "mlx4-", "gve-ntfy-blk", "mana_q"];

/// Vectors that carry no packets.
const CONTROL: [&str; 7] = ["config", "mgmnt", "mgmt", "async", "misc", "fdir", "control"];

impl Vector {
    /// Understands the name of an interrupt; `None` when it is no network queue's.
    ///
    /// Names follow the drivers' own formats: `virtio2-input.3` (drivers/net/virtio_net.c), `eth0-TxRx-3` (ixgbe,
    /// i40e, ice, bnxt), `eth0-Tx-Rx-3` (ena), `eth0-rx-3` (igb), `eth0-q3-rx` (xen-netfront), `mlx5_comp3@pci:…`.
    /// A row of the plain interface name is queue 0. `virtio4-input` without a number is an entropy source.
    pub fn parse(name: &str, interfaces: &[String]) -> Option<Self> {
        let word = name.split_whitespace().next_back()?;
        virtio(word).or_else(|| named(word, interfaces)).or_else(|| driver(word))
    }

    /// Whether it belongs to an interface, given the interface's name and its device's name on the bus.
    pub fn belongs_to(&self, interface: &str, device: Option<&str>) -> bool {
        self.device == interface || device.is_some_and(|device| self.device == device)
    }
}

fn virtio(word: &str) -> Option<Vector> {
    let (device, queue) = word.split_once('-')?;
    device.strip_prefix("virtio")?.parse::<u32>().ok()?;
    let (side, queue) = queue.split_once('.')?;
    let receives = match side {
        "input" => true,
        "output" => false,
        _ => return None,
    };
    Some(Vector { device: device.to_owned(), queue: queue.parse().ok()?, receives })
}

fn named(word: &str, interfaces: &[String]) -> Option<Vector> {
    let stem = word.split('@').next().unwrap_or(word);
    let interface = interfaces.iter().find(|interface| *interface != "lo" && holds(stem, interface))?;
    let rest = stem.split_once(interface.as_str()).map_or("", |(_, rest)| rest).to_ascii_lowercase();
    if CONTROL.iter().any(|control| rest.contains(control)) {
        return None;
    }
    let queue = last_number(&rest).unwrap_or(0);
    Some(Vector { device: interface.clone(), queue, receives: rest.contains("rx") || !rest.contains("tx") })
}

/// Whether a name holds an interface's name as a whole: `eth1` is not in `eth10-rx-0`.
fn holds(stem: &str, interface: &str) -> bool {
    let edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    stem.match_indices(interface).any(|(at, found)| {
        let before = stem.get(..at).and_then(|text| text.chars().next_back());
        let after = stem.get(at + found.len()..).and_then(|text| text.chars().next());
        edge(before) && edge(after)
    })
}

fn driver(word: &str) -> Option<Vector> {
    let (stem, bus) = word.split_once("@pci:")?;
    let number = DRIVERS.iter().find_map(|driver| stem.strip_prefix(driver))?;
    Some(Vector { device: bus.to_owned(), queue: last_number(number)?, receives: true })
}

fn last_number(text: &str) -> Option<u32> {
    let mut runs = text.split(|letter: char| !letter.is_ascii_digit());
    runs.rfind(|run| !run.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Option<(String, u32, bool)> {
        let interfaces = ["enp1s0f0", "eth0", "eth1", "lo"].map(str::to_owned);
        Vector::parse(name, &interfaces).map(|vector| (vector.device, vector.queue, vector.receives))
    }

    #[test]
    fn each_drivers_names_are_understood() {
        for (name, device, queue, receives) in [
            ("PCI-MSI 65537-edge virtio2-input.7", "virtio2", 7, true),
            ("PCI-MSIX-0000:00:03.0 2-edge virtio2-output.0", "virtio2", 0, false),
            ("IR-PCI-MSI 524289-edge enp1s0f0-TxRx-12", "enp1s0f0", 12, true),
            ("PCI-MSI 81921-edge eth0-Tx-Rx-1", "eth0", 1, true),
            ("IR-PCI-MSI 1-edge i40e-eth0-TxRx-3", "eth0", 3, true),
            ("xen-dyn-lateeoi eth0-q2-tx", "eth0", 2, false),
            ("IO-APIC 11-fasteoi eth1", "eth1", 0, true),
            ("IR-PCI-MSI 3-edge mlx5_comp3@pci:0000:01:00.0", "0000:01:00.0", 3, true),
        ] {
            assert_eq!(parse(name), Some((device.to_owned(), queue, receives)), "{name}");
        }
    }

    #[test]
    fn what_carries_no_packets_is_no_vector() {
        for name in [
            "PCI-MSI 65536-edge virtio2-config",
            "PCI-MSIX 1-edge virtio4-input",
            "PCI-MSI virtio1-req.0",
            "IR-PCI-MSI mlx5_async0@pci:0000:01:00.0",
            "PCI-MSI eth10-rx-0",
            "PCI-MSI ena-mgmnt@pci:0000:00:05.0",
            "Local timer interrupts",
            "",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(name: String, interface: String) {
            Vector::parse(&name, &[interface]);
        }
    }
}
