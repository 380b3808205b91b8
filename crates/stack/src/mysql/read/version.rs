//! Which server it is, and of which version: as it says, else as its package or its data directory say.

use host::{Host, text};

use super::processes::Running;
use crate::mysql::{Flavor, Version};

/// Packages of servers in `/var/lib/dpkg/status`, by the beginning of their names.
const PACKAGES: [(&str, Flavor); 4] = [
    ("mariadb-server-core", Flavor::MariaDb),
    ("mariadb-server", Flavor::MariaDb),
    ("percona-server-server", Flavor::Percona),
    ("mysql-server-core", Flavor::MySql),
];
/// Files in a data directory in which the upgrade program notes for which version it ran.
const UPGRADE_FILES: [&str; 2] = ["mariadb_upgrade_info", "mysql_upgrade_info"];

/// The first three numbers of a text like `10.11.6-MariaDB-0+deb12u1` or `5.5.5-10.11.6-MariaDB`.
pub(super) fn parse(text: &str) -> Option<Version> {
    // Servers before MariaDB 11 put this in front of their version for old replicas.
    let text = text.strip_prefix("5.5.5-").unwrap_or(text);
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next()?.ok()?;
    let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
    Some(Version { major, minor, patch })
}

/// Whose server it is, by what it says.
pub(super) fn flavor(version: &str, comment: &str) -> Flavor {
    match () {
        () if version.contains("MariaDB") || comment.contains("MariaDB") => Flavor::MariaDb,
        () if comment.contains("Percona") || version.contains("percona") => Flavor::Percona,
        () => Flavor::MySql,
    }
}

/// By the package or the data directory.
pub(super) fn by_files(
    host: &dyn Host,
    root: &str,
    data: &str,
    program: Option<&Running>,
) -> (Flavor, Option<Version>) {
    let guess = match program.map(|running| running.command.as_str()) {
        Some("mysqld") if !is_mariadb_program(host, program) => Flavor::MySql,
        _ => Flavor::MariaDb,
    };
    if let Some((flavor, version)) = package(host, root) {
        return (flavor, Some(version));
    }
    let noted = UPGRADE_FILES.iter().find_map(|name| {
        let text = host.value(&format!("{root}{}/{name}", data.trim_end_matches('/'))).ok()?;
        Some((flavor(&text, ""), parse(&text)?))
    });
    noted.map_or((guess, None), |(flavor, version)| (flavor, Some(version)))
}

fn is_mariadb_program(host: &dyn Host, program: Option<&Running>) -> bool {
    let program = program.and_then(|running| crate::processes::program(host, running.pid));
    program.is_some_and(|path| path.contains("mariadb"))
}

/// The first server package that is installed.
fn package(host: &dyn Host, root: &str) -> Option<(Flavor, Version)> {
    let status = host.read(&format!("{root}/var/lib/dpkg/status")).ok()?;
    let mut wanted = None;
    let mut installed = false;
    for (_, _, line) in text::lines(&status) {
        if let Some(name) = line.strip_prefix(b"Package: ") {
            let name = text::string(name);
            wanted = PACKAGES.iter().find(|(known, _)| name.starts_with(known)).map(|(_, flavor)| *flavor);
            installed = false;
        } else if wanted.is_some() && line == b"Status: install ok installed" {
            installed = true;
        } else if let (Some(flavor), true, Some(version)) =
            (wanted, installed, line.strip_prefix(b"Version: "))
        {
            let version = text::string(version);
            let version = version.split_once(':').map_or(version.as_str(), |(_, version)| version);
            if let Some(version) = parse(version) {
                return Some((flavor, version));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn the_prefix_for_old_replicas_is_no_version() {
        let version = |major, minor, patch| Some(Version { major, minor, patch });
        assert_eq!(parse("5.5.5-10.11.6-MariaDB"), version(10, 11, 6));
        assert_eq!(parse("8.0.36-0ubuntu0.22.04.1"), version(8, 0, 36));
        assert_eq!(parse("11.4.2"), version(11, 4, 2));
        assert_eq!(parse("x"), None);
    }

    #[test]
    fn a_package_says_the_version_without_running_it() {
        let mut tree = Tree::in_memory(1);
        let status = "Package: mariadb-client\nStatus: install ok installed\nVersion: 1:1.0.0-1\n\n\
                      Package: mariadb-server-core\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:10.11.19-0+deb12u1\n";
        tree.put(0, "/var/lib/dpkg/status", status);
        let (flavor, version) = by_files(&tree.at(0), "", "/var/lib/mysql", None);
        assert_eq!((flavor, version.unwrap().patch), (Flavor::MariaDb, 19));
    }

    #[test]
    fn a_data_directory_notes_the_version_where_no_package_does() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/7/root/var/lib/mysql/mysql_upgrade_info", "8.0.33\n");
        let (flavor, version) = by_files(&tree.at(0), "/proc/7/root", "/var/lib/mysql/", None);
        assert_eq!((flavor, version.unwrap().patch), (Flavor::MySql, 33));
    }
}
