//! As whom to talk to the administration of ProxySQL.

use conf::LibconfigDocument;

use crate::options::Options;
use crate::{Address, Login};

/// The port of ProxySQL's administration unless its file says otherwise.
const PORT: u16 = 6032;
/// ProxySQL's own configuration file.
const FILE: &str = "/etc/proxysql.cnf";
/// The user and the password that every ProxySQL begins with. It takes them from this machine only.
const FIRST: (&str, &str) = ("admin", "admin");

/// The login for an address at which the administration of ProxySQL listens; `None` for any other server.
///
/// User and password stand below `[proxysql-admin]` of an option file. Those that every ProxySQL begins with are tried on
/// this machine where its configuration file still has them.
pub(crate) fn login(options: &Options, address: &Address, user: Option<String>) -> Option<Login> {
    let Address::Tcp(host, port) = address else { return None };
    let is_named = options.host.is_some() || options.port.is_some();
    let means = |wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| same_host(wanted, host));
    let is_meant = *port == options.port.unwrap_or(PORT) && means(&options.host);
    if !is_meant || !(is_named || *port == PORT) {
        return None;
    }
    if options.password.is_some() && (is_named || address.is_local()) {
        let user = user.or_else(|| options.user.clone()).unwrap_or_else(|| FIRST.0.to_owned());
        let login = Login::new(address.clone(), user).with_password(options.password.clone());
        return Some(login.with_tls(options.tls.clone()));
    }
    let begins = address.is_local() && std::fs::read(FILE).is_ok_and(|bytes| has_first(&bytes));
    let first = || Login::new(address.clone(), FIRST.0).with_password(Some(FIRST.1.to_owned()));
    begins.then(first)
}

fn same_host(one: &str, other: &str) -> bool {
    let local = |host: &str| ["localhost", "127.0.0.1", "::1"].contains(&host);
    one == other || (local(one) && local(other))
}

/// Whether a configuration file of ProxySQL has the credentials that it begins with.
fn has_first(file: &[u8]) -> bool {
    let document = LibconfigDocument::new(file);
    let credentials =
        document.get("admin_variables").and_then(|admin| admin.get("admin_credentials")?.text());
    let (user, password) = FIRST;
    credentials.is_some_and(|all| all.split(';').any(|pair| pair.trim() == format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(host: Option<&str>) -> Options {
        let host = host.map(str::to_owned);
        Options {
            host,
            user: Some("radmin".to_owned()),
            password: Some("s".to_owned()),
            ..Options::default()
        }
    }

    #[test]
    fn the_group_counts_for_the_administration_alone() {
        let of = |options: &Options, address: &str| login(options, &Address::parse(address), None);
        assert_eq!(of(&options(None), "127.0.0.1:6032").unwrap().user, "radmin");
        assert!(of(&options(None), "127.0.0.1:3306").is_none());
        assert!(of(&options(None), "/run/mysqld/mysqld.sock").is_none());
        assert!(of(&options(None), "10.0.0.9:6032").is_none(), "nobody named it");
        assert!(of(&options(Some("10.0.0.9")), "10.0.0.9:6032").is_some());
        assert!(of(&options(Some("10.0.0.9")), "10.0.0.8:6032").is_none());
    }

    #[test]
    fn the_credentials_of_the_beginning_are_known_by_the_file() {
        assert!(has_first(b"admin_variables={ admin_credentials=\"admin:admin\" }"));
        assert!(has_first(b"admin_variables={ admin_credentials=\"a:b;admin:admin\" }"));
        assert!(!has_first(b"admin_variables={ admin_credentials=\"admin:other\" }"));
        assert!(!has_first(b"mysql_variables={ admin_credentials=\"admin:admin\" }"));
    }
}
