//! What a report says of files that the caller's rights do not reach.

use host::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use host::{Clock, Host, HostError, Tree, TreeHost};
use stack::Evidence;
use stack::reading::{identity, read_once, read_settings};
use stack::samples::Samples;

const DENIED: [(&str, &str); 3] = [
    ("memory", "/proc/slabinfo"),
    ("tasks", "/proc/1/stack"),
    ("settings", "/proc/sys/net/ipv4/tcp_fastopen_key"),
];

/// A host that lets some files be read by root alone.
struct Guarded {
    host: TreeHost,
    root: bool,
}

impl Host for Guarded {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        if DENIED.iter().any(|(_, denied)| *denied == path) {
            return Err(HostError::Permission { path: path.to_owned() });
        }
        self.host.read_into(path, buffer)
    }
    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        self.host.list(path)
    }
    fn link(&self, path: &str) -> Result<String, HostError> {
        self.host.link(path)
    }
    fn clock(&self) -> Clock {
        self.host.clock()
    }
    fn is_root(&self) -> Option<bool> {
        Some(self.root)
    }
    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.host.listeners()
    }
    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.host.tcp_table(ephemeral)
    }
    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.host.qdiscs()
    }
    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.host.links()
    }
    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.host.ethtool(interface)
    }
}

/// The rows of NOT READ, as layer and reason.
fn not_read(root: bool) -> Vec<(String, String)> {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/meminfo", "MemTotal: 100 kB\n");
    tree.put(0, "/proc/1/stat", "1 (init) S 0 1 1 0 -1 0 0 0 0 0 30 12 0 0 20 0 1 0");
    let host = Guarded { host: tree.at(0), root };
    let readings = vec![read_once(&host)];
    let evidence = Evidence {
        host: identity(&host, &readings),
        settings: read_settings(&host),
        services: stack::services::Services::read(&host),
        readings,
        samples: Samples::default(),
    };
    stack::diagnose(&evidence).unread.into_iter().map(|row| (row.layer, row.why)).collect()
}

#[test]
fn what_root_would_add_is_listed_by_file() {
    let rows = not_read(false);
    for (layer, path) in DENIED {
        let names = |row: &&(String, String)| row.0 == layer && row.1.contains(path);
        assert_eq!(rows.iter().filter(names).count(), 1, "{path} in {rows:?}");
    }
}

#[test]
fn root_that_may_not_look_into_init_alone_is_not_told_to_become_root() {
    assert!(not_read(true).iter().all(|(layer, _)| layer != "tasks"));
}
