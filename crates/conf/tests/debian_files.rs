//! Edits of the files that Debian ships: what changes, line by line, and that nothing else does.

#![allow(clippy::expect_used, reason = "a test")]

use conf::{HaproxyDocument, NginxDocument, SettingsDialect, SettingsDocument};

const NGINX: &str = include_str!("fixtures/nginx/nginx.conf");
const SITE: &str = include_str!("fixtures/nginx/default");
const PHP: &str = include_str!("fixtures/php/php.ini");
const POOL: &str = include_str!("fixtures/php/www.conf");
const OPCACHE: &str = include_str!("fixtures/php/opcache.ini");
const MARIADB: &str = include_str!("fixtures/mariadb/50-server.cnf");
const UNIT: &str = include_str!("fixtures/systemd/mariadb.service");
const LINK: &str = include_str!("fixtures/systemd/99-default.link");
const HAPROXY: &str = include_str!("fixtures/haproxy/haproxy.cfg");

/// Writes what changed as one block: the line number, the lines that went and those that came.
fn diff(before: &str, after: &[u8]) -> String {
    let after = std::str::from_utf8(after).expect("UTF-8 in, UTF-8 out");
    let (old, new): (Vec<_>, Vec<_>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    if old == new {
        return String::new();
    }
    let head = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let tails = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = tails.take_while(|(one, other)| one == other).count();
    let gone = old[head..old.len() - tail].iter().map(|line| format!("-{line}"));
    let come = new[head..new.len() - tail].iter().map(|line| format!("+{line}"));
    format!("@{}\n{}", head + 1, gone.chain(come).collect::<String>())
}

#[track_caller]
fn set(dialect: SettingsDialect, text: &str, section: Option<&str>, key: &str, value: &str) -> String {
    let mut document = SettingsDocument::new("x", text, dialect);
    assert!(document.problems().iter().all(|problem| !problem.stops), "{:?}", document.problems());
    document.set(section, key, value).expect("the edit is possible");
    assert_eq!(document.get(section, key), Some(value.as_bytes()));
    diff(text, document.as_bytes())
}

#[test]
fn php_ini_changes_by_one_line() {
    let set = |key, value| set(SettingsDialect::Ini, PHP, Some("PHP"), key, value);
    assert_eq!(set("memory_limit", "512M"), "@435\n-memory_limit = 128M\n+memory_limit = 512M\n");
    assert_eq!(set("memory_limit", "128M"), "");
    assert_eq!(set("realpath_cache_size", "4096k"), "@352\n+realpath_cache_size = 4096k\n");
    assert_eq!(
        set("error_reporting", "E_ALL & ~E_NOTICE"),
        "@491\n-error_reporting = E_ALL & ~E_DEPRECATED & ~E_STRICT\n+error_reporting = E_ALL & ~E_NOTICE\n"
    );
    assert_eq!(set("error_prepend_string", "a;b"), "@584\n+error_prepend_string = \"a;b\"\n");
    let opcache = |key, value| self::set(SettingsDialect::Ini, PHP, Some("opcache"), key, value);
    assert_eq!(opcache("opcache.memory_consumption", "256"), "@1793\n+opcache.memory_consumption=256\n");
}

#[test]
fn a_pool_and_a_conf_d_file_change_by_one_line() {
    let pool = |key, value| set(SettingsDialect::Ini, POOL, Some("www"), key, value);
    assert_eq!(pool("pm.max_children", "50"), "@127\n-pm.max_children = 5\n+pm.max_children = 50\n");
    assert_eq!(pool("pm.max_requests", "1000"), "@160\n+pm.max_requests = 1000\n");
    assert_eq!(pool("php_admin_value[memory_limit]", "64M"), "@491\n+php_admin_value[memory_limit] = 64M\n");
    assert_eq!(pool("php_value[x]", "a=b"), "@491\n+php_value[x] = \"a=b\"\n");
    let own = |key, value| set(SettingsDialect::Ini, OPCACHE, None, key, value);
    assert_eq!(own("opcache.jit", "on"), "@4\n-opcache.jit=off\n+opcache.jit=on\n");
    assert_eq!(own("opcache.enable", "1"), "@5\n+opcache.enable=1\n");
}

#[test]
fn an_option_file_changes_by_one_line() {
    let set = |option, value| set(SettingsDialect::OptionFile, MARIADB, Some("mysqld"), option, value);
    assert_eq!(set("max_connections", "500"), "@41\n+max_connections        = 500\n");
    assert_eq!(
        set("bind_address", "::"),
        "@27\n-bind-address            = 127.0.0.1\n+bind-address            = ::\n"
    );
    assert_eq!(set("skip-name-resolve", ""), "@24\n+skip-name-resolve\n");
    assert_eq!(set("innodb_buffer_pool_size", "8G"), "@107\n+innodb_buffer_pool_size = 8G\n");
    assert_eq!(set("tmp_table_size", "64M"), "@107\n+tmp_table_size = 64M\n");
}

#[test]
fn a_unit_and_a_link_file_change_by_one_line() {
    let unit = |section, key, value| set(SettingsDialect::Systemd, UNIT, Some(section), key, value);
    assert_eq!(unit("Service", "LimitNOFILE", "65536"), "@147\n-LimitNOFILE=32768\n+LimitNOFILE=65536\n");
    assert_eq!(unit("Unit", "Wants", "x.service"), "@26\n+Wants=x.service\n");
    let link = |section, key, value| set(SettingsDialect::Systemd, LINK, Some(section), key, value);
    assert_eq!(link("Link", "RxBufferSize", "4096"), "@21\n+RxBufferSize=4096\n");
    assert_eq!(link("X", "A", "1"), "@21\n+\n+[X]\n+A=1\n");
}

#[test]
fn nginx_conf_and_a_site_change_by_one_line() {
    let set = |text, path: &[&str], directive, first, arguments| {
        let mut document = NginxDocument::new("x", text);
        assert_eq!(document.problems(), []);
        document.set_arguments(path, directive, first, arguments).expect("the edit is possible");
        diff(text, document.as_bytes())
    };
    assert_eq!(
        set(NGINX, &["events"], "worker_connections", None, "4096"),
        "@8\n-\tworker_connections 768;\n+\tworker_connections 4096;\n"
    );
    assert_eq!(set(NGINX, &["events"], "multi_accept", None, "on"), "@10\n+\tmulti_accept on;\n");
    assert_eq!(set(NGINX, &[], "worker_rlimit_nofile", None, "65536"), "@5\n+worker_rlimit_nofile 65536;\n");
    assert_eq!(set(NGINX, &["http"], "gzip_comp_level", None, "5"), "@51\n+\tgzip_comp_level 5;\n");
    assert_eq!(
        set(NGINX, &["http"], "open_file_cache", None, "max=1000"),
        "@47\n+\topen_file_cache max=1000;\n"
    );
    assert_eq!(set(SITE, &["server"], "keepalive_timeout", None, "15"), "@47\n+\tkeepalive_timeout 15;\n");
    assert_eq!(set(SITE, &["server", "location /"], "expires", None, "1d"), "@52\n+\t\texpires 1d;\n");
    let mut site = NginxDocument::new("x", SITE);
    site.set_parameter(&["server"], "listen", Some("80"), "backlog", "4096").expect("the edit is possible");
    assert_eq!(
        diff(SITE, site.as_bytes()),
        "@22\n-\tlisten 80 default_server;\n+\tlisten 80 default_server backlog=4096;\n"
    );
    let mut main = NginxDocument::new("x", NGINX);
    main.remove(&["http"], "ssl_protocols", None).expect("the edit is possible");
    assert_eq!(
        diff(NGINX, main.as_bytes()),
        "@33\n-\tssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3, ref: POODLE\n"
    );
}

#[test]
fn haproxy_cfg_changes_by_one_line() {
    let edit = |section, keyword, arguments: Option<&str>| {
        let mut document = HaproxyDocument::new("x", HAPROXY);
        assert_eq!(document.problems(), []);
        let edited = match arguments {
            Some(arguments) => document.set(section, keyword, arguments),
            None => document.remove(section, keyword),
        };
        edited.expect("the edit is possible");
        diff(HAPROXY, document.as_bytes())
    };
    assert_eq!(
        edit("defaults", "timeout connect", Some("5s")),
        "@25\n-        timeout connect 5000\n+        timeout connect 5s\n"
    );
    assert_eq!(
        edit("defaults", "timeout client", Some("30s")),
        "@26\n-        timeout client  50000\n+        timeout client  30s\n"
    );
    assert_eq!(edit("global", "maxconn", Some("20000")), "@19\n+        maxconn 20000\n");
    assert_eq!(edit("defaults", "option dontlognull", None), "@24\n-\toption\tdontlognull\n");
    assert_eq!(edit("defaults", "maxconn", Some("9")), "@35\n+\tmaxconn 9\n");
}
