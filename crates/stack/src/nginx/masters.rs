//! The running masters of Nginx, and where their configurations lie.

use std::collections::BTreeSet;

use host::Host;
use model::Unread;

use super::tree::Place;
use crate::processes::{self, Process};

/// Workers of one master that are looked at.
const MOST_WORKERS: usize = 512;
const MASTER: &str = "nginx: master process";
const WORKER: &str = "nginx: worker process";

/// A running master.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Master {
    pub(super) pid: u32,
    pub(super) program: Option<String>,
    /// Its workers; those that finish their last connections after a reload are left out.
    pub(super) workers: Vec<Process>,
    pub(super) place: Result<Place, Unread>,
}

/// Every running master, by number.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(super) fn running(host: &dyn Host) -> Result<Vec<Master>, Unread> {
    let all = processes::named(host, |name| matches!(name, "nginx" | "openresty" | "angie" | "freenginx"))?;
    let titled: Vec<_> =
        all.into_iter().map(|one| (processes::command_line(host, one.pid).join(" "), one)).collect();
    let masters = titled.iter().filter(|(title, _)| title.starts_with(MASTER));
    let found = masters.map(|(title, master)| {
        let own = |(line, one): &&(String, Process)| {
            one.parent == master.pid && line.starts_with(WORKER) && !line.contains("shutting down")
        };
        let workers = titled.iter().filter(own).take(MOST_WORKERS).map(|(_, one)| one.clone()).collect();
        let program = processes::program(host, master.pid);
        let options = options(title.strip_prefix(MASTER).unwrap_or_default());
        let place = processes::root_of(host, master.pid);
        let place = place.map(|root| place_of(host, root, program.as_deref(), &options));
        Master { pid: master.pid, program, workers, place }
    });
    Ok(found.collect())
}

/// The configuration of an Nginx that is installed and does not run.
pub(super) fn installed(host: &dyn Host) -> Option<Place> {
    let place = place_of(host, String::new(), None, &Options::default());
    host.read(&place.file).or_else(|_| host.link(&place.file).map(Into::into)).ok().map(|_| place)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    file: Option<String>,
    prefix: Option<String>,
    globals: String,
}

/// The options of a command line, of which Nginx keeps the words with blanks between (`ngx_setproctitle`): the text of `-g`
/// ends where another option begins.
fn options(line: &str) -> Options {
    let mut options = Options::default();
    let mut words = line.split_whitespace().skip(1).peekable();
    while let Some(word) = words.next() {
        let Some((letter, joined)) = option_letter(word) else { continue };
        let mut value =
            || if joined.is_empty() { words.next().map(str::to_owned) } else { Some(joined.to_owned()) };
        match letter {
            'c' => options.file = value(),
            'p' => options.prefix = value(),
            'g' => {
                let mut text = value().unwrap_or_default();
                while let Some(word) = words.next_if(|word| option_letter(word).is_none()) {
                    text = format!("{text} {word}");
                }
                let ended = text.trim_end().ends_with([';', '}']) || text.trim().is_empty();
                options.globals = if ended { text } else { format!("{text};") };
            }
            _ => {}
        }
    }
    options
}

fn option_letter(word: &str) -> Option<(char, &str)> {
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next().filter(|letter| "cpgestTqvVh".contains(*letter))?;
    Some((letter, letters.as_str()))
}

/// Where the configuration lies. The built-in paths are known by where the program lies, as no program is run to say them:
/// distributions and nginx.org put it below `/etc/nginx`, a build of one's own below its prefix.
fn place_of(host: &dyn Host, root: String, program: Option<&str>, options: &Options) -> Place {
    let own = program.and_then(|program| program.rsplit_once("/sbin/")).map(|(prefix, _)| prefix);
    let own = own.filter(|prefix| !matches!(*prefix, "/usr" | ""));
    let built_in = match own {
        Some(prefix) => prefix.to_owned(),
        None if host.list(&format!("{root}/etc/nginx/modules")).is_ok() => "/etc/nginx".to_owned(),
        None => "/usr/share/nginx".to_owned(),
    };
    let prefix = options.prefix.clone().unwrap_or(built_in);
    let default = match own {
        Some(_) => "conf/nginx.conf",
        None => "/etc/nginx/nginx.conf",
    };
    let file = options.file.as_deref().unwrap_or(default);
    let file = match file.starts_with('/') {
        true => file.to_owned(),
        false => format!("{}/{file}", prefix.trim_end_matches('/')),
    };
    Place { root, file, prefix, globals: options.globals.clone() }
}

/// Where configurations lie: of each running master, or of the installed one where none runs. Masters of one configuration (the
/// old and the new one while a program is exchanged) count once.
pub(super) fn places(host: &dyn Host) -> Vec<Place> {
    let masters = running(host).unwrap_or_default();
    if masters.is_empty() {
        return installed(host).into_iter().collect();
    }
    let mut seen = BTreeSet::new();
    let places = masters.into_iter().filter_map(|master| master.place.ok());
    places.filter(|place| seen.insert((place.root.clone(), place.file.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_apart_in_a_line_without_quotes() {
        let read = options(" /usr/sbin/nginx -g daemon on; master_process on; -c /etc/n.conf -p/srv/");
        assert_eq!(read.file.as_deref(), Some("/etc/n.conf"));
        assert_eq!(read.prefix.as_deref(), Some("/srv/"));
        assert_eq!(read.globals, "daemon on; master_process on;");
        assert_eq!(options(" nginx -g daemon off").globals, "daemon off;");
        assert_eq!(options(""), Options::default());
    }

    #[test]
    fn a_build_of_ones_own_has_its_configuration_below_its_prefix() {
        let tree = host::Tree::in_memory(1);
        let host = tree.at(0);
        let file = |program, line: &str| {
            let place = place_of(&host, String::new(), Some(program), &options(line));
            (place.file, place.prefix)
        };
        assert_eq!(
            file("/usr/local/openresty/nginx/sbin/nginx", ""),
            (
                "/usr/local/openresty/nginx/conf/nginx.conf".to_owned(),
                "/usr/local/openresty/nginx".to_owned()
            )
        );
        assert_eq!(file("/usr/sbin/nginx", "").0, "/etc/nginx/nginx.conf");
        assert_eq!(file("/usr/sbin/nginx", "nginx -p /srv -c a.conf").0, "/srv/a.conf");
    }
}
