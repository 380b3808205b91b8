//! Which logs a configuration writes, and in which formats.

use super::format::Format;
use crate::nginx::{Configuration, Context, Directive};

/// A log that a configuration writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// Where it may lie: one path, or several for a relative one, of which the first that can be read is meant.
    pub(super) paths: Vec<String>,
    /// The formats in which lines are written to it; none for an error log.
    pub(super) formats: Vec<Format>,
    /// Why its lines cannot be counted, and what would help.
    pub(super) refused: Option<(&'static str, &'static str)>,
    /// The least level that an error log takes.
    pub(super) level: Option<String>,
    /// In how many blocks it has effect.
    blocks: usize,
}

/// Where relative paths begin where that is not known: Debian's build, that of nginx.org, and the default of the source.
const PREFIXES: [&str; 3] = ["/usr/share/nginx", "/etc/nginx", "/usr/local/nginx"];
/// Levels of an error log, from the most talkative on (`error_log`, ngx_core_module).
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"];

/// The access logs, those with effect in most blocks first.
pub(super) fn access(configuration: &Configuration) -> Vec<Place> {
    let mut formats = vec![Format::combined()];
    for http in configuration.directives.iter().filter(|one| one.name == "http") {
        let own = http.children().iter().filter(|one| one.name == "log_format");
        formats.extend(own.filter_map(Format::of));
    }
    let mut places = Vec::new();
    for context in configuration.contexts().iter().filter(|context| serves(context)) {
        let logs = context.all("access_log");
        if logs.is_empty() {
            let paths = built_in(configuration, "access.log");
            let formats = vec![Format::combined()];
            add(&mut places, Place { paths, formats, refused: None, level: None, blocks: 1 });
        }
        let on = !logs.iter().any(|log| log.first() == Some("off"));
        let logs = logs.into_iter().filter(|_| on);
        logs.filter_map(|log| access_place(log, &formats, &configuration.prefix))
            .for_each(|place| add(&mut places, place));
    }
    sorted(places)
}

/// The error logs, those with effect in most blocks first.
pub(super) fn error(configuration: &Configuration) -> Vec<Place> {
    let mut places = Vec::new();
    for context in &configuration.contexts() {
        let logs = context.all("error_log");
        let level = |log: &Directive| log.arguments.get(1).map_or("error", String::as_str).to_owned();
        if logs.is_empty() {
            let paths = built_in(configuration, "error.log");
            let level = Some("error".to_owned());
            add(&mut places, Place { paths, formats: vec![], refused: None, level, blocks: 1 });
        }
        for log in logs {
            let Some(path) = log.first().filter(|path| is_file(path) && *path != "stderr") else { continue };
            let level = Some(level(log));
            add(
                &mut places,
                Place {
                    paths: paths(path, &configuration.prefix),
                    formats: vec![],
                    refused: None,
                    level,
                    blocks: 1,
                },
            );
        }
    }
    sorted(places)
}

/// Whether requests are served in a block: below `http`, where its own servers are counted rather than itself.
fn serves(context: &Context<'_>) -> bool {
    let in_http = context.around("http").is_some();
    let is_http = context.block().is_some_and(|block| block.name == "http");
    let holds_servers =
        || context.block().is_some_and(|block| block.children().iter().any(|one| one.name == "server"));
    in_http && !(is_http && holds_servers())
}

fn access_place(log: &Directive, formats: &[Format], prefix: &str) -> Option<Place> {
    let path = log.first().filter(|path| is_file(path))?;
    let name = log.arguments.get(1).filter(|argument| !argument.contains('=') && *argument != "gzip");
    let name = name.map_or("combined", String::as_str);
    let format = formats.iter().rev().find(|format| format.name == name);
    let compressed = log.arguments.iter().any(|argument| argument == "gzip" || argument.starts_with("gzip="));
    let refused = match format {
        _ if path.contains('$') => Some(("its path holds a variable", "name a fixed path in access_log")),
        _ if compressed => Some(("it is written compressed", "write it without gzip")),
        _ if log.parameter("if").is_some() => {
            Some(("it holds only requests that a condition chooses", "write a log without if="))
        }
        None => Some(("its log_format is not defined", "define the log_format that access_log names")),
        Some(format) if !format.has_time() => {
            Some(("its lines say no time", "add $time_iso8601 to the log_format"))
        }
        Some(_) => None,
    };
    let formats = format.cloned().into_iter().collect();
    Some(Place { paths: paths(path, prefix), formats, refused, level: None, blocks: 1 })
}

fn is_file(path: &str) -> bool {
    !["off", "syslog:", "memory:"].iter().any(|other| path.starts_with(other))
}

/// Where a path may lead; `prefix` is empty where it is not known.
fn paths(path: &str, prefix: &str) -> Vec<String> {
    if path.starts_with('/') {
        return vec![path.to_owned()];
    }
    let prefixes: &[&str] = if prefix.is_empty() { &PREFIXES } else { &[prefix] };
    prefixes.iter().map(|prefix| format!("{}/{path}", prefix.trim_end_matches('/'))).collect()
}

/// Where a log lies that no directive names: distributions and nginx.org build in `/var/log/nginx`.
fn built_in(configuration: &Configuration, name: &str) -> Vec<String> {
    let mut all = vec![format!("/var/log/nginx/{name}")];
    all.extend(paths(&format!("logs/{name}"), &configuration.prefix));
    all
}

fn add(places: &mut Vec<Place>, place: Place) {
    let Some(known) = places.iter_mut().find(|known| known.paths == place.paths) else {
        places.push(place);
        return;
    };
    known.blocks += 1;
    // A condition leaves out lines of one block; another may write all of its own.
    known.refused = known.refused.or(place.refused);
    for format in place.formats {
        if !known.formats.contains(&format) {
            known.formats.push(format);
        }
    }
    let rank = |level: &Option<String>| LEVELS.iter().position(|known| level.as_deref() == Some(known));
    if rank(&place.level) < rank(&known.level) {
        known.level = place.level;
    }
}

fn sorted(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by_key(|place| std::cmp::Reverse(place.blocks));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, arguments: &[&str]) -> Directive {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Directive { name: name.to_owned(), arguments, ..Directive::default() }
    }

    fn block(name: &str, inside: Vec<Directive>) -> Directive {
        Directive { block: Some(inside), ..plain(name, &[]) }
    }

    fn http(inside: Vec<Directive>) -> Configuration {
        Configuration { directives: vec![block("http", inside)], ..Configuration::default() }
    }

    #[test]
    fn each_log_is_named_once_with_all_its_formats() {
        let shop = block(
            "server",
            vec![
                plain("access_log", &["/var/log/nginx/shop.log", "timed"]),
                block("location", vec![plain("access_log", &["off"])]),
            ],
        );
        let blog =
            block("server", vec![plain("access_log", &["/var/log/nginx/all.log", "timed", "buffer=32k"])]);
        let configuration = http(vec![
            plain("log_format", &["timed", "escape=json", "$msec ", "$status"]),
            plain("access_log", &["/var/log/nginx/all.log"]),
            shop,
            block("server", vec![]),
            blog,
        ]);
        let found = access(&configuration);
        let shown: Vec<_> = found
            .iter()
            .map(|place| {
                let names: Vec<_> = place.formats.iter().map(|format| format.name.as_str()).collect();
                (place.paths[0].as_str(), names.join(" "), place.blocks, place.refused.is_some())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("/var/log/nginx/all.log", "combined timed".to_owned(), 2, false),
                ("/var/log/nginx/shop.log", "timed".to_owned(), 1, false),
            ]
        );
    }

    #[test]
    fn what_cannot_be_counted_says_why() {
        let log = |arguments: &[&str]| http(vec![plain("access_log", arguments)]);
        let refused = |arguments: &[&str]| access(&log(arguments)).first().and_then(|place| place.refused);
        assert!(access(&log(&["off"])).is_empty());
        assert!(access(&log(&["syslog:server=127.0.0.1"])).is_empty());
        assert!(refused(&["/log/$host.log"]).unwrap().0.contains("variable"));
        assert!(refused(&["/log/a.log", "combined", "if=$slow"]).unwrap().0.contains("condition"));
        assert!(refused(&["/log/a.log", "nothing"]).unwrap().0.contains("not defined"));
        assert!(refused(&["/log/a.log", "combined", "gzip"]).unwrap().0.contains("compressed"));
    }

    #[test]
    fn without_a_directive_the_built_in_logs_are_meant() {
        assert_eq!(access(&http(vec![]))[0].paths[0], "/var/log/nginx/access.log");
        assert_eq!(error(&http(vec![]))[0].paths[0], "/var/log/nginx/error.log");
        assert!(access(&Configuration::default()).is_empty(), "without a block http nothing is served");
        let configuration = Configuration {
            directives: vec![
                plain("error_log", &["logs/e.log", "crit"]),
                block("http", vec![plain("error_log", &["logs/e.log", "warn"])]),
            ],
            ..Configuration::default()
        };
        let [log] = &error(&configuration)[..] else { panic!("one log") };
        assert_eq!(
            (log.paths[0].as_str(), log.level.as_deref()),
            ("/usr/share/nginx/logs/e.log", Some("warn"))
        );
    }
}
