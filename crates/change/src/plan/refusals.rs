//! What narrows never does, whoever asks for it.

use model::{DirectiveEdit, Edit};

use super::boot;
use super::lower::{Draft, Ground};
use super::refusals_services::in_file;
use super::refusals_sql;
use crate::{Action, Operation, Target};

/// Why an operation is not done, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// Why not.
    pub because: String,
    /// What to do instead.
    pub instead: String,
}

/// Longer queues than this are forbidden: what waits behind 16,384 others is no longer waited for by its visitor.
const LONGEST_QUEUE: u64 = 16_384;
const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";

/// A value of a kernel parameter that does harm.
struct Rule {
    keys: &'static [&'static str],
    is: fn(&str) -> bool,
    because: &'static str,
    instead: &'static str,
}

fn any(_: &str) -> bool {
    true
}

fn number(value: &str) -> Option<u64> {
    value.split_whitespace().next()?.parse().ok()
}

const RULES: [Rule; 11] = [
    Rule {
        keys: &["net.ipv4.tcp_orphan_retries"],
        is: |value| number(value).is_some_and(|retries| (1..4).contains(&retries)),
        because: "a visitor who cannot be reached for a second or two loses the rest of the response",
        instead: "leave it at 0, which means 8 retries; shorten net.ipv4.tcp_fin_timeout if orphans are many",
    },
    Rule {
        keys: &["net.ipv4.tcp_fastopen_key"],
        is: any,
        because: "whoever knows the key computes the cookies of TCP Fast Open, and a key in a file or a plan is known",
        instead: "delete the line that sets it: the kernel makes a random key of its own",
    },
    Rule {
        keys: &[RANGE],
        is: |value| number(value).is_some_and(|low| low <= 1024),
        because: "outgoing connections would take the ports of services before they start",
        instead: "begin the range above the ports of all services, and reserve those inside it with \
                  net.ipv4.ip_local_reserved_ports",
    },
    Rule {
        keys: &["net.core.optmem_max"],
        is: |value| number(value).is_some_and(|bytes| bytes > 1 << 20),
        because: "any user could pin more than 1 MiB of kernel memory with each socket",
        instead: "leave it at the kernel's own value: 20480 before Linux 6.8, 131072 since",
    },
    Rule {
        keys: &["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog", "net.core.netdev_max_backlog"],
        is: |value| number(value).is_some_and(|length| length > LONGEST_QUEUE),
        because: "what waits behind 16,384 others is answered after its visitor has left",
        instead: "make the workers behind the queue faster or more; at most 16384",
    },
    Rule {
        keys: &["vm.drop_caches"],
        is: any,
        because: "it throws away what was read, once, and everything is read anew from the disk",
        instead: "leave the cache alone: the kernel gives it up as soon as memory is needed",
    },
    Rule {
        keys: &["net.ipv4.tcp_syncookies"],
        is: |value| number(value) == Some(0),
        because: "without cookies, anyone can fill the queue of half-open connections and lock visitors out",
        instead: "leave it at 1",
    },
    Rule {
        keys: &["kernel.core_pattern", "kernel.modprobe", "kernel.hotplug", "kernel.poweroff_cmd"],
        is: any,
        because: "it names a program that the kernel runs as root",
        instead: "set it by hand where you know the program",
    },
    Rule {
        keys: &[
            "kernel.sysrq",
            "kernel.panic",
            "kernel.panic_on_oops",
            "kernel.kexec_load_disabled",
            "kernel.modules_disabled",
        ],
        is: any,
        because: "it decides what becomes of the host in an emergency, not how fast it is",
        instead: "set it by hand as your policy says",
    },
    Rule {
        keys: &[
            "kernel.randomize_va_space",
            "kernel.kptr_restrict",
            "kernel.dmesg_restrict",
            "kernel.unprivileged_bpf_disabled",
            "kernel.yama.ptrace_scope",
            "kernel.perf_event_paranoid",
            "fs.protected_hardlinks",
            "fs.protected_symlinks",
            "fs.suid_dumpable",
            "vm.mmap_min_addr",
        ],
        is: any,
        because: "it protects the host, and no speed is worth it",
        instead: "leave it, or set it by hand as your policy says",
    },
    Rule {
        keys: &["net.ipv4.tcp_max_orphans", "net.ipv4.tcp_max_tw_buckets", "net.core.netdev_budget"],
        is: |value| number(value) == Some(0),
        because: "0 lets nothing through",
        instead: "give it the kernel's own value",
    },
];

/// Why an operation is forbidden whatever the host is like; `None` when it is not. It judges plans that narrows makes
/// and plans that come back from a file, which people can edit.
pub fn forbidden(operation: &Operation) -> Option<Forbidden> {
    in_action(&operation.target, &operation.action)
}

pub(super) fn in_action(target: &Target, action: &Action) -> Option<Forbidden> {
    match (target, action) {
        (Target::File(file), _) if of_the_kernel(&file.path) => Some(Forbidden {
            because: format!("{} is the kernel's, not a file of the configuration", file.path),
            instead: "plan the change by its kind, not as a file".to_owned(),
        }),
        (Target::File(file), Action::Link { to }) if !boot::is_our_link(&file.path, to) => Some(Forbidden {
            because: format!("narrows makes no link from {} to {to}", file.path),
            instead: "make it by hand, if it is yours".to_owned(),
        }),
        (Target::Sysctl(sysctl), Action::Set { value }) => parameter(&sysctl.key, value),
        (Target::SqlVariable(of), Action::Set { value }) => refusals_sql::variable(of, value),
        (Target::SqlStatement(statement), _) => refusals_sql::statement(statement),
        (Target::Mount(mount), Action::Options { set, .. }) if set.iter().any(|option| option == "ro") => {
            Some(read_only(&mount.mount_point))
        }
        (Target::File(file), Action::Edit { edits }) => {
            edits.iter().find_map(in_edit).or_else(|| in_file(&file.path, edits))
        }
        (_, Action::Edit { edits }) => edits.iter().find_map(in_edit),
        _ => None,
    }
}

/// Where a file is not what it looks like, and the rules for parameters could be passed by.
fn of_the_kernel(path: &str) -> bool {
    ["/proc", "/sys", "/dev"]
        .iter()
        .any(|kernel| path.strip_prefix(kernel).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn parameter(key: &str, value: &str) -> Option<Forbidden> {
    let key = conf::SysctlKey::new(key).to_string();
    let rule = RULES.iter().find(|rule| rule.keys.contains(&key.as_str()) && (rule.is)(value))?;
    Some(Forbidden {
        because: format!("narrows does not set {key} to such a value: {}", rule.because),
        instead: rule.instead.to_owned(),
    })
}

fn in_edit(edit: &Edit) -> Option<Forbidden> {
    let queue = |what: &str, length: &str| {
        let because = format!(
            "{what} may not be longer than {LONGEST_QUEUE}: what waits behind so many has no visitor"
        );
        let instead = "make the workers behind the queue faster or more".to_owned();
        number(length).filter(|length| *length > LONGEST_QUEUE).map(|_| Forbidden { because, instead })
    };
    match edit {
        Edit::Sysctl { key, value: Some(value), .. } => parameter(key, value),
        Edit::Line { line, present: true } => {
            let (key, value) = line.split_once('=')?;
            parameter(key.trim(), value.trim())
        }
        Edit::Ini { key, value: Some(value), .. } if key == "listen.backlog" => queue(key, value),
        Edit::Nginx { directive, to: DirectiveEdit::Parameter { name, value }, .. }
            if directive == "listen" && name == "backlog" =>
        {
            queue("the backlog of listen", value)
        }
        Edit::Haproxy { keyword, arguments: Some(arguments), .. } if keyword == "backlog" => {
            queue("backlog", arguments)
        }
        _ => None,
    }
}

fn read_only(mount_point: &str) -> Forbidden {
    Forbidden {
        because: format!("{mount_point} may be written to, and `ro` makes every write fail"),
        instead: "mount what is only read as a file system of its own, and that one read-only".to_owned(),
    }
}

/// Why a draft is forbidden on this host, among these other drafts.
pub(super) fn forbidden_here(ground: &Ground<'_>, drafts: &[Draft], draft: &Draft) -> Option<Forbidden> {
    draft.steps.iter().find_map(|step| match (&step.target, &step.action) {
        (Target::Sysctl(sysctl), Action::Set { value }) if sysctl.key == RANGE => {
            // The sockets of another network namespace are not listed from here.
            let own = sysctl.namespace.is_none();
            own.then(|| range_over_services(ground, drafts, value)).flatten()
        }
        (_, Action::Edit { edits }) => edits.iter().find_map(|edit| match edit {
            Edit::Fstab { mount_point, option, to: model::Presence::Set { .. } } if option == "ro" => {
                let untouched = ground.mounts.written(mount_point) == Some(false);
                (!untouched).then(|| read_only(mount_point))
            }
            _ => None,
        }),
        (Target::SqlStatement(_), _) => refusals_sql::without_way_back(drafts, draft),
        _ => None,
    })
}

fn range_over_services(ground: &Ground<'_>, drafts: &[Draft], range: &str) -> Option<Forbidden> {
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u16>().ok());
    let (low, high) = (ends.next()?, ends.next()?);
    let planned =
        drafts.iter().flat_map(|draft| &draft.steps).find_map(|step| match (&step.target, &step.action) {
            (Target::Sysctl(sysctl), Action::Set { value }) if sysctl.key == RESERVED => Some(value.clone()),
            _ => None,
        });
    let path = format!("/proc/sys/{}", RESERVED.replace('.', "/"));
    let reserved = planned.or_else(|| ground.host.value(&path).ok()).unwrap_or_default();
    let is_reserved = |port: u16| {
        reserved.split(',').any(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let end = |text: &str| text.trim().parse::<u16>().ok();
            end(first).zip(end(last)).is_some_and(|(first, last)| (first..=last).contains(&port))
        })
    };
    let listeners = match ground.host.listeners() {
        Ok(listeners) => listeners,
        Err(error) => {
            return Some(Forbidden {
                because: format!("it cannot be told which ports of the range are those of services: {error}"),
                instead: "run narrows as root, so that it sees every socket in LISTEN".to_owned(),
            });
        }
    };
    let ports = listeners.iter().filter_map(|listener| listener.port);
    let taken = ports.filter(|port| (low..=high).contains(port) && !is_reserved(*port)).min()?;
    Some(Forbidden {
        because: format!(
            "a service listens on port {taken}, inside the range {low} to {high}: an outgoing connection could take it \
             while the service restarts"
        ),
        instead: format!("reserve it first: add {taken} to {RESERVED}"),
    })
}
