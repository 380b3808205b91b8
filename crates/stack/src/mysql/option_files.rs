//! Option files of a host, as the programs of MariaDB and MySQL walk them.

use conf::{OptionFileSource, OptionFiles};
use host::Host;

/// Option files that a server reads first, in this order (`my_load_defaults`; Debian and Red Hat build in both).
pub(crate) const USUAL: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// More links than these in a row are a ring.
const MOST_LINKS: usize = 8;

/// Reads option files and all that they include; `root` stands before every path, for a server in a container.
pub(crate) fn read(host: &dyn Host, root: &str, first: &[String]) -> OptionFiles {
    let first: Vec<String> = first.iter().map(|path| format!("{root}{path}")).collect();
    OptionFiles::read(&first, &mut Files { host, root })
}

struct Files<'a> {
    host: &'a dyn Host,
    root: &'a str,
}

impl Files<'_> {
    /// A path of the container as a path of the host. An absolute link would lead out of `/proc/PID/root`.
    fn place(&self, path: &str) -> String {
        let mut place = match path.strip_prefix(self.root) {
            Some(_) => path.to_owned(),
            None => format!("{}{path}", self.root),
        };
        for _ in 0..MOST_LINKS {
            if self.root.is_empty() {
                break;
            }
            let Ok(target) = self.host.link(&place) else { break };
            place = match target.starts_with('/') {
                true => format!("{}{target}", self.root),
                false => host::linked_path(&place, &target),
            };
        }
        place
    }
}

impl OptionFileSource for Files<'_> {
    fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        self.host.read(&self.place(path)).ok()
    }

    fn names(&mut self, folder: &str) -> Vec<String> {
        self.host.list(&self.place(folder)).unwrap_or_default()
    }
}

/// Whether a server reads a group of option files. Groups of versions count where the version is not known.
pub(crate) fn is_server_group(group: &str, mariadb: bool, series: Option<&str>) -> bool {
    let of_series = |base: &str| {
        let rest = group.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| series.map_or_else(|| is_series(rest), |series| rest == series))
    };
    match mariadb {
        // As `mariadbd --verbose --help` lists them.
        true => {
            matches!(group, "mysqld" | "server" | "mariadb" | "mariadbd" | "client-server" | "galera")
                || ["mysqld", "mariadb", "mariadbd"].into_iter().any(of_series)
        }
        false => matches!(group, "mysqld" | "server") || of_series("mysqld"),
    }
}

fn is_series(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_container_is_not_left_through_an_absolute_link() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/etc/alternatives/my.cnf", "[mysqld]\nport=1\n");
        tree.put_link(0, "/proc/7/root/etc/mysql/my.cnf", "/etc/alternatives/my.cnf");
        tree.put(0, "/proc/7/root/etc/alternatives/my.cnf", "[mysqld]\nport=2\n!includedir /etc/mysql/d\n");
        tree.put(0, "/proc/7/root/etc/mysql/d/a.cnf", "[mysqld]\nport=3\n");
        let found = read(&tree.at(0), "/proc/7/root", &USUAL.map(str::to_owned));
        let values: Vec<_> = found.settings.iter().map(|setting| setting.value.clone()).collect();
        assert_eq!(values, [b"2", b"3"]);
    }

    #[test]
    fn groups_are_those_of_the_program_and_its_series() {
        assert!(is_server_group("mariadb-10.11", true, Some("10.11")));
        assert!(!is_server_group("mariadb-10.6", true, Some("10.11")));
        assert!(is_server_group("mariadb-10.6", true, None));
        assert!(
            !is_server_group("mariadb", false, None) && is_server_group("mysqld-8.0", false, Some("8.0"))
        );
        assert!(!is_server_group("client", true, None) && !is_server_group("mysqld_safe", true, None));
    }
}
