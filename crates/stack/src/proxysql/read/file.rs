//! ProxySQL's configuration file. It counts until the disk database exists, and with `--initial`.

use conf::{LibconfigDocument, LibconfigValue};
use host::{Host, HostError};
use model::Unread;

use super::Found;
use crate::proxysql::{Backend, Configuration, VARIABLES};

const IFACES: &str = "0.0.0.0:6032";

/// What a file says, and where the administration listens.
pub(super) fn read(host: &dyn Host, root: &str, path: &str) -> Found {
    let place = format!("{root}{path}");
    let (document, unread) = match host.read(&place) {
        Ok(bytes) => (LibconfigDocument::new(&bytes), None),
        Err(HostError::NotFound { .. }) => (LibconfigDocument::default(), None),
        Err(error) => (LibconfigDocument::default(), Some(error.unread())),
    };
    let fault = document.problem.as_ref().map(|(line, what)| {
        Unread::new(format!("{place}:{line}: {what}"), "mend the line: ProxySQL reads nothing of such a file")
    });
    let there = unread.is_some() || !document.settings.is_empty() || document.problem.is_some();
    let ifaces = document.get("admin_variables").and_then(|admin| admin.get("mysql_ifaces")?.text());
    Found {
        address: address(ifaces.unwrap_or(IFACES)),
        file: there.then_some(place),
        configured: configured(&document),
        unread: unread.or(fault),
        ..Found::default()
    }
}

/// The first address of `mysql_ifaces`, as one to connect to.
fn address(ifaces: &str) -> String {
    let first = ifaces.split(';').map(str::trim).find(|iface| !iface.is_empty()).unwrap_or(IFACES);
    match first.rsplit_once(':') {
        Some(("0.0.0.0" | "*", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]" | "::", port)) => format!("[::1]:{port}"),
        _ => first.to_owned(),
    }
}

fn configured(document: &LibconfigDocument) -> Configuration {
    let servers = document.get("mysql_servers").map(LibconfigValue::values).unwrap_or_default();
    let module = |module: &'static str| {
        let settings = document.get(&format!("{module}_variables")).map(LibconfigValue::settings);
        settings.unwrap_or_default().iter().filter_map(move |setting| {
            let name = format!("{module}-{}", setting.name);
            Some((name, setting.value.text()?.to_owned()))
        })
    };
    let rules = document.get("mysql_query_rules").map(LibconfigValue::values).unwrap_or_default();
    Configuration {
        servers: servers.iter().filter_map(server).collect(),
        variables: module("mysql").filter(|(name, _)| VARIABLES.contains(&name.as_str())).collect(),
        multiplex_rules: rules
            .iter()
            .filter_map(|rule| Some((number(rule, "rule_id")?, number(rule, "multiplex")?)))
            .collect(),
    }
}

/// `address` and `hostgroup` are other spellings (`ProxySQL_Config::Read_MySQL_Servers_from_configfile`).
fn server(value: &LibconfigValue) -> Option<Backend> {
    let text = |name: &str| value.get(name).and_then(LibconfigValue::text);
    Some(Backend {
        hostgroup: number(value, "hostgroup").or_else(|| number(value, "hostgroup_id"))?,
        host: text("address").or_else(|| text("hostname"))?.to_owned(),
        port: number(value, "port").and_then(|port| u16::try_from(port).ok()).unwrap_or(3306),
        max_connections: number(value, "max_connections").unwrap_or(1000),
        status: text("status").unwrap_or("ONLINE").to_owned(),
    })
}

fn number(value: &LibconfigValue, name: &str) -> Option<u64> {
    value.get(name)?.text()?.trim_end_matches('L').parse().ok()
}
