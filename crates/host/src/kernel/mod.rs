//! What the kernel says over netlink and ioctl, where it has no file.

mod answers;

pub use answers::{
    Channels, Destination, Ethtool, Family, Link, Listener, Qdisc, Ring, Service, TcpDetail, TcpTable,
    TcpTotals,
};
