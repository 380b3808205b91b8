//! Edits of the files that Debian ships, given to the programs that read them.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "the tests write files and run the programs that read them"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use conf::{HaproxyDocument, NginxDocument, SettingsDialect, SettingsDocument};
use tempfile::TempDir;

/// Runs a program of a package and returns what it printed; fails when it does.
#[track_caller]
fn run(package: &str, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("running {program}: {error}; apt-get install {package}"));
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{printed}", output.status);
    printed
}

/// Writes a file of a test into its directory.
fn write(directory: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a temporary directory is UTF-8")
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

#[test]
fn nginx_takes_its_edited_files() {
    let directory = directory();
    let mut site = NginxDocument::new("default", include_bytes!("fixtures/nginx/default"));
    for (first, value) in [("80", "4096"), ("[::]:80", "4096")] {
        site.set_parameter(&["server"], "listen", Some(first), "backlog", value)
            .expect("the listen is there");
    }
    site.set_arguments(&["server", "location /"], "expires", None, "1d").expect("the location is there");
    site.set_arguments(&["server"], "add_header", Some("X-A"), "X-A \"a; {b}\" always")
        .expect("the server is there");
    let site = write(&directory, "default", site.as_bytes());
    let mut main = NginxDocument::new("nginx.conf", include_bytes!("fixtures/nginx/nginx.conf"));
    let log = directory.path().join("log");
    for (path, directive, first, arguments) in [
        (&[][..], "pid", None, text(&directory.path().join("pid"))),
        (&[], "error_log", None, text(&log)),
        (&[], "worker_rlimit_nofile", None, "65536"),
        (&["events"], "worker_connections", None, "4096"),
        (&["events"], "multi_accept", None, "on"),
        (&["http"], "access_log", None, text(&log)),
        (&["http"], "gzip_types", None, "text/css application/json"),
        (&["http"], "open_file_cache", None, "max=10000 inactive=60s"),
        (&["http"], "include", Some(text(&site)), text(&site)),
    ] {
        main.set_arguments(path, directive, first, arguments).expect("the edit is possible");
    }
    main.remove(&[] as &[&str], "include", Some("/etc/nginx/modules-enabled/*.conf"))
        .expect("the include is there");
    main.remove(&["http"], "include", Some("/etc/nginx/sites-enabled/*")).expect("the include is there");
    main.remove(&["http"], "tcp_nopush", None).expect("the directive is there");
    let main = write(&directory, "nginx.conf", main.as_bytes());
    let printed = run("nginx", "nginx", &["-T", "-c", text(&main)]);
    assert!(printed.contains("test is successful"), "{printed}");
    assert!(printed.contains("listen 80 default_server backlog=4096;"), "{printed}");
}

#[test]
fn php_fpm_takes_its_edited_pool() {
    let directory = directory();
    let mut pool =
        SettingsDocument::new("www.conf", include_bytes!("fixtures/php/www.conf"), SettingsDialect::Ini);
    for (key, value) in [
        ("pm.max_children", "50"),
        ("pm.max_requests", "1000"),
        ("listen.backlog", "4096"),
        ("php_admin_value[memory_limit]", "64M"),
        ("php_value[error_prepend_string]", "a;b = \"c\""),
        ("env[HOSTNAME]", "it's #1"),
    ] {
        pool.set(Some("www"), key, value).expect("the edit is possible");
    }
    pool.remove(Some("www"), "listen.group").expect("the key is there");
    let pool = write(&directory, "www.conf", pool.as_bytes());
    let log = directory.path().join("log");
    let main = format!("[global]\nerror_log = {}\ninclude = {}\n", text(&log), text(&pool));
    let main = write(&directory, "php-fpm.conf", main.as_bytes());
    let printed = run("php8.2-fpm", "php-fpm8.2", &["-tt", "-y", text(&main)]);
    for line in [
        "pm.max_children = 50",
        "pm.max_requests = 1000",
        "listen.backlog = 4096",
        "listen.group = undefined",
        "php_admin_value[memory_limit] = 64M",
        "php_value[error_prepend_string] = a;b = \"c\"",
        "env[HOSTNAME] = it's #1",
    ] {
        assert!(printed.contains(line), "{line} in\n{printed}");
    }
}

#[test]
fn php_reads_each_value_as_it_was_set() {
    let directory = directory();
    let values = [
        "128M",
        "a;b",
        "a=b",
        "say \"x\"",
        "C:\\dir\\",
        "it's",
        "/a(b)",
        " x ",
        "",
        "a # b",
        "!x",
        "~",
        "{}",
    ];
    let original: &[u8] = include_bytes!("fixtures/php/php.ini");
    let mut document = SettingsDocument::new("php.ini", original, SettingsDialect::Ini);
    for (number, value) in values.iter().enumerate() {
        document.set(Some("PHP"), &format!("probe.k{number}"), value).expect("the edit is possible");
    }
    document.set(Some("PHP"), "memory_limit", "512M").expect("the edit is possible");
    document.set(Some("PHP"), "error_reporting", "E_ALL & ~E_NOTICE").expect("the edit is possible");
    let path = write(&directory, "php.ini", document.as_bytes());
    let program = "foreach (parse_ini_file($argv[1]) as $key => $value)\n\
                   if (!is_array($value)) echo $key, '=<', $value, \">\\n\";";
    let printed = run("php8.2-cli", "php8.2", &["-n", "-r", program, "--", text(&path)]);
    let numbered = values.iter().enumerate().map(|(number, value)| format!("probe.k{number}=<{value}>"));
    for line in numbered.chain(["memory_limit=<512M>".to_owned(), "error_reporting=<32759>".to_owned()]) {
        assert!(printed.lines().any(|printed| printed == line), "{line} in\n{printed}");
    }
}

#[test]
fn mariadb_takes_its_edited_option_file() {
    let directory = directory();
    let original: &[u8] = include_bytes!("fixtures/mariadb/50-server.cnf");
    let mut document = SettingsDocument::new("50-server.cnf", original, SettingsDialect::OptionFile);
    for (group, option, value) in [
        ("mysqld", "max_connections", "500"),
        ("mysqld", "skip-name-resolve", ""),
        ("mysqld", "back_log", "900"),
        ("mysqld", "init-connect", "SELECT '#1', \"a;b\\\\c\""),
        ("mariadb", "table-open-cache", "4321"),
        ("mysqld", "loose-no-such-option", "1"),
    ] {
        document.set(Some(group), option, value).expect("the edit is possible");
    }
    document.remove(Some("mysqld"), "bind_address").expect("the option is there");
    let path = write(&directory, "50-server.cnf", document.as_bytes());
    let defaults = format!("--defaults-file={}", text(&path));
    let printed = run("mariadb-server", "mariadbd", &[&defaults, "--user=mysql", "--help", "--verbose"]);
    for (option, value) in [
        ("max-connections", "500"),
        ("skip-name-resolve", "TRUE"),
        ("back-log", "900"),
        ("init-connect", "SELECT '#1', \"a;b\\\\c\""),
        ("table-open-cache", "4321"),
        ("bind-address", "(No default value)"),
    ] {
        let shown = |line: &str| {
            line.split_once(' ').is_some_and(|(name, rest)| name == option && rest.trim() == value)
        };
        let own: Vec<_> = printed.lines().filter(|line| line.starts_with(option)).collect();
        assert!(printed.lines().any(shown), "{option} is not {value}: {own:?}");
    }
}

#[test]
fn haproxy_takes_its_edited_file() {
    let directory = directory();
    let original =
        include_str!("fixtures/haproxy/haproxy.cfg").to_owned() + "\nlisten www\n\tbind 127.0.0.1:8080\n";
    let mut document = HaproxyDocument::new("haproxy.cfg", original);
    for (section, keyword, arguments) in [
        ("global", "maxconn", "2000"),
        ("defaults", "timeout connect", "5s"),
        ("defaults", "timeout http-request", "10s"),
        ("listen www", "bind 127.0.0.1:8080", "backlog 4096"),
        ("listen www", "option httpchk", "GET /a\\ b"),
        ("listen www", "server web", "127.0.0.1:8081 check maxconn 50"),
        ("listen www", "no option dontlognull", ""),
    ] {
        document.set(section, keyword, arguments).expect("the edit is possible");
    }
    document.remove("global", "daemon").expect("the keyword is there");
    let path = write(&directory, "haproxy.cfg", document.as_bytes());
    let printed = run("haproxy", "haproxy", &["-c", "-f", text(&path)]);
    assert!(printed.contains("Configuration file is valid"), "{printed}");
}

#[test]
fn systemd_takes_its_edited_unit() {
    let directory = directory();
    let original: &[u8] = include_bytes!("fixtures/systemd/mariadb.service");
    let mut document = SettingsDocument::new("mariadb.service", original, SettingsDialect::Systemd);
    for (section, key, value) in [
        ("Service", "LimitNOFILE", "65536"),
        ("Service", "ExecStart", "/bin/true one"),
        ("Service", "CPUWeight", "200"),
        ("Unit", "Documentation", "https://example.org/"),
    ] {
        document.set(Some(section), key, value).expect("the edit is possible");
    }
    document.remove(Some("Service"), "ExecStartPost").expect("the key is there");
    let path = write(&directory, "narrows-checked.service", document.as_bytes());
    let printed = run("systemd", "systemd-analyze", &["verify", "--recursive-errors=no", text(&path)]);
    assert!(!printed.contains("narrows-checked.service:"), "a line is not understood:\n{printed}");
}
