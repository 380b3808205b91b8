//! Finds masters and workers of PHP-FPM in `/proc`: FPM writes what each is over its command line
//! (`fpm_env_setproctitle` in sapi/fpm/fpm/fpm_env.c).

use std::collections::BTreeMap;

use host::{Host, text};
use model::Unread;

use super::version;
use crate::tasks::parse_stat;

/// More workers than these of one master are counted and not looked at.
const MOST_WORKERS: usize = 8192;

/// A master that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: u32,
    parent: u32,
    /// The configuration file; `None` where its command line was cut off.
    pub(super) file: Option<String>,
    /// The prefix for relative paths (`-p`), where the command line still says so.
    pub(super) prefix: Option<String>,
    pub(super) version: Option<String>,
    pub(super) control_group: Option<String>,
    /// The kind of namespace that is not that of narrows: `pid` for a container, whose files are not those of this host, or
    /// `net`, whose sockets are not those that were read.
    pub(super) elsewhere: Option<&'static str>,
    pub(super) workers: Vec<Process>,
}

/// A worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) pool: String,
    pub(super) state: char,
    /// CPU time in ticks.
    pub(super) ticks: u64,
}

enum Title {
    Master { file: Option<String>, prefix: Option<String> },
    Worker(String),
}

/// Every master that runs, in the order of process ids, with its workers.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(super) fn running(host: &dyn Host) -> Result<Vec<Running>, Unread> {
    let names = host.list("/proc").map_err(|error| error.unread())?;
    let mut bytes = Vec::new();
    let mut masters = BTreeMap::new();
    let mut workers: Vec<(u32, Process)> = Vec::new();
    for pid in names.iter().filter_map(|name| u32::try_from(text::decimal(name.as_bytes())?).ok()) {
        bytes.clear();
        if host.read_into(&format!("/proc/{pid}/cmdline"), &mut bytes).is_err() {
            continue;
        }
        match title(&bytes) {
            Some(Title::Master { file, prefix }) => {
                masters.insert(pid, master(host, pid, file, prefix));
            }
            Some(Title::Worker(pool)) => workers.extend(worker(host, pid, pool)),
            None => {}
        }
    }
    // A child that was just forked still has its master's title.
    let pids: Vec<u32> = masters.keys().copied().collect();
    masters.retain(|_, master: &mut Running| !pids.contains(&master.parent));
    for (parent, worker) in workers {
        let master = masters.get_mut(&parent).filter(|master| master.workers.len() < MOST_WORKERS);
        if let Some(master) = master {
            master.workers.push(worker);
        }
    }
    Ok(masters.into_values().collect())
}

fn worker(host: &dyn Host, pid: u32, pool: String) -> Option<(u32, Process)> {
    let bytes = host.read(&format!("/proc/{pid}/stat")).ok()?;
    let stat = parse_stat(&bytes)?;
    let ticks = stat.user.unwrap_or(0).saturating_add(stat.system.unwrap_or(0));
    let parent = u32::try_from(stat.parent?).ok()?;
    Some((parent, Process { pid, pool, state: stat.state, ticks }))
}

fn master(host: &dyn Host, pid: u32, file: Option<String>, prefix: Option<String>) -> Running {
    let link = |name: &str| host.link(&format!("/proc/{pid}/{name}")).ok();
    let file = file.map(|file| match (file.starts_with('/'), link("cwd")) {
        (false, Some(folder)) => format!("{}/{file}", folder.trim_end_matches('/')),
        _ => file,
    });
    let program = link("exe").and_then(|path| version::in_path(path.trim_end_matches(" (deleted)")));
    let version = program.or_else(|| version::in_path(file.as_deref()?));
    let groups = host.value(&format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let differs = |kind: &&str| {
        let own = host.link(&format!("/proc/self/ns/{kind}")).ok();
        link(&format!("ns/{kind}")).zip(own).is_some_and(|(theirs, own)| theirs != own)
    };
    let elsewhere = ["pid", "net"].into_iter().find(differs);
    let stat = host.read(&format!("/proc/{pid}/stat")).unwrap_or_default();
    let parent = parse_stat(&stat).and_then(|stat| u32::try_from(stat.parent?).ok()).unwrap_or(0);
    let control_group = control_group(&groups);
    Running { pid, parent, file, prefix, version, control_group, elsewhere, workers: vec![] }
}

/// The unified group, else that of systemd's own hierarchy (cgroups(7)).
fn control_group(text: &str) -> Option<String> {
    let of =
        |mark: &str| text.lines().find_map(|line| line.split_once(mark).map(|(_, path)| path.to_owned()));
    of("name=systemd:").or_else(|| of("0::"))
}

fn title(command_line: &[u8]) -> Option<Title> {
    let end = command_line.iter().rposition(|byte| *byte != 0 && *byte != b' ').map_or(0, |at| at + 1);
    let line = command_line.get(..end)?;
    if let Some(rest) = line.strip_prefix(b"php-fpm: ") {
        if let Some(pool) = rest.strip_prefix(b"pool ") {
            return Some(Title::Worker(text::string(pool.trim_ascii_end())));
        }
        let named = rest.strip_prefix(b"master process")?.trim_ascii();
        let file = named.strip_prefix(b"(").and_then(|file| file.strip_suffix(b")"));
        return Some(Title::Master { file: file.map(text::string), prefix: None });
    }
    by_arguments(line)
}

/// A master that has not written its title yet: for the moment while it starts.
fn by_arguments(line: &[u8]) -> Option<Title> {
    let words: Vec<String> = line.split(|byte| *byte == 0).map(text::string).collect();
    let program = words.first()?.rsplit('/').next()?;
    if !program.starts_with("php-fpm") {
        return None;
    }
    let option = |short: &str, long: &str| {
        words.iter().enumerate().find_map(|(index, word)| {
            if word == short || word == long {
                return words.get(index + 1).cloned();
            }
            word.strip_prefix(long)?.strip_prefix('=').map(str::to_owned)
        })
    };
    let once = ["-t", "-tt", "--test", "-v", "--version", "-i", "--info", "-m", "--modules", "-h", "--help"];
    let asks = words.iter().any(|word| once.contains(&word.as_str()));
    let (file, prefix) = (option("-y", "--fpm-config"), option("-p", "--prefix"));
    (!asks).then_some(Title::Master { file, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::Tree;

    /// Laid out as `/proc` of a Debian 12 host shows it, with two masters.
    fn tree() -> Tree {
        let mut tree = Tree::in_memory(1);
        let mut process = |pid: u32, parent: u32, line: &str| {
            tree.put(0, &format!("/proc/{pid}/cmdline"), line);
            let stat = format!("{pid} (php-fpm8.2) S {parent} 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 100 0 0");
            tree.put(0, &format!("/proc/{pid}/stat"), stat);
        };
        process(10, 1, "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)\0\0\0");
        process(11, 10, "php-fpm: pool www     ");
        process(12, 10, "php-fpm: pool api\0");
        process(13, 10, "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)");
        process(20, 1, "php-fpm: master process (own.conf)");
        process(21, 20, "php-fpm: pool www");
        process(
            30,
            1,
            "/usr/sbin/php-fpm7.4\0--nodaemonize\0--fpm-config=/etc/php/7.4/fpm/php-fpm.conf\0-p\0/srv\0",
        );
        process(31, 1, "/usr/sbin/php-fpm8.2\0-t\0");
        process(40, 1, "nginx: master process");
        tree.put_link(0, "/proc/20/cwd", "/srv/shop");
        tree.put_link(0, "/proc/20/exe", "/usr/sbin/php-fpm8.3 (deleted)");
        tree.put(0, "/proc/10/cgroup", "0::/system.slice/php8.2-fpm.service\n");
        tree
    }

    #[test]
    fn masters_have_a_file_a_version_and_workers_by_pool() {
        let found = running(&tree().at(0)).unwrap();
        let pools = |index: usize| -> Vec<_> {
            found[index]
                .workers
                .iter()
                .map(|worker| (worker.pid, worker.pool.as_str(), worker.ticks))
                .collect()
        };
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].file.as_deref(), Some("/etc/php/8.2/fpm/php-fpm.conf"));
        assert_eq!(found[0].version.as_deref(), Some("8.2"));
        assert_eq!(found[0].control_group.as_deref(), Some("/system.slice/php8.2-fpm.service"));
        assert_eq!(pools(0), [(11, "www", 11), (12, "api", 11)]);
        assert_eq!(
            (found[1].file.as_deref(), found[1].version.as_deref()),
            (Some("/srv/shop/own.conf"), Some("8.3"))
        );
        assert_eq!(pools(1), [(21, "www", 11)]);
        assert_eq!((found[2].prefix.as_deref(), found[2].version.as_deref()), (Some("/srv"), Some("7.4")));
    }

    #[test]
    fn a_master_of_another_namespace_lives_elsewhere() {
        let mut tree = tree();
        tree.put_link(0, "/proc/self/ns/pid", "pid:[1]");
        tree.put_link(0, "/proc/10/ns/pid", "pid:[2]");
        tree.put_link(0, "/proc/20/ns/pid", "pid:[1]");
        tree.put_link(0, "/proc/self/ns/net", "net:[1]");
        tree.put_link(0, "/proc/20/ns/net", "net:[2]");
        let elsewhere: Vec<_> = running(&tree.at(0)).unwrap().iter().map(|master| master.elsewhere).collect();
        assert_eq!(elsewhere, [Some("pid"), Some("net"), None]);
    }

    proptest::proptest! {
        #[test]
        fn no_command_line_makes_it_panic(bytes: Vec<u8>) {
            title(&bytes);
        }
    }
}
