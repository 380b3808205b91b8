//! A visitor far away, the way there, and a site: three network namespaces in a row, with Debian's nginx in the last.
//!
//! The way is the kernel's own: netem for delay, loss and rate. Segments are not merged on it, as they would not be on a
//! wire, so that loss and rate act on packets.

mod visitor;
mod web_server;

pub use visitor::{Connection, Load, median, share_below};
pub use web_server::WebServer;

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::faults::netns::Namespace;
use crate::faults::tools::{ETHTOOL, MODPROBE};
use crate::faults::{Attempt, Result};

/// What the way and its queues are made of, and what `narrows` reads connections by without loading it.
const MODULES: [&str; 9] = [
    "veth",
    "sch_netem",
    "sch_tbf",
    "sch_fq_codel",
    "sch_fq",
    "sch_cake",
    "inet_diag",
    "tcp_diag",
    "unix_diag",
];

/// The guest is a machine, though its userland may come from a container.
const OF_A_CONTAINER: &str = "/.dockerenv";
/// HyStart ends CUBIC's slow start at the first round trip that takes longer (`net/ipv4/tcp_cubic.c`). The CPUs of an
/// emulated machine make round trips take longer by themselves, so it is off: loss alone ends a slow start here.
const HYSTART: &str = "/sys/module/tcp_cubic/parameters/hystart";

/// Three namespaces in a row: visitor, way, site.
pub struct FarPath {
    /// Where visitors are.
    pub visitor: Namespace,
    /// What forwards between the two.
    pub way: Namespace,
    /// Where the site is.
    pub site: Namespace,
}

impl FarPath {
    /// The interface of the way towards visitors.
    pub const TO_VISITOR: &'static str = "visitor0";
    /// The interface of the way towards the site.
    pub const TO_SITE: &'static str = "site0";
    /// The interface of visitor and site (benchmarking networks, RFC 2544).
    pub const CARD: &'static str = "eth0";
    /// Where the site listens.
    pub const SITE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 18, 2, 1), 80);

    /// Joins the three, with nothing in the way yet.
    pub fn create() -> Result<Self> {
        let _ = fs::remove_file(OF_A_CONTAINER);
        MODPROBE.run(&[&["--all"], &MODULES[..]].concat())?;
        let path =
            Self { visitor: Namespace::create()?, way: Namespace::create()?, site: Namespace::create()? };
        join(&path.visitor, &path.way, Self::TO_VISITOR, 1)?;
        join(&path.site, &path.way, Self::TO_SITE, 2)?;
        path.way.set("net/ipv4/ip_forward", "1")?;
        fs::write(HYSTART, "0").attempt(|| format!("write 0 to {HYSTART}"))?;
        Ok(path)
    }

    /// Delays what goes to the site, acknowledgements and requests, by `ms`.
    pub fn delay_requests(&self, ms: u32) -> Result<()> {
        self.way_to_site(&["netem", "delay", &format!("{ms}ms"), "limit", "10000"])
    }

    /// Sets what packets to the site pass through.
    pub fn way_to_site(&self, discipline: &[&str]) -> Result<()> {
        root(&self.way, Self::TO_SITE, discipline)
    }

    /// Sets what packets to visitors pass through.
    pub fn way_to_visitor(&self, discipline: &[&str]) -> Result<()> {
        root(&self.way, Self::TO_VISITOR, discipline)
    }
}

/// Sets the queueing discipline at the root of an interface, as tc(8) takes it.
pub fn root(namespace: &Namespace, interface: &str, discipline: &[&str]) -> Result<()> {
    let place = ["-n", namespace.name(), "qdisc", "replace", "dev", interface, "root"];
    crate::faults::tools::TC.run(&[&place[..], discipline].concat()).map(drop)
}

/// Joins an end to the way: .1 at the end, .254 on the way.
fn join(end: &Namespace, way: &Namespace, name: &str, network: u8) -> Result<()> {
    let peer = ["peer", "name", name, "netns", way.name()];
    end.ip(&[&["link", "add", "name", FarPath::CARD, "type", "veth"], &peer[..]].concat())?;
    for (namespace, interface, host) in [(end, FarPath::CARD, 1), (way, name, 254)] {
        let address = format!("198.18.{network}.{host}/24");
        namespace.ip(&["address", "add", &address, "dev", interface])?;
        namespace.ip(&["link", "set", interface, "up"])?;
        let inside = ["netns", "exec", namespace.name(), ETHTOOL.program, "-K", interface];
        let off = ["tso", "off", "gso", "off", "gro", "off"];
        crate::faults::tools::IP.run(&[&inside[..], &off].concat())?;
    }
    end.ip(&["route", "add", "default", "via", &format!("198.18.{network}.254")]).map(drop)
}
