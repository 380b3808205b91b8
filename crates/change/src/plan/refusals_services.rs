//! What narrows never writes into the files of services: rules over the edits of one file, whatever the host is like.

use conf::NginxDocument;
use model::{DirectiveEdit, Edit};

use super::Forbidden;

/// The buffers of one response that are still for pages, in bytes: 256 of 16 KiB.
const LARGEST_BUFFERS: u64 = 4 << 20;
/// Folders in memory, which other services share.
const IN_MEMORY: [&str; 4] = ["/run/", "/var/run/", "/dev/shm/", "/var/lock/"];

fn forbidden(because: impl Into<String>, instead: &str) -> Forbidden {
    Forbidden { because: because.into(), instead: instead.to_owned() }
}

/// Why the edits of a file are forbidden; `None` when they are not.
pub(super) fn in_file(path: &str, edits: &[Edit]) -> Option<Forbidden> {
    let of_php = path.starts_with("/etc/php");
    edits
        .iter()
        .find_map(|edit| in_nginx(path, edit).or_else(|| of_php.then(|| in_php(path, edit)).flatten()))
        .or_else(|| scheduler_as_root(path, edits))
}

/// The directives that an edit writes, one text each.
fn written(path: &str, edit: &Edit) -> Option<String> {
    match edit {
        Edit::Nginx { directive, to, .. } => match to {
            DirectiveEdit::Arguments { arguments } | DirectiveEdit::OneMore { arguments } => {
                Some(format!("{directive} {arguments};"))
            }
            DirectiveEdit::Parameter { name, value } => Some(format!("{directive} {name}={value};")),
            DirectiveEdit::Block { lines: Some(lines), .. } => Some(lines.join("\n")),
            DirectiveEdit::Block { lines: None, .. } | DirectiveEdit::Removed => None,
        },
        Edit::Block { lines: Some(lines), .. } if path.starts_with("/etc/nginx/") => Some(lines.join("\n")),
        Edit::Line { line, present: true } if path.starts_with("/etc/nginx/") => Some(line.clone()),
        _ => None,
    }
}

fn in_nginx(path: &str, edit: &Edit) -> Option<Forbidden> {
    let document = NginxDocument::new(path, written(path, edit)?);
    document.directives().iter().find_map(|directive| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let arguments: Vec<_> = directive.arguments().iter().map(|word| text(&word.value)).collect();
        directive_of_nginx(&text(directive.name()), &arguments)
    })
}

fn directive_of_nginx(name: &str, arguments: &[String]) -> Option<Forbidden> {
    let (_, rest) = name.split_once('_').filter(|(family, _)| FAMILIES.contains(family))?;
    let first = arguments.first().map(String::as_str).unwrap_or_default();
    match rest {
        "ignore_headers" if arguments.iter().any(|one| one.eq_ignore_ascii_case("set-cookie")) => {
            Some(forbidden(
                "a cache that ignores Set-Cookie stores pages with the cookie of their first visitor, and gives it to all others",
                "leave Set-Cookie out: pages that set a cookie are then not stored",
            ))
        }
        "cache_path" => {
            let bounded = arguments.iter().any(|one| one.starts_with("max_size="));
            let in_memory = IN_MEMORY.iter().any(|folder| first.starts_with(folder));
            (in_memory && !bounded).then(|| {
                forbidden(
                    format!("a cache without max_size below {first} fills a file system in memory that other services share"),
                    "give it max_size, at most a quarter of the file system, or a folder on a disk",
                )
            })
        }
        "buffers" => {
            let number: u64 = first.parse().ok()?;
            let total = number.saturating_mul(size_bytes(arguments.get(1)?)?);
            (total > LARGEST_BUFFERS).then(|| buffers(name, total))
        }
        "keep_conn" if first == "on" => Some(forbidden(
            "each connection that Nginx keeps idle holds a worker of PHP-FPM, and a small pool has none left for others",
            "leave it off; by hand only where the pool has four times the workers of all kept connections",
        )),
        "buffer_size" | "busy_buffers_size" => {
            let total = size_bytes(first)?;
            (total > LARGEST_BUFFERS).then(|| buffers(name, total))
        }
        _ => None,
    }
}

const FAMILIES: [&str; 4] = ["fastcgi", "proxy", "uwsgi", "scgi"];

fn buffers(name: &str, bytes: u64) -> Forbidden {
    forbidden(
        format!(
            "{name} of {} MiB is taken by every response whose client is slow: a thousand take gigabytes",
            bytes >> 20
        ),
        "size the buffers for the 99th percentile of responses, at most 4 MiB in all",
    )
}

fn size_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: u64 = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn in_php(path: &str, edit: &Edit) -> Option<Forbidden> {
    let comment = || {
        forbidden(
            "`#` begins no comment in files of PHP: the rest is not read, and PHP-FPM does not start on it",
            "begin comments with `;`",
        )
    };
    let loader = path.ends_with("/10-opcache.ini") || path.ends_with("/mods-available/opcache.ini");
    match edit {
        Edit::Ini { key, .. } if key == "zend_extension" || key == "extension" => Some(forbidden(
            format!("{path} loads an extension of PHP by {key}, which is the package's"),
            "use phpenmod and phpdismod",
        )),
        Edit::Ini { key, value: Some(_), .. } if loader => Some(forbidden(
            format!("{path} is the package's own, and what loads OPcache: {key} has no place in it"),
            "write settings to a file of their own that is read later, such as conf.d/99-narrows.ini",
        )),
        Edit::Ini { key, value, .. } => {
            let bare = |text: &str| text.contains('#') && !text.trim().starts_with(['"', '\'']);
            (key.contains('#') || value.as_deref().is_some_and(bare)).then(comment)
        }
        Edit::Line { line, present: true } if line.trim_start().starts_with('#') => Some(comment()),
        Edit::Block { lines: Some(_), .. } => Some(comment()),
        _ => None,
    }
}

/// A unit that runs the scheduler of WordPress, and names nobody to run it as.
fn scheduler_as_root(path: &str, edits: &[Edit]) -> Option<Forbidden> {
    let set = |wanted: &'static str| {
        edits.iter().filter_map(move |edit| match edit {
            Edit::Systemd { section, key, value: Some(value) } if section == "Service" && key == wanted => {
                Some(value.as_str())
            }
            _ => None,
        })
    };
    let runs = |command: &str| {
        let words: Vec<_> = command.split_whitespace().collect();
        command.contains("wp-cron.php")
            || words.windows(3).any(|three| matches!(three, [wp, "cron", "event"] if wp.ends_with("wp")))
    };
    let started = ["ExecStart", "ExecStartPre", "ExecStartPost"].iter().any(|key| set(key).any(runs));
    let as_whom = set("User").next_back().unwrap_or("root");
    (started && ["", "root", "0"].contains(&as_whom)).then(|| {
        forbidden(
            format!("{path} would run every plugin of WordPress as root"),
            "name the user of the site's PHP-FPM pool by User=",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nginx(directive: &str, arguments: &str) -> Option<Forbidden> {
        let to = DirectiveEdit::Arguments { arguments: arguments.to_owned() };
        let edit = Edit::Nginx { block: vec![], directive: directive.to_owned(), first_argument: None, to };
        in_file("/etc/nginx/nginx.conf", &[edit])
    }

    fn ini(path: &str, key: &str, value: Option<&str>) -> Option<Forbidden> {
        let edit = Edit::Ini { section: None, key: key.to_owned(), value: value.map(str::to_owned) };
        in_file(path, &[edit])
    }

    #[test]
    fn lines_of_nginx_that_do_harm_are_forbidden_and_their_neighbours_are_not() {
        for (directive, bad, good) in [
            ("fastcgi_ignore_headers", "Cache-Control Set-Cookie", "Cache-Control Expires"),
            ("proxy_ignore_headers", "set-cookie", "Vary"),
            (
                "fastcgi_cache_path",
                "/var/run/cache levels=1:2 keys_zone=A:10m",
                "/var/run/cache levels=1:2 keys_zone=A:10m max_size=64m",
            ),
            ("fastcgi_cache_path", "/dev/shm/c keys_zone=A:1m", "/var/cache/nginx keys_zone=A:1m"),
            ("fastcgi_buffers", "1024 32k", "32 16k"),
            ("fastcgi_buffer_size", "8m", "16k"),
            ("fastcgi_keep_conn", "on", "off"),
        ] {
            assert!(nginx(directive, bad).is_some(), "{directive} {bad}");
            assert_eq!(nginx(directive, good), None, "{directive} {good}");
        }
    }

    #[test]
    fn the_same_lines_are_forbidden_inside_of_blocks_and_new_files() {
        let lines = vec!["fastcgi_ignore_headers Set-Cookie;".to_owned()];
        let block = Edit::Nginx {
            block: vec!["http".to_owned()],
            directive: "server".to_owned(),
            first_argument: None,
            to: DirectiveEdit::Block { arguments: String::new(), lines: Some(lines.clone()) },
        };
        assert!(in_file("/etc/nginx/nginx.conf", &[block]).is_some());
        let file = |lines| Edit::Block { name: "a".to_owned(), lines };
        assert!(in_file("/etc/nginx/conf.d/a.conf", &[file(Some(lines))]).is_some());
        assert_eq!(in_file("/etc/nginx/conf.d/a.conf", &[file(None)]), None);
    }

    #[test]
    fn files_of_php_take_no_hash_and_the_file_that_loads_opcache_no_settings() {
        const OWN: &str = "/etc/php/8.2/fpm/conf.d/99-narrows.ini";
        assert_eq!(ini(OWN, "opcache.memory_consumption", Some("256")), None);
        assert!(ini(OWN, "opcache.memory_consumption", Some("256 # enough")).is_some());
        assert_eq!(ini(OWN, "error_prepend_string", Some("\"#\"")), None);
        for loader in ["/etc/php/8.2/fpm/conf.d/10-opcache.ini", "/etc/php/8.2/mods-available/opcache.ini"] {
            assert!(ini(loader, "opcache.memory_consumption", Some("256")).is_some());
            assert_eq!(ini(loader, "opcache.jit", None), None, "taking a line out is a cure");
            assert!(ini(loader, "zend_extension", None).is_some());
        }
        let line = Edit::Line { line: "# more".to_owned(), present: true };
        assert!(in_file("/etc/php/8.2/fpm/pool.d/www.conf", std::slice::from_ref(&line)).is_some());
        assert_eq!(in_file("/etc/modules", &[line]), None);
    }

    #[test]
    fn the_scheduler_of_wordpress_runs_as_somebody() {
        const UNIT: &str = "/etc/systemd/system/wp-cron.service";
        let set = |key: &str, value: &str| Edit::Systemd {
            section: "Service".to_owned(),
            key: key.to_owned(),
            value: Some(value.to_owned()),
        };
        let start = || set("ExecStart", "/usr/bin/php /var/www/html/wp-cron.php");
        assert!(in_file(UNIT, &[start()]).is_some());
        assert!(in_file(UNIT, &[start(), set("User", "root")]).is_some());
        assert_eq!(in_file(UNIT, &[start(), set("User", "www-data")]), None);
        assert!(in_file(UNIT, &[set("ExecStart", "/usr/local/bin/wp cron event run --due-now")]).is_some());
        assert_eq!(in_file(UNIT, &[set("ExecStart", "/usr/bin/php /srv/other.php")]), None);
    }
}
