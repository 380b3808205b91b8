//! Which groups compete for the CPUs: units and containers, with what they used, what they waited, and whether they serve.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use host::{Host, HostError, text};

use super::walk::UNITS;
use super::{Competitor, Group};

/// From this share of the last 10 s in which a task of a group waited for a CPU on (percent), it is worth a closer look.
const PRESSED: f64 = 1.0;
/// So many processes of a group are looked at; what forks shares its sockets.
const MOST_PROCESSES: usize = 16;
/// So many descriptors of each. Servers open their sockets first.
const MOST_DESCRIPTORS: usize = 64;

/// Whether groups serve: whether one of their processes holds a socket that connections arrive at.
pub(super) struct Serving<'a> {
    host: &'a dyn Host,
    /// Descriptors that are listening sockets, as `/proc/PID/fd` shows them; `None` where they are not known.
    listeners: OnceCell<Option<BTreeSet<String>>>,
}

impl<'a> Serving<'a> {
    pub(super) fn new(host: &'a dyn Host) -> Self {
        Self { host, listeners: OnceCell::new() }
    }

    /// Whether a process of the group whose folder this is listens; `None` where that cannot be told: without root's rights,
    /// or in a network namespace of its own.
    pub(super) fn listens(&self, folder: &str) -> Option<bool> {
        let listeners = self.listeners.get_or_init(|| {
            let all = self.host.listeners().ok()?;
            Some(all.iter().map(|listener| format!("socket:[{}]", listener.inode)).collect())
        });
        let listeners = listeners.as_ref()?;
        let processes = self.host.read(&format!("{folder}/cgroup.procs")).ok()?;
        let processes = String::from_utf8_lossy(&processes).into_owned();
        let seen = processes.split_whitespace().take(MOST_PROCESSES);
        let seen: Vec<_> = seen.filter_map(|process| self.look(process, listeners)).collect();
        match seen.contains(&Process::Listens) {
            true => Some(true),
            false => (!seen.is_empty() && !seen.contains(&Process::Hidden)).then_some(false),
        }
    }

    /// `None` for a process that has ended; it serves nobody.
    fn look(&self, process: &str, listeners: &BTreeSet<String>) -> Option<Process> {
        let folder = format!("/proc/{process}/fd");
        let mut descriptors = match self.host.list(&folder) {
            Ok(descriptors) => descriptors,
            Err(HostError::NotFound { .. }) => return None,
            Err(_) => return Some(Process::Hidden),
        };
        let namespace = |process: &str| self.host.link(&format!("/proc/{process}/ns/net"));
        if let (Ok(its), Ok(ours)) = (namespace(process), namespace("self"))
            && its != ours
        {
            return Some(Process::Hidden);
        }
        descriptors.sort_by_key(String::len);
        let listens = descriptors.iter().take(MOST_DESCRIPTORS).any(|descriptor| {
            self.host.link(&format!("{folder}/{descriptor}")).is_ok_and(|link| listeners.contains(&link))
        });
        Some(if listens { Process::Listens } else { Process::Deaf })
    }
}

/// What the descriptors of a process tell.
#[derive(PartialEq, Eq)]
enum Process {
    /// One of them is a listening socket.
    Listens,
    /// None is.
    Deaf,
    /// They may not be seen, or belong to another network namespace.
    Hidden,
}

/// What a group waited for CPUs since it was made, in microseconds, and whether it did so lately (`cpu.pressure`).
pub(super) fn waited(bytes: &[u8]) -> Option<(u64, bool)> {
    let pressure = crate::cpu::parse_pressure(bytes)?;
    Some((pressure.some_total_us, pressure.some_avg10 >= PRESSED))
}

/// The weight of a group among its siblings (`cpu.weight`).
pub(super) fn weight(bytes: &[u8]) -> Option<u64> {
    text::decimal(bytes.trim_ascii())
}

/// The groups that compete for the CPUs as wholes: services, scopes and containers, without what is inside of them.
pub(super) fn competitors<'a>(groups: impl Iterator<Item = &'a Group> + Clone) -> Vec<Competitor> {
    let whole = groups.clone().filter(|group| unit(&group.path) == Some(&group.path));
    let whole: Vec<_> = whole.filter(|group| group.usage_us.is_some_and(|used| used > 0)).collect();
    let inside =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    let holds_others = |path: &str| whole.iter().any(|other| inside(&other.path, path));
    let kept = whole.iter().filter(|group| !holds_others(&group.path));
    kept.map(|group| {
        let parts = groups.clone().filter(|part| part.path == group.path || inside(&part.path, &group.path));
        Competitor {
            path: group.path.clone(),
            usage_us: group.usage_us.unwrap_or(0),
            waited_us: group.waited_us,
            weight: group.weight,
            listens: parts.filter_map(|part| part.listens).reduce(|one, other| one || other),
        }
    })
    .collect()
}

/// The service, scope or container that a group is, or lies in; `None` for a slice.
fn unit(path: &str) -> Option<&str> {
    let mut end = 0;
    for part in path.split('/').skip(1) {
        end += 1 + part.len();
        let last = end == path.len();
        let is_unit = UNITS.iter().any(|suffix| part.ends_with(suffix));
        if part.is_empty() || part.ends_with(".slice") {
            continue;
        }
        if is_unit || last {
            return path.get(..end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_scopes_and_containers_compete_and_slices_do_not() {
        for (path, expected) in [
            ("/", None),
            ("/system.slice", None),
            ("/system.slice/cron.service", Some("/system.slice/cron.service")),
            ("/system.slice/cron.service/job", Some("/system.slice/cron.service")),
            (
                "/user.slice/user-0.slice/user@0.service/app.slice/a.service",
                Some("/user.slice/user-0.slice/user@0.service"),
            ),
            ("/docker/0a1b", Some("/docker/0a1b")),
            ("/docker", Some("/docker")),
        ] {
            assert_eq!(unit(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_inside_of_a_unit_counts_for_it() {
        let group = |path: &str, usage_us, listens| Group {
            path: path.to_owned(),
            usage_us: Some(usage_us),
            listens,
            ..Group::default()
        };
        let groups = [
            group("/docker", 9, None),
            group("/docker/a", 5, None),
            group("/docker/b", 4, None),
            group("/web.service", 7, Some(false)),
            group("/web.service/worker", 7, Some(true)),
            group("/idle.service", 0, None),
        ];
        let all = competitors(groups.iter());
        let shown: Vec<_> = all.iter().map(|one| (one.path.as_str(), one.usage_us, one.listens)).collect();
        assert_eq!(shown, [("/docker/a", 5, None), ("/docker/b", 4, None), ("/web.service", 7, Some(true))]);
    }
}
