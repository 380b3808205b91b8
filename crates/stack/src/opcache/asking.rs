//! Which pools can be asked what OPcache holds: those where a script below `/run` runs alone, and leaves nothing.

use model::Unread;

use super::Runtime;
use crate::php_fpm::{Master, Pool};

/// The folder in which the script lies for the moment.
const FOLDER: &str = "/run/";

/// A pool with the settings of its PHP.
struct Asked<'a> {
    pool: &'a Pool,
    runtime: Option<&'a Runtime>,
}

/// Why a pool is not asked; `None` when it may be.
pub(super) fn refusal(master: &Master, pool: &Pool, runtimes: &[Runtime]) -> Option<Unread> {
    let mut fitting = runtimes.iter().filter(|runtime| runtime.interface == "fpm");
    let asked =
        Asked { pool, runtime: fitting.find(|runtime| Some(&runtime.version) == master.version.as_ref()) };
    let (why, how) = asked.unable().or_else(|| asked.would_leave_a_trace())?;
    Some(Unread::new(format!("OPcache was not asked through pool {}: {why}", pool.name), how))
}

impl Asked<'_> {
    /// A setting of PHP in this pool, as far as files say: the pool's own, else that of the ini files.
    fn value(&self, key: &str) -> &str {
        let of_pool = ["php_admin_value", "php_admin_flag", "php_value", "php_flag"]
            .iter()
            .find_map(|kind| self.pool.value(&format!("{kind}[{key}]")));
        let of_files = || self.runtime?.settings.get(key).map(|setting| setting.value.as_str());
        of_pool.or_else(of_files).unwrap_or_default().trim()
    }

    fn is_on(&self, key: &str, default: bool) -> bool {
        match self.value(key) {
            "" => default,
            value => ["1", "on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word)),
        }
    }

    fn is_zero(&self, key: &str) -> bool {
        ["0", "off", "no", "false"].iter().any(|word| self.value(key).eq_ignore_ascii_case(word))
    }

    /// Settings under which the script would not run, or not be told.
    fn unable(&self) -> Option<(String, String)> {
        let another = "all pools of a master share one OPcache: give it a small pool without this setting, and it is asked";
        let refused =
            |setting: &str, value: &str| Some((format!("{setting} is {value}"), another.to_owned()));
        if let Some(chroot) = self.pool.value("chroot").filter(|chroot| !chroot.trim().is_empty()) {
            return refused("chroot", chroot);
        }
        let basedir = self.value("open_basedir");
        if !basedir.is_empty() && !basedir.split(':').any(|folder| FOLDER.starts_with(folder.trim())) {
            return refused("open_basedir", basedir);
        }
        let functions = self.value("disable_functions");
        if functions.split(',').any(|name| name.trim() == "opcache_get_status") {
            return refused("disable_functions", "with opcache_get_status");
        }
        let restricted = self.value("opcache.restrict_api");
        if !restricted.is_empty() && !FOLDER.starts_with(restricted) {
            return refused("opcache.restrict_api", restricted);
        }
        let extensions = self.pool.value("security.limit_extensions").unwrap_or(".php");
        let listed: Vec<_> = extensions.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let unlimited = listed.is_empty() || extensions.eq_ignore_ascii_case("false");
        if !unlimited && !listed.contains(&".php") {
            return refused("security.limit_extensions", extensions);
        }
        None
    }

    /// Settings under which a request does more than run the script.
    fn would_leave_a_trace(&self) -> Option<(String, String)> {
        for name in ["auto_prepend_file", "auto_append_file"] {
            let file = self.value(name);
            if !file.is_empty() && !file.eq_ignore_ascii_case("none") {
                let how = format!(
                    "give the master a small pool with `php_admin_value[{name}] = none`: all its pools share one OPcache"
                );
                return Some((format!("{name} would run code of the site ({file})"), how));
            }
        }
        if self.is_on("session.auto_start", false) {
            let how = "set session.auto_start = 0: it begins a session for every request";
            return Some(("session.auto_start would begin a session".to_owned(), how.to_owned()));
        }
        // Without all three OPcache does not look at the file's time, by which the script stays out of it.
        let size = self.value("opcache.max_file_size");
        let keeps = self.is_zero("opcache.file_update_protection")
            && !self.is_on("opcache.validate_timestamps", true)
            && (size.is_empty() || size == "0");
        keeps.then(|| {
            let why = "file_update_protection and validate_timestamps are both 0, so that OPcache would keep the script";
            (why.to_owned(), "set opcache.file_update_protection = 2, PHP's default".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::php_fpm::Setting;

    fn why(pool: &[(&str, &str)], ini: &[(&str, &str)]) -> Option<String> {
        let settings = |pairs: &[(&str, &str)]| {
            let setting = |value: &str| Setting { value: value.to_owned(), ..Setting::default() };
            pairs.iter().map(|(key, value)| ((*key).to_owned(), setting(value))).collect()
        };
        let pool = Pool { name: "www".to_owned(), settings: settings(pool), ..Pool::default() };
        let master = Master { version: Some("8.2".to_owned()), ..Master::default() };
        let of = |version: &str, interface: &str, pairs| Runtime {
            version: version.to_owned(),
            interface: interface.to_owned(),
            settings: settings(pairs),
            ..Runtime::default()
        };
        let other = &[("auto_prepend_file", "/other.php")];
        let runtimes = [of("8.1", "fpm", other), of("8.2", "cli", other), of("8.2", "fpm", ini)];
        refusal(&master, &pool, &runtimes).map(|unread| unread.why)
    }

    #[test]
    fn a_pool_that_would_not_run_the_script_is_not_asked() {
        for (key, value) in [
            ("chroot", "/srv"),
            ("php_admin_value[open_basedir]", "/srv:/tmp"),
            ("php_admin_value[disable_functions]", "exec, opcache_get_status"),
            ("php_admin_value[opcache.restrict_api]", "/srv/admin"),
            ("security.limit_extensions", ".html .phtml"),
        ] {
            let why = why(&[(key, value)], &[]).unwrap();
            assert!(why.starts_with("OPcache was not asked through pool www: "), "{why}");
        }
        for (key, value) in [
            ("php_admin_value[open_basedir]", "/srv:/run/"),
            ("php_admin_value[open_basedir]", "/"),
            ("php_admin_value[disable_functions]", "exec"),
            ("security.limit_extensions", ""),
            ("security.limit_extensions", ".html .php"),
        ] {
            assert_eq!(why(&[(key, value)], &[]), None, "{key} = {value}");
        }
    }

    #[test]
    fn a_request_that_would_do_more_is_not_made() {
        assert!(why(&[], &[("auto_prepend_file", "/srv/waf.php")]).unwrap().contains("/srv/waf.php"));
        let none = ("php_admin_value[auto_prepend_file]", "none");
        assert_eq!(why(&[none], &[("auto_prepend_file", "/srv/waf.php")]), None);
        assert!(why(&[("php_admin_flag[session.auto_start]", "on")], &[]).is_some());
        let (young, validate) =
            (("opcache.file_update_protection", "0"), ("opcache.validate_timestamps", "0"));
        assert!(why(&[], &[young, validate]).is_some());
        assert_eq!(why(&[], &[young]), None);
        assert_eq!(why(&[], &[validate]), None);
    }
}
