//! The one table of what parses bytes.

use std::hint::black_box;
use std::io::Write;

use conf::{MountTable, MountTableDialect, SysctlDocument, SysctlFile, SysctlKey};
use host::kernel::{proc_net_tcp, proc_net_unix};
use host::{Host, Tree, text};
use stack::{bundle, cgroup, cpu, disk, document, irq, memory, nfs, settings, sockets, tasks};

use super::corpus::{self, CPUS, Corpus, DOCUMENT, PACKED, UNPACKED};
use super::edits;
use super::mutate::mutate;
use super::random::Random;
use super::run::Target;

/// Something that parses bytes.
pub(crate) struct Parser {
    name: &'static str,
    /// The paths of the files it is made for; `*` stands for anything within a name.
    paths: &'static [&'static str],
    weight: usize,
    parse: fn(&[u8]),
}

const fn parser(name: &'static str, paths: &'static [&'static str], parse: fn(&[u8])) -> Parser {
    Parser { name, paths, weight: 20, parse }
}

/// A parser whose calls cost so much that it gets fewer.
const fn slow(name: &'static str, paths: &'static [&'static str], parse: fn(&[u8])) -> Parser {
    Parser { name, paths, weight: 10, parse }
}

/// Every public parser.
pub(crate) const PARSERS: &[Parser] = &[
    parser("text::lines, words and numbers", &["/proc/stat", "/proc/vmstat"], text_helpers),
    parser("text::cpu_list", &[CPUS], |bytes| see(text::cpu_list(&lossy(bytes)))),
    parser("text::cpu_mask", &[CPUS], |bytes| see(text::cpu_mask(&lossy(bytes)))),
    parser("proc_net_tcp::listeners", &["/proc/net/tcp", "/proc/net/tcp6"], |bytes| {
        see(proc_net_tcp::listeners(bytes));
    }),
    parser("proc_net_tcp::tcp_table", &["/proc/net/tcp", "/proc/net/tcp6"], |bytes| {
        let (tcp, tcp6) = bytes.split_at(bytes.len() / 2);
        black_box(proc_net_tcp::tcp_table(tcp, tcp6, (32768, 60999)));
    }),
    parser("proc_net_unix::listeners", &["/proc/net/unix"], |bytes| see(proc_net_unix::listeners(bytes))),
    parser("tree listeners.json", &["/.narrows/listeners.json"], |bytes| {
        see(answering("listeners", bytes).at(0).listeners());
    }),
    parser("tree tcp.json", &["/.narrows/tcp.json"], |bytes| {
        see(answering("tcp", bytes).at(0).tcp_table((1, 2)));
    }),
    parser("tree qdiscs.json", &["/.narrows/qdiscs.json"], |bytes| {
        see(answering("qdiscs", bytes).at(0).qdiscs());
    }),
    parser("tree links.json", &["/.narrows/links.json"], |bytes| {
        see(answering("links", bytes).at(0).links());
    }),
    parser("tree ethtool.json", &["/.narrows/ethtool/*"], |bytes| {
        see(answering("ethtool/a", bytes).at(0).ethtool("a"));
    }),
    parser("tree clock", &["/.narrows/clock.json", "/proc/uptime"], clock),
    parser("disk::parse", &["/proc/diskstats"], |bytes| see(disk::parse(bytes))),
    parser("cpu::parse_stat", &["/proc/stat"], |bytes| see(cpu::parse_stat(bytes))),
    parser("cpu::parse_loadavg", &["/proc/loadavg"], |bytes| see(cpu::parse_loadavg(bytes))),
    parser("cpu::parse_pressure", &["/proc/pressure/*"], |bytes| see(cpu::parse_pressure(bytes))),
    parser("cpu::parse_schedstat", &["/proc/schedstat"], |bytes| see(cpu::parse_schedstat(bytes))),
    parser("irq::parse_interrupts", &["/proc/interrupts"], |bytes| see(irq::parse_interrupts(bytes))),
    parser("irq::parse_softirqs", &["/proc/softirqs"], |bytes| see(irq::parse_softirqs(bytes))),
    parser("irq::parse_softnet", &["/proc/net/softnet_stat"], |bytes| see(irq::parse_softnet(bytes))),
    parser("irq::Vector::parse", &["/proc/interrupts"], vectors),
    parser("sockets::parse_counters", &["/proc/net/netstat", "/proc/net/snmp"], |bytes| {
        see(sockets::parse_counters(bytes));
    }),
    parser("sockets::parse_sockstat", &["/proc/net/sockstat"], |bytes| see(sockets::parse_sockstat(bytes))),
    parser("sockets::parse_port_range", &["/proc/sys/net/ipv4/ip_local_port_range"], |bytes| {
        see(sockets::parse_port_range(bytes));
    }),
    parser("sockets::parse_port_list", &["/proc/sys/net/ipv4/ip_local_reserved_ports", CPUS], |bytes| {
        see(sockets::parse_port_list(bytes));
    }),
    parser("memory::parse_meminfo", &["/proc/meminfo"], |bytes| see(memory::parse_meminfo(bytes))),
    parser("memory::parse_vmstat", &["/proc/vmstat"], |bytes| see(memory::parse_vmstat(bytes))),
    parser("memory::parse_slabinfo", &["/proc/slabinfo"], |bytes| see(memory::parse_slabinfo(bytes))),
    parser("memory::parse_dentry_state", &["/proc/sys/fs/dentry-state"], |bytes| {
        see(memory::parse_dentry_state(bytes, true));
    }),
    parser("nfs::parse_mountstats", &["/proc/*/mountstats"], |bytes| see(nfs::parse_mountstats(bytes))),
    parser("nfs::parse_mounts", &["/proc/mounts", "/proc/*/mounts"], |bytes| see(nfs::parse_mounts(bytes))),
    parser("tasks::parse_stat", &["/proc/*/stat", "/proc/*/task/*/stat"], |bytes| {
        see(tasks::parse_stat(bytes));
    }),
    parser("tasks::parse_wchan", &["/proc/*/wchan", "/proc/*/task/*/wchan"], |bytes| {
        see(tasks::parse_wchan(bytes));
    }),
    parser("tasks::parse_stack", &["/proc/*/stack", "/proc/*/task/*/stack"], |bytes| {
        see(tasks::parse_stack(bytes));
    }),
    parser("tasks::parse_syscall", &["/proc/*/syscall", "/proc/*/task/*/syscall"], |bytes| {
        see(tasks::parse_syscall(bytes, tasks::Architecture::X86));
    }),
    parser("cgroup::parse_mounts", &["/proc/self/mountinfo"], |bytes| see(cgroup::parse_mounts(bytes))),
    parser("cgroup::parse_cpu_max", &["/sys/fs/cgroup/*/cpu.max"], |bytes| see(cgroup::parse_cpu_max(bytes))),
    parser("cgroup::parse_io_bytes", &["/sys/fs/cgroup/*/io.stat"], |bytes| {
        see(cgroup::parse_io_bytes(bytes));
    }),
    parser(
        "cgroup::parse_key_values",
        &["/sys/fs/cgroup/*/cpu.stat", "/sys/fs/cgroup/*/memory.events"],
        |bytes| see(cgroup::parse_key_values(bytes)),
    ),
    parser("settings::parse_fstab", &["/etc/fstab"], |bytes| see(settings::parse_fstab(bytes))),
    parser("settings::parse_sysctl_files", &["/etc/sysctl.conf", "/etc/sysctl.d/*.conf"], |bytes| {
        let file = SysctlFile { path: "/etc/sysctl.d/10-a.conf", bytes };
        see(settings::parse_sysctl_files(&[file]));
    }),
    parser("conf::SysctlDocument", &["/etc/sysctl.conf", "/etc/sysctl.d/*.conf"], sysctl_document),
    parser("conf::SysctlKey", &["/etc/sysctl.d/*.conf"], sysctl_key),
    parser("conf::order_sysctls", &["/etc/sysctl.conf", "/etc/sysctl.d/*.conf"], sysctl_order),
    parser("conf::MountTable", &["/etc/fstab", "/proc/mounts", "/proc/self/mounts"], mount_table),
    parser("conf::parse_mountstats_device", &["/proc/*/mountstats"], |bytes| {
        for (_, _, line) in text::lines(bytes) {
            black_box(conf::parse_mountstats_device(line));
        }
    }),
    parser("conf::SettingsDocument ini", &["/etc/php/*"], edits::ini),
    parser("conf::SettingsDocument option file", &["/etc/mysql/*"], edits::option_file),
    parser("conf::SettingsDocument systemd", &["/etc/systemd/system/*"], edits::systemd),
    parser("conf::NginxDocument", &["/etc/nginx/*"], edits::nginx),
    parser("conf::HaproxyDocument", &["/etc/haproxy/*"], edits::haproxy),
    parser("document::parse", &[DOCUMENT], |bytes| see(document::parse(&lossy(bytes)))),
    parser("bundle::read", &[PACKED], |bytes| see(bundle::read(bytes))),
    slow("bundle::read and diagnose", &[UNPACKED], unpacked_bundle),
];

/// Keeps the optimizer from leaving a call out.
fn see<T>(value: T) {
    black_box(value);
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn text_helpers(bytes: &[u8]) {
    for (number, start, line) in text::lines(bytes) {
        assert!(number > 0 && bytes.get(start..).is_some_and(|rest| rest.starts_with(line)));
        for word in text::words(line) {
            black_box((text::decimal(word), text::hexadecimal(word)));
        }
    }
}

fn answering(name: &str, bytes: &[u8]) -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, &format!("/.narrows/{name}.json"), bytes);
    tree
}

fn clock(bytes: &[u8]) {
    let mut tree = answering("clock", bytes);
    tree.put(0, "/proc/uptime", bytes);
    black_box(tree.at(0).clock());
}

fn vectors(bytes: &[u8]) {
    let interfaces = ["eth0".to_owned(), "ens1np0".to_owned()];
    for word in text::words(bytes) {
        black_box(irq::Vector::parse(&lossy(word), &interfaces));
    }
}

fn sysctl_document(bytes: &[u8]) {
    let mut document = SysctlDocument::new("a.conf", bytes);
    assert!(document.as_bytes() == bytes, "a document that was not edited has changed");
    let spans: Vec<_> = document.entries().iter().map(|entry| entry.key_span).collect();
    let written = spans.iter().filter_map(|span| document.document().get(*span));
    let written: Vec<Vec<u8>> = written.take(8).map(<[u8]>::to_vec).collect();
    for key in written {
        if document.set(&key, "7").is_ok() {
            let set = document.last(&SysctlKey::new(&key)).map(|entry| entry.value_text().into_owned());
            assert!(set.as_deref() == Some("7"), "{} was set to 7 and is {set:?}", key.escape_ascii());
        }
    }
}

fn sysctl_key(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (key, other) = (SysctlKey::new(first), SysctlKey::new(second));
    black_box((key.matches(&other), other.is_glob(), key.is_empty()));
}

fn sysctl_order(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let files = [
        SysctlFile { path: "/etc/sysctl.d/10-a.conf", bytes: first },
        SysctlFile { path: "/usr/lib/sysctl.d/20-b.conf", bytes: second },
    ];
    let order = conf::order_sysctls(&files);
    for key in order.explicit().keys().take(8) {
        black_box(order.effective(key));
    }
}

fn mount_table(bytes: &[u8]) {
    for dialect in [MountTableDialect::Fstab, MountTableDialect::ProcMounts] {
        let mut table = MountTable::new("fstab", bytes, dialect);
        assert!(table.as_bytes() == bytes, "a table that was not edited has changed");
        let lines: Vec<usize> = table.entries().iter().map(|entry| entry.line).collect();
        for line in lines.into_iter().take(4) {
            see(table.set_option(line, "nconnect", Some(b"8")));
            see(table.remove_option(line, "nconnect"));
        }
    }
}

fn unpacked_bundle(bytes: &[u8]) {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    if packer.write_all(bytes).is_err() {
        return;
    }
    if let Ok(evidence) = packer.finish().map_err(drop).and_then(|packed| bundle::read(&packed).map_err(drop))
    {
        black_box(stack::diagnose(&evidence));
    }
}

/// A parser with the inputs made for it.
pub(crate) struct Fed<'a> {
    parser: &'static Parser,
    /// The inputs made for it, the longest last.
    own: Vec<&'a [u8]>,
    all: &'a [(String, Vec<u8>)],
}

impl<'a> Fed<'a> {
    /// Every parser of the table, fed from a corpus.
    pub(crate) fn all(corpus: &'a Corpus) -> Vec<Self> {
        let made_for =
            |parser: &Parser, path: &str| parser.paths.iter().any(|pattern| corpus::matches(pattern, path));
        let own = |parser| {
            let files = corpus.files.iter().filter(|(path, _)| made_for(parser, path));
            let mut own: Vec<&[u8]> = files.map(|(_, bytes)| bytes.as_slice()).collect();
            own.sort_by_key(|bytes| bytes.len());
            own
        };
        PARSERS.iter().map(|parser| Self { parser, own: own(parser), all: &corpus.files }).collect()
    }

    fn any(&self, random: &mut Random) -> &'a [u8] {
        random.pick(self.all).map_or(b"".as_slice(), |(_, bytes)| bytes.as_slice())
    }
}

impl Target for Fed<'_> {
    fn name(&self) -> &str {
        self.parser.name
    }

    fn weight(&self) -> usize {
        self.parser.weight
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        let stranger = random.one_in(32);
        let shorter = if random.one_in(4) { self.own.len().saturating_sub(4) } else { 0 };
        let first = random.pick(self.own.get(shorter..).unwrap_or_default()).copied();
        let mut input = first.filter(|_| !stranger).unwrap_or_else(|| self.any(random)).to_vec();
        let other = random.pick(&self.own).copied().filter(|_| !random.one_in(8));
        mutate(&mut input, other.unwrap_or_else(|| self.any(random)), random);
        input
    }

    fn call(&self, input: &[u8]) {
        (self.parser.parse)(input);
    }
}
