//! The options of a server: from its option files, then from its command line.

use std::collections::BTreeMap;

use conf::OptionFiles;
use host::{Host, text};

use super::processes::Running;
use crate::mysql::option_files::{self, USUAL, is_server_group};
use crate::mysql::{Flavor, OptionLine, OptionPlace, Version};
use crate::php_fpm::{FileProblem, Setting};

/// What stands for a value that is secret.
const TAKEN_OUT: &str = "redacted";
/// Switches whose own name begins with `skip_`.
const SKIPS: [&str; 11] = [
    "skip_name_resolve",
    "skip_networking",
    "skip_external_locking",
    "skip_show_database",
    "skip_grant_tables",
    "skip_slave_start",
    "skip_replica_start",
    "skip_parallel_replication",
    "skip_replication",
    "skip_stack_trace",
    "skip_host_cache",
];
/// Short options of the command line with their names.
const SHORT: [(&str, &str); 6] = [
    ("-h", "datadir"),
    ("-P", "port"),
    ("-S", "socket"),
    ("-u", "user"),
    ("-b", "basedir"),
    ("-t", "tmpdir"),
];

/// What is set for a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Options {
    pub(super) options: BTreeMap<String, Setting>,
    pub(super) settings: Vec<OptionLine>,
    pub(super) problems: Vec<FileProblem>,
    pub(super) place: Option<OptionPlace>,
}

impl Options {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(|setting| setting.value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Reads the option files that a server was started with; the usual ones where none runs.
pub(super) fn files(host: &dyn Host, running: Option<&Running>) -> OptionFiles {
    let words = running.map(|running| running.words.as_slice()).unwrap_or_default();
    let root = running.map_or("", |running| running.root.as_str());
    // These come before all other options, in any order.
    let first: Vec<&String> = words.iter().skip(1).take(4).collect();
    let named = |option: &str| first.iter().find_map(|word| word.strip_prefix(option)).map(str::to_owned);
    if first.iter().any(|word| *word == "--no-defaults") {
        return OptionFiles::default();
    }
    let paths = match named("--defaults-file=") {
        Some(only) => vec![only],
        None => USUAL.iter().map(|path| (*path).to_owned()).chain(named("--defaults-extra-file=")).collect(),
    };
    option_files::read(host, root, &paths)
}

/// What counts of the files for this server, with its command line over it.
pub(super) fn of(
    files: &OptionFiles,
    running: Option<&Running>,
    flavor: Flavor,
    version: Option<Version>,
) -> Options {
    let mariadb = flavor == Flavor::MariaDb;
    let series = version.map(|version| format!("{}.{}", version.major, version.minor));
    let mut all = Options::default();
    for problem in &files.problems {
        let line = line_number(problem.line);
        let (file, what) = (problem.file.to_string(), problem.what.to_owned());
        all.problems.push(FileProblem { file, line, what, stops: problem.stops });
    }
    for setting in &files.settings {
        let group = setting.section.as_deref().map(text::string).unwrap_or_default();
        if !is_server_group(&group, mariadb, series.as_deref()) {
            continue;
        }
        let name = text::string(&setting.key).replace('-', "_");
        let value = without_secret(&name, text::string(&setting.value));
        let (file, line) = (setting.file.to_string(), line_number(setting.line));
        if !matches!(group.as_str(), "client-server" | "galera") {
            all.place = Some(OptionPlace { file: file.clone(), group: group.clone() });
        }
        all.set(&name, value.clone(), file.clone(), line);
        all.settings.push(OptionLine { group, name, value, file, line });
    }
    if all.place.is_none() {
        let group = if mariadb { "mariadb" } else { "mysqld" };
        let last = files.files.last();
        all.place = last.map(|file| OptionPlace { file: file.to_string(), group: group.to_owned() });
    }
    if let Some(running) = running {
        all.command_line(running);
    }
    all
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn without_secret(name: &str, value: String) -> String {
    if host::is_secret_option(name, &value) { TAKEN_OUT.to_owned() } else { value }
}

impl Options {
    fn set(&mut self, written: &str, value: String, file: String, line: u32) {
        let (name, value) = meant(written, value);
        self.options.insert(name, Setting { value, file, line });
    }

    /// Gives options that were abbreviated their full names, where one variable alone begins so (`my_getopt.c`).
    pub(super) fn full_names(&mut self, variables: &BTreeMap<String, String>) {
        let full = |name: &String| {
            let mut begins = variables.keys().filter(|variable| variable.starts_with(&format!("{name}_")));
            let found = begins.next().filter(|_| begins.next().is_none() && !variables.contains_key(name))?;
            (name.len() >= 6).then(|| (name.clone(), found.clone()))
        };
        let abbreviated: Vec<_> = self.options.keys().filter_map(full).collect();
        for (name, full) in abbreviated {
            let setting = self.options.remove(&name);
            setting.map(|setting| self.options.entry(full).or_insert(setting));
        }
    }

    fn command_line(&mut self, running: &Running) {
        let file = format!("/proc/{}/cmdline", running.pid);
        let mut words = running.words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let short = SHORT.iter().find(|(short, _)| word.starts_with(short) && !word.starts_with("--"));
            let (name, value) = match (word.strip_prefix("--"), short) {
                (Some(long), _) => match long.split_once('=') {
                    Some((name, value)) => (name.replace('-', "_"), value.to_owned()),
                    None => {
                        // The value of an option that needs one may be the next word.
                        let next = words.next_if(|next| !next.starts_with('-'));
                        (long.replace('-', "_"), next.cloned().unwrap_or_default())
                    }
                },
                (None, Some((short, name))) => {
                    let rest = word.strip_prefix(short).unwrap_or_default().to_owned();
                    let value =
                        if rest.is_empty() { words.next().cloned().unwrap_or_default() } else { rest };
                    ((*name).to_owned(), value)
                }
                (None, None) => continue,
            };
            if !name.starts_with("defaults_") && !matches!(name.as_str(), "no_defaults" | "") {
                let value = without_secret(&name, value);
                self.set(&name, value, file.clone(), 1);
            }
        }
    }
}

/// The option that is meant, and its value: prefixes are undone (`my_getopt.c`, `special_opt_prefix`).
pub(super) fn meant(written: &str, value: String) -> (String, String) {
    let name = written.strip_prefix("loose_").unwrap_or(written);
    if SKIPS.contains(&name) {
        return (name.to_owned(), if value.is_empty() { "ON".to_owned() } else { value });
    }
    let turned = |prefix: &str, state: &str| Some((name.strip_prefix(prefix)?.to_owned(), state.to_owned()));
    let switched =
        turned("skip_", "OFF").or_else(|| turned("disable_", "OFF")).or_else(|| turned("enable_", "ON"));
    switched.unwrap_or_else(|| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn running(words: &[&str]) -> Running {
        Running { pid: 7, words: words.iter().map(|word| (*word).to_owned()).collect(), ..Running::default() }
    }

    fn tree() -> Tree {
        let mut tree = Tree::in_memory(1);
        let main = "[mysqld]\nmax-connections=100\nskip-name-resolve\n!includedir /etc/mysql/d/\n[client]\npassword=x\n";
        tree.put(0, "/etc/mysql/my.cnf", main);
        let late = "[mariadb-10.11]\nmax_connections = 200\n[mariadb-10.6]\nmax_connections=300\n\
                    [server]\nloose-report-password=hunter2\nskip-log-bin\n";
        tree.put(0, "/etc/mysql/d/60.cnf", late);
        tree.put(0, "/own.cnf", "[mysqld]\nport=9\n[broken\n");
        tree
    }

    fn read(words: &[&str]) -> Options {
        let (tree, running) = (tree(), running(words));
        let found = files(&tree.at(0), Some(&running));
        let version = Version { major: 10, minor: 11, patch: 6 };
        of(&found, Some(&running), Flavor::MariaDb, Some(version))
    }

    fn value<'a>(options: &'a Options, name: &str) -> (&'a str, String) {
        let setting = &options.options[name];
        (setting.value.as_str(), setting.place())
    }

    #[test]
    fn the_last_of_the_groups_of_this_version_counts() {
        let options = read(&["/usr/sbin/mariadbd"]);
        assert_eq!(value(&options, "max_connections"), ("200", "/etc/mysql/d/60.cnf:2".to_owned()));
        assert_eq!(value(&options, "skip_name_resolve").0, "ON");
        assert_eq!(value(&options, "log_bin").0, "OFF");
        assert_eq!(value(&options, "report_password").0, "redacted");
        assert!(!options.options.contains_key("password"));
        let place = options.place.unwrap();
        assert_eq!((place.file.as_str(), place.group.as_str()), ("/etc/mysql/d/60.cnf", "server"));
        let names: Vec<_> = options.settings.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "max_connections",
                "skip_name_resolve",
                "max_connections",
                "loose_report_password",
                "skip_log_bin"
            ]
        );
    }

    #[test]
    fn the_command_line_goes_over_the_files_and_may_name_others() {
        let options =
            read(&["mariadbd", "--max-connections=5", "--socket", "/s", "-P3310", "--skip-networking"]);
        assert_eq!(value(&options, "max_connections"), ("5", "/proc/7/cmdline:1".to_owned()));
        assert_eq!((options.get("socket"), options.get("port")), (Some("/s"), Some("3310")));
        assert_eq!(options.get("skip_networking"), Some("ON"));
        let own = read(&["mariadbd", "--defaults-file=/own.cnf"]);
        assert_eq!((own.get("port"), own.options.len(), own.problems.len()), (Some("9"), 1, 1));
        assert!(own.problems[0].stops);
        assert!(read(&["mariadbd", "--no-defaults"]).options.is_empty());
    }
}
