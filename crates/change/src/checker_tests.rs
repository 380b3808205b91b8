use std::fs;

use rustix::thread::UnshareFlags;
use tempfile::TempDir;

use super::*;
use crate::own_namespaces;

/// Runs `work` with copies of folders of the system in their places, an empty `/run`, and no network.
fn with_copies(folders: &[&str], work: impl FnOnce() + Send) {
    let copies = TempDir::new().unwrap();
    own_namespaces::apart(UnshareFlags::NEWNET, || {
        let words = |words: &[&str]| own_namespaces::run("coreutils mount", words);
        for (number, folder) in folders.iter().enumerate() {
            let copy = copies.path().join(number.to_string());
            let copy = copy.to_str().unwrap();
            words(&["cp", "-a", folder, copy]);
            words(&["mount", "--bind", copy, folder]);
        }
        words(&["mount", "-t", "tmpfs", "tmpfs", "/run"]);
        work();
    });
}

fn checker(path: &str) -> Checker {
    checker_of(path).unwrap_or_else(|| panic!("{path} has no checker"))
}

/// Adds a line to a file that is as the package brought it, and tells what its checker says then.
fn after_adding(path: &str, line: &str, package: &str) -> String {
    let checker = checker(path);
    let outcome = checker.run().unwrap();
    assert_eq!(outcome, CheckOutcome::Passed, "{path}: apt-get install {package}");
    let text = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, format!("{text}{line}\n")).unwrap();
    let error = checker.run().unwrap_err().to_string();
    let again = checker.run_after(checker.complaints().unwrap().as_deref());
    if checker.reads_on() {
        assert_eq!(again, Ok(CheckOutcome::Passed));
    } else {
        let again = again.unwrap_err().to_string();
        assert!(again.contains("it found a fault before the change already: "), "{again}");
    }
    fs::write(path, text).unwrap();
    assert_eq!(checker.run(), Ok(CheckOutcome::Passed));
    error
}

#[test]
fn nginx_tells_the_file_and_line_of_a_wrong_directive() {
    with_copies(&["/etc/nginx", "/var/log/nginx"], || {
        let path = "/etc/nginx/conf.d/narrows.conf";
        let error = after_adding(path, "no_such_directive on;", "nginx-light");
        assert!(error.starts_with("cannot check with nginx -t: "), "{error}");
        assert!(
            error.contains("unknown directive \"no_such_directive\" in /etc/nginx/conf.d/narrows.conf:1"),
            "{error}"
        );
        assert!(!error.contains("test failed"), "{error}");
    });
}

#[test]
fn php_fpm_tells_the_file_and_line_of_a_wrong_setting() {
    let versions = fs::read_dir("/etc/php").expect("apt-get install php-fpm");
    let mut versions = versions.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let version = versions.find(|version| fs::exists(format!("/etc/php/{version}/fpm")).unwrap()).unwrap();
    with_copies(&["/etc/php"], || {
        let path = format!("/etc/php/{version}/fpm/pool.d/www.conf");
        let error = after_adding(&path, "pm.max_children = many", "php-fpm");
        assert!(error.starts_with(&format!("cannot check with php-fpm{version} -t: ")), "{error}");
        assert!(error.contains("pool.d/www.conf") && error.contains("is not a valid number"), "{error}");
    });
}

#[test]
fn php_tells_the_line_at_which_it_would_stop_and_runs_nothing() {
    let folder = TempDir::new().unwrap();
    let (path, ran) = (folder.path().join("wp-config.php"), folder.path().join("ran"));
    let text = format!("<?php\ntouch('{}');\n", ran.display());
    fs::write(&path, &text).unwrap();
    let error = after_adding(path.to_str().unwrap(), "define('A', ;", "php-cli");
    assert!(error.starts_with("cannot check with php -l ") && error.contains("on line 3"), "{error}");
    assert!(!ran.exists());
}

#[test]
fn haproxy_tells_the_file_and_line_of_a_wrong_keyword() {
    with_copies(&["/etc/haproxy"], || {
        let error = after_adding("/etc/haproxy/haproxy.cfg", "no-such-keyword 1", "haproxy");
        assert!(error.starts_with("cannot check with haproxy -c -f /etc/haproxy/haproxy.cfg: "), "{error}");
        assert!(error.contains("unknown keyword 'no-such-keyword'"), "{error}");
    });
}

#[test]
fn mariadb_tells_the_variable_it_does_not_know_and_the_file_it_cannot_read() {
    with_copies(&["/etc/mysql"], || {
        let path = "/etc/mysql/mariadb.conf.d/90-narrows.cnf";
        let error = after_adding(path, "[mysqld]\nno_such_variable = 1", "mariadb-server");
        assert!(error.starts_with("cannot check with mariadbd --help --verbose: "), "{error}");
        assert!(error.contains("unknown variable 'no_such_variable=1'"), "{error}");
        assert!(!error.contains("[Warning]"), "{error}");
        let error = after_adding(path, "[mysqld", "mariadb-server");
        assert!(error.contains("Wrong group definition in config file"), "{error}");
    });
}

#[test]
fn systemd_tells_the_line_of_a_drop_in_that_it_ignores() {
    with_copies(&["/etc/systemd/system"], || {
        let folder = "/etc/systemd/system/cron-narrows.service";
        fs::write(folder, "[Service]\nExecStart=/bin/true\n").unwrap();
        fs::create_dir(format!("{folder}.d")).unwrap();
        let path = format!("{folder}.d/90-narrows.conf");
        let error = after_adding(&path, "[Service]\nLimitNOFILE=many", "systemd");
        assert!(error.contains("systemd-analyze verify --man=no cron-narrows.service"), "{error}");
        assert!(error.contains("90-narrows.conf:2: Failed to parse resource value"), "{error}");
        let error = after_adding(folder, "Nonsense=1", "systemd");
        assert!(error.contains("cron-narrows.service:3: Unknown key"), "{error}");
        let error = checker("/etc/systemd/system/no-such.service.d/x.conf").run().unwrap_err().to_string();
        assert!(error.contains("Unit no-such.service not found"), "{error}");
    });
}

#[test]
fn fstab_is_held_to_the_errors_that_a_change_brings() {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("fstab");
    fs::write(&copy, "/dev/no-such-disk /no/such/mount ext4 noauto 0 0\n").unwrap();
    own_namespaces::with_own_mounts(|| {
        own_namespaces::run("mount", &["mount", "--bind", copy.to_str().unwrap(), "/etc/fstab"]);
        let error = after_adding("/etc/fstab", "broken", "util-linux");
        assert!(error.contains("parse error at line 2"), "{error}");
        let checker = checker("/etc/fstab");
        fs::write("/etc/fstab", "# m\n/dev/no-such-disk /no/such/mount ext4 defaults 0 0\nbroken\n").unwrap();
        let before = checker.complaints().unwrap().unwrap();
        assert!(
            before.contains(
                &"/no/such/mount: unreachable on boot required target: No such file or directory".to_owned()
            ),
            "{before:?}"
        );
        fs::write("/etc/fstab", "LABEL=none /no/such/place ext4 defaults 0 0\n/dev/no-such-disk /no/such/mount ext4 defaults 0 0\n\n\nbroken\n").unwrap();
        let error = checker.run_after(Some(&before)).unwrap_err().to_string();
        assert!(error.contains("/no/such/place: unreachable"), "{error}");
        assert!(!error.contains("/no/such/mount") && !error.contains("parse error"), "{error}");
    });
}

#[test]
fn a_line_of_sysctl_d_without_effect_is_named() {
    with_copies(&["/etc/sysctl.d"], || {
        let path = "/etc/sysctl.d/90-narrows.conf";
        let error = after_adding(path, "vm.swappiness 10", "procps");
        assert!(error.contains("line 1 has no effect: vm.swappiness 10"), "{error}");
    });
}

#[test]
fn every_file_of_the_stack_finds_its_checker_and_others_find_none() {
    let systemd = |unit: &str, path: &str| {
        Some(Checker::Systemd { unit: unit.to_owned(), path: format!("/etc/systemd/system/{path}") })
    };
    let php = |version: &str| Some(Checker::PhpFpm { version: Some(version.to_owned()) });
    for (path, expected) in [
        ("/etc/nginx/nginx.conf", Some(Checker::Nginx)),
        ("/etc/nginxx/nginx.conf", None),
        ("/etc/php/8.2/fpm/pool.d/www.conf", php("8.2")),
        ("/etc/php/7.4/mods-available/opcache.ini", php("7.4")),
        ("/etc/php/8.2/cli/php.ini", None),
        ("/etc/php-fpm.d/www.conf", Some(Checker::PhpFpm { version: None })),
        ("/etc/haproxy/haproxy.cfg", Some(Checker::Haproxy { folder: false })),
        ("/etc/haproxy/conf.d/a.cfg", Some(Checker::Haproxy { folder: true })),
        ("/etc/my.cnf", Some(Checker::Database)),
        ("/etc/mysql/mariadb.conf.d/50-server.cnf", Some(Checker::Database)),
        ("/etc/systemd/system/nginx.service.d/a.conf", systemd("nginx.service", "nginx.service.d/a.conf")),
        ("/etc/systemd/system/php@.service", systemd("php@.service", "php@.service")),
        ("/etc/systemd/system/service.d/a.conf", None),
        ("/etc/systemd/system/php-.service.d/a.conf", None),
        ("/etc/systemd/system/multi-user.target.wants/a.service", None),
        ("/etc/systemd/system.conf", None),
        ("/etc/fstab", Some(Checker::Fstab)),
        ("/etc/sysctl.conf", Some(Checker::Sysctl { path: "/etc/sysctl.conf".to_owned() })),
        ("/etc/ssh/sshd_config", None),
    ] {
        assert_eq!(checker_of(path), expected, "{path}");
    }
}

#[test]
fn a_checker_that_is_not_installed_is_told_apart() {
    let checker = Checker::PhpFpm { version: Some("0.1".to_owned()) };
    assert_eq!(checker.run(), Ok(CheckOutcome::NotInstalled));
    assert_eq!(checker.complaints(), Ok(None));
}

#[test]
fn many_faults_are_counted_and_a_silent_failure_is_one() {
    let faults: Vec<_> = (1..=10).map(|number| number.to_string()).collect();
    assert_eq!(shown(&faults), "1; 2; 3; 4; 5; 6; 7; 8; and 2 more");
    assert_eq!(Checker::Nginx.faults(false, "\n"), ["it failed and did not say why"]);
    assert_eq!(without_place("line 12 has a1: x:33: y"), "line  has a1: x:: y");
}
