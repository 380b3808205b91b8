//! Parses `/proc/self/mountstats` (fs/nfs/super.c `nfs_show_stats`, net/sunrpc/stats.c `rpc_clnt_show_stats`,
//! `print_stats` of net/sunrpc/xprtsock.c and net/sunrpc/xprtrdma/transport.c).

use std::collections::BTreeMap;

use host::text;

use super::read::{parse_options, unescape};
use super::{Facts, Mount, Operation, Transport};

/// The columns of the `events:` line, in the order of `enum nfs_stat_eventcounters` (include/linux/nfs_iostat.h).
pub const EVENTS: [&str; 27] = [
    "inoderevalidates",
    "dentryrevalidates",
    "datainvalidates",
    "attrinvalidates",
    "vfsopen",
    "vfslookup",
    "vfspermission",
    "vfsupdatepage",
    "vfsreadpage",
    "vfsreadpages",
    "vfswritepage",
    "vfswritepages",
    "vfsreaddir",
    "vfssetattr",
    "vfsflush",
    "vfsfsync",
    "vfslock",
    "vfsrelease",
    "congestionwait",
    "setattrtrunc",
    "extendwrite",
    "sillyrenames",
    "shortreads",
    "shortwrites",
    "delay",
    "pnfsreads",
    "pnfswrites",
];

/// The columns of the `bytes:` line, in the order of `enum nfs_stat_bytecounters`.
pub const BYTES: [&str; 8] = [
    "normalreadbytes",
    "normalwritebytes",
    "directreadbytes",
    "directwritebytes",
    "serverreadbytes",
    "serverwritebytes",
    "readpages",
    "writepages",
];

/// Parses `/proc/self/mountstats`; only NFS mounts are kept. Lines of theirs that make no sense are counted.
pub fn parse_mountstats(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut within = None::<Mount>;
    for (_, _, line) in text::lines(bytes) {
        let line = line.trim_ascii();
        if line.starts_with(b"device ") || line.starts_with(b"no device ") {
            facts.mounts.extend(within.take());
            within = mount(line);
        } else if let Some(mount) = within.as_mut().filter(|_| !line.is_empty()) {
            facts.skipped += u64::from(detail(mount, line).is_none());
        }
    }
    facts.mounts.extend(within);
    facts
}

/// `device SERVER:/EXPORT mounted on PLACE with fstype nfs4 statvers=1.1`; `None` for other file systems.
fn mount(line: &[u8]) -> Option<Mount> {
    let words: Vec<&[u8]> = text::words(line).collect();
    let [b"device", device, b"mounted", b"on", place, b"with", b"fstype", filesystem, ..] = words.as_slice()
    else {
        return None;
    };
    (matches!(*filesystem, b"nfs" | b"nfs4")).then(|| Mount {
        device: unescape(device),
        mount_point: unescape(place),
        filesystem: text::string(filesystem),
        ..Mount::default()
    })
}

/// One line of a mount's statistics; `None` when it makes no sense.
fn detail(mount: &mut Mount, line: &[u8]) -> Option<()> {
    if line == b"per-op statistics" || line.starts_with(b"RPC iostats version") {
        return Some(());
    }
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, values) = (line.get(..colon)?, line.get(colon + 1..)?);
    match name {
        b"opts" => mount.options = parse_options(values),
        b"age" => mount.age_s = Some(text::decimal(values.trim_ascii())?),
        b"events" => mount.events = named(&EVENTS, values)?,
        b"bytes" => mount.bytes = named(&BYTES, values)?,
        b"xprt" => mount.transports.push(transport(values)?),
        _ if name.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit()) => {
            mount.operations.insert(text::string(name), operation(values)?);
        }
        // `caps:`, `nfsv4:`, `sec:`, `impl_id:`, `fsc:` and whatever later kernels add.
        _ => {}
    }
    Some(())
}

/// Columns by name; more columns than names are those of a later kernel.
fn named(names: &[&str], values: &[u8]) -> Option<BTreeMap<String, u64>> {
    let numbers: Option<Vec<u64>> = text::words(values).map(text::decimal).collect();
    let named = names.iter().zip(numbers?).map(|(name, value)| ((*name).to_owned(), value));
    let named: BTreeMap<_, _> = named.collect();
    (!named.is_empty()).then_some(named)
}

/// 8 columns in statistics of version 1.0, 9 in 1.1 (since Linux 5.3, with errors).
fn operation(values: &[u8]) -> Option<Operation> {
    let numbers: Option<Vec<u64>> = text::words(values).map(text::decimal).collect();
    let numbers = numbers?;
    let column = |index: usize| numbers.get(index).copied();
    Some(Operation {
        operations: column(0)?,
        transmissions: column(1)?,
        timeouts: column(2)?,
        bytes_sent: column(3)?,
        bytes_received: column(4)?,
        queue_ms: column(5)?,
        rtt_ms: column(6)?,
        execute_ms: column(7)?,
        errors: column(8),
    })
}

/// A connection. Columns before the counters differ: TCP and RDMA begin with port, binds, connects, connect time and
/// idle time; a local socket has no port; UDP has only port and binds. RDMA ends in columns of its own.
fn transport(values: &[u8]) -> Option<Transport> {
    let mut words = text::words(values);
    let protocol = text::string(words.next()?);
    let before = match protocol.as_str() {
        "udp" => 2,
        "local" => 4,
        _ => 5,
    };
    let columns: Vec<&[u8]> = words.collect();
    let column = |index: usize| columns.get(before + index).and_then(|word| text::decimal(word));
    let socket = |index: usize| column(index).filter(|_| protocol != "rdma");
    Some(Transport {
        sends: column(0)?,
        receives: column(1)?,
        bad_xids: column(2)?,
        in_flight_sum: column(3)?,
        backlog_sum: column(4)?,
        max_slots: socket(5),
        sending_sum: socket(6),
        pending_sum: socket(7),
        protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a Debian 12 guest, Linux 6.1, with the operations that were never used left out.
    const GUEST: &[u8] = b"device proc mounted on /proc with fstype proc\n\
device 127.0.0.1:/ mounted on /var/www/my\\040site with fstype nfs4 statvers=1.1\n\
\topts:\trw,sync,vers=4.1,rsize=262144,acregmin=0,hard,noac,proto=tcp,timeo=600,retrans=2,local_lock=none\n\
\tage:\t9\n\
\timpl_id:\tname='',domain='',date='0,0'\n\
\tcaps:\tcaps=0xc003c0bf,wtmult=512,dtsize=262144,bsize=0,namlen=255\n\
\tnfsv4:\tbm0=0xfdffbfff,acl=0x3,sessions,pnfs=not configured,lease_time=90,lease_expired=0\n\
\tsec:\tflavor=1,pseudoflavor=1\n\
\tevents:\t5209 2078 0 0 0 33 3188 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 \n\
\tbytes:\t0 0 0 0 0 0 0 0 \n\
\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n\
\txprt:\ttcp 0 0 2 0 0 5235 5226 0 63648 0 19 7822 52564\n\
\tper-op statistics\n\
\t        NULL: 1 1 0 44 24 12 10 24 0\n\
\t     GETATTR: 5160 5160 0 820908 1238400 282756 109421 402712 0\n\
\n";

    #[test]
    fn a_mount_of_linux_6_1_is_read() {
        let facts = parse_mountstats(GUEST);
        assert_eq!((facts.skipped, facts.mounts.len()), (0, 1));
        let mount = &facts.mounts[0];
        assert_eq!((mount.mount_point.as_str(), mount.age_s), ("/var/www/my site", Some(9)));
        assert_eq!(mount.options.get("vers"), Some(&Some("4.1".to_owned())));
        assert_eq!(mount.options.get("noac"), Some(&None));
        assert_eq!((mount.events["vfspermission"], mount.events.len()), (3188, 27));
        assert_eq!(mount.bytes.len(), 8);
        let getattr = mount.operations["GETATTR"];
        assert_eq!((getattr.queue_ms, getattr.rtt_ms, getattr.errors), (282_756, 109_421, Some(0)));
        let transport = &mount.transports[0];
        assert_eq!((transport.sends, transport.receives, transport.max_slots), (5235, 5226, Some(19)));
        assert_eq!(transport.pending_sum, Some(52_564));
    }

    #[test]
    fn several_connections_and_the_columns_of_old_kernels_are_read() {
        let facts = parse_mountstats(
            b"device a:/x mounted on /x with fstype nfs statvers=1.0\n\
              \txprt:\ttcp 767 1 3 0 -7 11 12 0 13 14\n\
              \txprt:\tudp 0 1 21 22 0 23 24 25 26 27\n\
              \txprt:\trdma 0 1 1 0 2 31 32 0 33 34 35 36 37\n\
              \txprt:\tlocal 1 1 0 0 41 42 0 43 44 45 46 47\n\
              \tREAD: 1 2 3 4 5 6 7 8\n\
              \tWRITE: 1 2\n\
              \txprt:\tcarrier-pigeon 1\n\
              nonsense\n\
              device b:/y mounted on /y with fstype nfs4 statvers=1.1\n",
        );
        assert_eq!((facts.mounts.len(), facts.skipped), (2, 3));
        let sends: Vec<_> = facts.mounts[0].transports.iter().map(|t| (t.sends, t.max_slots)).collect();
        assert_eq!(sends, [(11, None), (21, Some(25)), (31, None), (41, Some(45))]);
        assert_eq!(facts.mounts[0].operations["READ"].errors, None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_mountstats(&bytes);
        }

        #[test]
        fn no_change_of_a_real_file_makes_it_panic(at in 0..GUEST.len(), with: Vec<u8>) {
            let mut bytes = GUEST.to_vec();
            bytes.splice(at..at, with);
            parse_mountstats(&bytes);
        }
    }
}
