//! Credentials, as the client programs read them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panic and write files")]

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use database::{Address, Logins, Sources, TlsMode};

fn write(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn read(only: Option<PathBuf>, variables: &[(&str, &str)]) -> Logins {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    Logins::read_from(&Sources { only, extra: None, variable: &variable }).unwrap()
}

#[test]
fn the_file_that_is_named_says_user_host_and_port() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "[mysqld]\nuser=mysql\n[client]\nuser=ann\npassword=\"a#b\"\nhost=db.example\n[narrows]\nport=3307\n";
    let logins = read(Some(write(folder.path(), "my.cnf", text, 0o600)), &[("MYSQL_HOST", "other")]);
    let login = logins.login();
    assert_eq!((login.user.as_str(), login.address.to_string().as_str()), ("ann", "db.example:3307"));
    assert_eq!((login.tls.mode, login.withheld), (TlsMode::Preferred, None));
    assert!(logins.warnings().is_empty());
    assert!(!format!("{logins:?}").contains("a#b"));
}

#[test]
fn what_is_included_counts_and_the_users_own_file_comes_last() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    let include = format!("!includedir {}/d\n[client]\nport=1\n", folder.path().display());
    write(folder.path(), ".my.cnf", &include, 0o600);
    write(folder.path(), "d/a.cnf", "[client]\nhost=10.0.0.9\nport=2\n", 0o600);
    let home = folder.path().display().to_string();
    let login = read(None, &[("HOME", &home)]).login();
    assert_eq!(login.address.to_string(), "10.0.0.9:1");
}

#[test]
fn the_environment_stands_where_no_file_speaks() {
    let login = read(Some("/dev/null".into()), &[("MYSQL_HOST", "h"), ("MYSQL_TCP_PORT", "9")]).login();
    assert_eq!(login.address, Address::Tcp("h".to_owned(), 9));
    let login = read(Some("/dev/null".into()), &[("MYSQL_UNIX_PORT", "/run/x.sock")]).login();
    assert_eq!(login.address, Address::Socket("/run/x.sock".to_owned()));
}

#[test]
fn a_password_that_all_may_read_is_told_and_a_file_that_all_may_write_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let readable = read(Some(write(folder.path(), "a", "[client]\npassword=x\n", 0o644)), &[]);
    assert!(readable.warnings()[0].contains("chmod 600"));
    let writable = read(Some(write(folder.path(), "b", "[client]\nuser=eve\n", 0o666)), &[]);
    assert!(writable.warnings()[0].contains("not read"));
    assert_ne!(writable.login().user, "eve");
}

#[test]
fn a_server_that_is_named_goes_over_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[client]\nuser=ann\npassword=x\nssl-ca=/etc/ca.pem\nssl-verify-server-cert\n";
    let file = write(folder.path(), "my.cnf", text, 0o600);
    let logins = read(Some(file), &[]).with_server("watch@10.0.0.7:3310").with_server("10.0.0.8");
    let shown: Vec<_> = logins.servers().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.7:3310", "10.0.0.8:3306"]);
    let login = logins.login();
    assert_eq!((login.user.as_str(), login.tls.mode), ("watch", TlsMode::VerifiedName));
    assert_eq!(logins.for_server(&Address::parse("10.0.0.8")).user, "ann");
}

#[test]
fn a_password_is_not_sent_to_a_socket_of_somebody() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "my.cnf", "[client]\nuser=ann\npassword=x\n", 0o600);
    let logins = read(Some(file), &[]);
    let withheld = |logins: &Logins, path: &str| logins.for_server(&Address::parse(path)).withheld;
    let socket = write(folder.path(), "mysqld.sock", "", 0o777).display().to_string();
    assert_eq!(withheld(&logins, &socket), None, "it is ours");
    if std::os::unix::fs::chown(&socket, Some(4711), None).is_ok() {
        assert!(withheld(&logins, &socket).unwrap().contains("4711"));
        assert_eq!(withheld(&logins.clone().with_server(&socket), &socket), None);
    }
    assert!(withheld(&logins, "127.0.0.1:3306").unwrap().contains("--database 127.0.0.1:3306"));
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_an_error() {
    let sources = Sources { only: Some("/no/such/file".into()), extra: None, variable: &|_| None };
    assert!(Logins::read_from(&sources).unwrap_err().to_string().contains("/no/such/file"));
}
