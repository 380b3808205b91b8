//! Reads the configuration of a PHP-FPM with its includes, as `fpm_conf_load_ini_file` does (sapi/fpm/fpm/fpm_conf.c).

use conf::{SettingsDialect, SettingsDocument};
use host::{Host, HostError};

use super::super::{FileProblem, Master, Mode, Pool, Setting};
use super::{MOST_FILES, known, listen};
use crate::glob;

/// The prefix of Debian's build; other builds say theirs nowhere outside the program.
const PREFIX: &str = "/usr";
/// Files that include files that include …: FPM gives up after five.
const DEEPEST: usize = 5;
/// What stands where a secret stood.
const HIDDEN: &str = "(hidden)";

/// A configuration while it is read.
struct Reader<'a> {
    host: &'a dyn Host,
    prefix: &'a str,
    master: Master,
    /// The pool whose section it is; `None` in `[global]`. It goes on behind the end of an included file.
    pool: Option<usize>,
}

/// The settings and pools of a configuration file.
pub(super) fn read(host: &dyn Host, file: &str, prefix: Option<&str>) -> Master {
    let prefix = prefix.unwrap_or(PREFIX);
    let master = Master { file: file.to_owned(), ..Master::default() };
    let mut reader = Reader { host, prefix, master, pool: None };
    match host.read(file) {
        Ok(bytes) => reader.take(file, &bytes, 1),
        Err(error) => reader.refuse(file, 0, error.to_string()),
    }
    let mut master = reader.master;
    for pool in &mut master.pools {
        finish(pool, prefix);
    }
    master
}

impl Reader<'_> {
    fn refuse(&mut self, file: &str, line: u32, what: impl Into<String>) {
        let problem = FileProblem { file: file.to_owned(), line, what: what.into(), stops: true };
        self.master.problems.push(problem);
    }

    /// Reads one file. FPM refuses what PHP's ini parser only skips: `#` and lines without a value.
    fn take(&mut self, file: &str, bytes: &[u8], depth: usize) {
        let document = SettingsDocument::new(file, bytes, SettingsDialect::Ini);
        for problem in document.problems() {
            let what = format!("{}; PHP-FPM does not start with this line", problem.what);
            self.refuse(file, line_number(problem.line), what);
        }
        let mut section: Option<&[u8]> = None;
        for setting in document.settings() {
            if setting.section.as_deref() != section {
                section = setting.section.as_deref();
                self.enter(file, &String::from_utf8_lossy(section.unwrap_or_default()));
            }
            let key = key_of(&setting.key);
            let value = String::from_utf8_lossy(&setting.value).into_owned();
            let line = line_number(setting.line);
            match key.as_str() {
                "include" => self.include(file, line, &value, depth),
                _ => self.set(key, Setting { value, file: file.to_owned(), line }),
            }
        }
    }

    fn enter(&mut self, file: &str, section: &str) {
        if section.eq_ignore_ascii_case("global") {
            self.pool = None;
            return;
        }
        let pools = &mut self.master.pools;
        let known = pools.iter().position(|pool| pool.name.eq_ignore_ascii_case(section));
        self.pool = Some(known.unwrap_or_else(|| {
            pools.push(Pool { name: section.to_owned(), file: file.to_owned(), ..Pool::default() });
            pools.len() - 1
        }));
    }

    fn set(&mut self, key: String, setting: Setting) {
        let in_pool = self.pool.is_some();
        if !known::is_known(&key, in_pool) {
            let place = if in_pool { "a pool" } else { "[global]" };
            let php = if key.contains('.') && in_pool {
                "; a setting of PHP goes as php_admin_value[…]"
            } else {
                ""
            };
            let what = format!("PHP-FPM knows no {key} in {place} and does not start{php}");
            self.refuse(&setting.file, setting.line, what);
            return;
        }
        match self.pool.and_then(|index| self.master.pools.get_mut(index)) {
            Some(pool) => {
                let value = setting.value.replace("$pool", &pool.name);
                let value = if is_secret(&key, &value) { HIDDEN.to_owned() } else { value };
                pool.settings.insert(key, Setting { value, ..setting });
            }
            None => {
                self.master.global.insert(key, setting);
            }
        }
    }

    fn include(&mut self, file: &str, line: u32, pattern: &str, depth: usize) {
        let pattern = pattern.trim();
        let pattern = match pattern.starts_with('/') {
            true => pattern.to_owned(),
            false => format!("{}/{pattern}", self.prefix.trim_end_matches('/')),
        };
        if depth >= DEEPEST {
            self.refuse(file, line, "includes are nested more than five deep; PHP-FPM does not start");
            return;
        }
        let mut read_one = false;
        for path in glob::paths(self.host, "", &pattern, MOST_FILES) {
            match self.host.read(&path) {
                Ok(bytes) => {
                    read_one = true;
                    self.take(&path, &bytes, depth + 1);
                }
                Err(HostError::NotFound { .. }) => {}
                Err(error) => self.refuse(&path, 0, error.to_string()),
            }
        }
        if !read_one {
            let (file, what) = (file.to_owned(), format!("nothing matches the include {pattern}"));
            self.master.problems.push(FileProblem { file, line, what, stops: false });
        }
    }
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// A key in small letters up to its bracket; what stands in the bracket without blanks and quotes.
fn key_of(key: &[u8]) -> String {
    let key = String::from_utf8_lossy(key);
    match key.split_once('[') {
        Some((name, offset)) => {
            let offset = offset.trim_end_matches(']').trim().trim_matches(['"', '\'']);
            format!("{}[{}]", name.trim().to_ascii_lowercase(), offset.trim())
        }
        None => key.trim().to_ascii_lowercase(),
    }
}

fn is_secret(key: &str, value: &str) -> bool {
    let words = ["pw", "pass", "secret", "key", "token", "licen", "credential"];
    let inside = key.split_once('[').map(|(_, inside)| inside.to_ascii_lowercase()).unwrap_or_default();
    key.starts_with("env[") || words.iter().any(|word| inside.contains(word)) || value.contains("auth=")
}

/// Fills in what follows from a pool's settings.
fn finish(pool: &mut Pool, prefix: &str) {
    let own_prefix = pool.value("prefix").unwrap_or(prefix).to_owned();
    pool.listen = listen::canonical(pool.value("listen").unwrap_or_default(), &own_prefix);
    pool.mode = match pool.value("pm").unwrap_or_default().trim() {
        "static" => Mode::Static,
        "ondemand" => Mode::Ondemand,
        _ => Mode::Dynamic,
    };
    pool.max_children = pool.number("pm.max_children").and_then(|number| u32::try_from(number).ok());
    pool.user = pool.value("user").map(str::to_owned);
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::Tree;

    fn settings(settings: &std::collections::BTreeMap<String, Setting>) -> Vec<(&str, &str)> {
        settings.iter().map(|(key, setting)| (key.as_str(), setting.value.as_str())).collect()
    }

    const MAIN: &str = "/etc/php/8.2/fpm/php-fpm.conf";

    fn read_of(files: &[(&str, &str)]) -> Master {
        let mut tree = Tree::in_memory(1);
        for (path, text) in files {
            tree.put(0, path, *text);
        }
        read(&tree.at(0), MAIN, None)
    }

    #[test]
    fn pools_come_from_included_files_with_their_names_put_in() {
        let master = read_of(&[
            (MAIN, "[global]\npid = /run/x.pid\ninclude=/etc/php/8.2/fpm/pool.d/*.conf\n"),
            (
                "/etc/php/8.2/fpm/pool.d/a.conf",
                "[shop]\nlisten = /run/php/$pool.sock\npm = static\npm.max_children = 40\nuser=www-data\n\
                 env[DB_PASSWORD] = hunter2\nphp_admin_value[ \"memory_limit\" ] = 256M\n",
            ),
            (
                "/etc/php/8.2/fpm/pool.d/b.conf",
                "[api]\nlisten = 9001\npm = ondemand\n[Shop]\npm.max_children = 50\n",
            ),
        ]);
        assert_eq!(master.problems, []);
        assert_eq!(settings(&master.global), [("pid", "/run/x.pid")]);
        let [shop, api] = master.pools.as_slice() else { panic!("{:?}", master.pools) };
        assert_eq!(
            (shop.listen.as_str(), shop.mode, shop.max_children),
            ("/run/php/shop.sock", Mode::Static, Some(50))
        );
        assert_eq!(shop.settings["pm.max_children"].place(), "/etc/php/8.2/fpm/pool.d/b.conf:5");
        assert_eq!(shop.value("env[DB_PASSWORD]"), Some(HIDDEN));
        assert_eq!(shop.value("php_admin_value[memory_limit]"), Some("256M"));
        assert_eq!((api.listen.as_str(), api.mode, api.max_children), ("[::]:9001", Mode::Ondemand, None));
    }

    /// What `php-fpm8.2 -t` says of each line is in the comments.
    #[test]
    fn lines_with_which_fpm_does_not_start_are_named() {
        // value is NULL for a ZEND_INI_PARSER_ENTRY
        // unknown entry '# a'
        // unknown entry 'opcache.enable'
        let text = "[www]\nlisten = run/x.sock\n# tuned\n# a = b\nopcache.enable = 1\npm = static\n";
        let master = read_of(&[(MAIN, text)]);
        let found: Vec<_> = master.problems.iter().map(|problem| (problem.line, problem.stops)).collect();
        assert!([3, 4, 5].iter().all(|line| found.contains(&(*line, true))), "{:?}", master.problems);
        assert_eq!(
            (master.pools[0].listen.as_str(), master.pools[0].mode),
            ("/usr/run/x.sock", Mode::Static)
        );
    }

    #[test]
    fn a_section_goes_on_behind_an_include() {
        let master = read_of(&[
            (MAIN, "[global]\ninclude = /etc/p.conf\nlog_level = notice\ninclude = /etc/none/*.conf\n"),
            ("/etc/p.conf", "[www]\nlisten = 9000\n"),
        ]);
        let found: Vec<_> = master.problems.iter().map(|problem| (problem.line, problem.stops)).collect();
        assert_eq!(found, [(3, true), (4, false)], "{:?}", master.problems);
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let master = read_of(&[(MAIN, "[global]\ninclude = /etc/php/8.2/fpm/php-fpm.conf\n")]);
        assert!(master.problems.iter().any(|problem| problem.what.contains("nested")));
        assert!(read_of(&[]).problems[0].what.contains("does not exist"));
    }
}
