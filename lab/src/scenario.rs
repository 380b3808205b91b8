//! What a scenario is, and what it must show.

use crate::faults::Result;
use crate::score::Score;

/// An incident of real components, its healthy twin, and what narrows must say and do.
pub struct Scenario {
    /// What `cargo xtask lab run` calls it, in kebab-case.
    pub name: &'static str,
    /// What is wrong, in one line.
    pub title: &'static str,
    /// Where it takes place.
    pub world: World,
    /// Whether it is quick and steady enough for every run of the tests.
    pub quick: bool,
    /// Sets up, breaks, loads, asks narrows, changes, measures, undoes. Runs inside the world.
    pub run: fn(&mut Score) -> Result<()>,
}

/// Where a scenario takes place. Both are thrown away afterwards.
#[derive(Clone, Copy)]
pub enum World {
    /// Network and mount namespaces on this kernel.
    Namespaces,
    /// A QEMU guest with Debian's cloud kernel, whose userland is this machine's.
    Guest(Guest),
}

/// What a guest needs.
#[derive(Clone, Copy)]
pub struct Guest {
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Whether systemd is process 1.
    pub systemd: bool,
    /// An ext4 disk of 512 MiB below which the guest writes, at `/dev/vda`.
    pub disk: bool,
    /// Files below `lab/guest` that the scenario finds in `/lab`.
    pub files: &'static [&'static str],
    /// Seconds after which it is given up.
    pub timeout_s: u32,
    /// The machine around it, where load must come from outside.
    pub outside: Option<Outside>,
}

/// The host's side of a guest with a network card.
#[derive(Clone, Copy)]
pub struct Outside {
    /// The model of the card.
    pub card: Card,
    /// Queues of the card.
    pub queues: u32,
    /// Works on the host while the guest runs; the two meet by [`crate::meeting`].
    pub run: fn(&crate::meeting::Meeting) -> Result<()>,
}

/// A model of network card that QEMU has and Debian's cloud kernel drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// virtio-net, as in most clouds. What overflows its receive ring is counted on the hypervisor only.
    Virtio,
    /// vmxnet3, as in guests of VMware, with one queue. It tells the guest what overflowed its receive ring.
    Vmxnet3,
}

impl Outside {
    /// A virtio card of one queue, and this work outside.
    pub const fn serving(run: fn(&crate::meeting::Meeting) -> Result<()>) -> Self {
        Self { card: Card::Virtio, queues: 1, run }
    }
}

impl Guest {
    /// A guest of 4 CPUs and 2 GiB with nothing special.
    pub const PLAIN: Self = Self {
        cpus: 4,
        memory_mib: 2048,
        systemd: false,
        disk: false,
        files: &[],
        timeout_s: 300,
        outside: None,
    };
}

impl World {
    /// What the scoreboard calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Namespaces => "netns",
            Self::Guest(_) => "guest",
        }
    }
}
