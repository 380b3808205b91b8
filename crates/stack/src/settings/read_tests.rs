use host::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use host::{Clock, Tree, TreeHost};

use super::*;

#[test]
fn values_lose_their_tabs_and_missing_keys_are_left_out() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
    tree.put(0, "/proc/sys/net/ipv4/tcp_fastopen_key", "12345678-9abcdef0-12345678-9abcdef0\n");
    let values = read_values(&tree.at(0), &mut vec![]);
    assert_eq!(values.len(), 2);
    assert_eq!(values["net.ipv4.tcp_rmem"], "4096 131072 6291456");
    assert_eq!(values["net.ipv4.tcp_fastopen_key"], "set");
}

#[test]
fn the_last_file_by_name_owns_a_key_through_the_link_of_debian() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/usr/lib/sysctl.d/50-a.conf", "net.core.somaxconn = 1024\nvm.swappiness = 30\n");
    tree.put_link(0, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
    tree.put(0, "/etc/sysctl.conf", "# more\nnet/core/somaxconn=65535\n");
    tree.put_link(0, "/etc/sysctl.d/50-pid-max.conf", "/dev/null");
    tree.put(0, "/usr/lib/sysctl.d/50-pid-max.conf", "kernel.pid_max = 4194304\n");
    let facts = read(&tree.at(0));
    assert_eq!(facts.owner("net.core.somaxconn").unwrap(), "/etc/sysctl.d/99-sysctl.conf:2");
    assert_eq!(facts.owner("vm.swappiness").unwrap(), "/usr/lib/sysctl.d/50-a.conf:2");
    assert_eq!(facts.owner("kernel.pid_max"), None);
    assert_eq!(facts.unread, vec![]);
}

#[test]
fn links_in_a_circle_are_reported() {
    let mut tree = Tree::in_memory(1);
    tree.put_link(0, "/etc/sysctl.d/a.conf", "b.conf");
    tree.put_link(0, "/etc/sysctl.d/b.conf", "./a.conf");
    let facts = read(&tree.at(0));
    assert_eq!(facts.unread.len(), 2);
    assert_eq!(facts.persisted.facts(), Some(&vec![]));
}

#[test]
fn without_any_directory_nothing_is_claimed() {
    let facts = read(&Tree::in_memory(1).at(0));
    assert_eq!((facts.persisted.facts(), facts.fstab.facts()), (None, None));
}

#[test]
fn a_host_without_such_directories_sets_nothing_by_files() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/hostname", "web1");
    assert_eq!(read(&tree.at(0)).persisted.facts(), Some(&vec![]));
}

#[test]
fn a_directory_that_hangs_costs_only_its_own_files() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/sysctl.d/a.conf", "vm.swappiness = 10\nno assignment\n");
    let facts = read(&Hanging(tree.at(0)));
    assert_eq!(facts.owner("vm.swappiness").unwrap(), "/etc/sysctl.d/a.conf:1");
    let whys: Vec<_> = facts.unread.iter().map(|unread| unread.why.as_str()).collect();
    assert_eq!(whys.len(), 2, "{whys:?}");
    assert!(whys[0].starts_with("/usr/lib/sysctl.d did not answer"), "{whys:?}");
}

/// A host on which one directory never answers.
struct Hanging(TreeHost);

impl Host for Hanging {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        self.0.read_into(path, buffer)
    }
    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        if path == "/usr/lib/sysctl.d" {
            return Err(HostError::TimedOut { path: path.to_owned(), limit_ms: 300 });
        }
        self.0.list(path)
    }
    fn link(&self, path: &str) -> Result<String, HostError> {
        self.0.link(path)
    }
    fn clock(&self) -> Clock {
        self.0.clock()
    }
    fn is_root(&self) -> Option<bool> {
        None
    }
    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.0.listeners()
    }
    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.0.tcp_table(ephemeral)
    }
    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.0.qdiscs()
    }
    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.0.links()
    }
    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.0.ethtool(interface)
    }
}
