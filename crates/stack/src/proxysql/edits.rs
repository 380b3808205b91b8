//! Changes of ProxySQL: in memory, at run time and on its disk together, with the way back.

use model::{Change, ChangeKind, Derived};

use super::view::View;
use super::{Backend, Configuration};

/// Other ceilings for connections to servers. A person must make them where memory, run time and disk are not the same
/// now: `LOAD` and `SAVE` take along whatever else stands in the table.
pub(super) fn ceilings(view: &View<'_>, wanted: &[(&Backend, u64)], target: Derived) -> Change {
    let address = &view.proxy.address;
    let current = wanted.iter().map(|(backend, _)| backend.max_connections.to_string()).collect::<Vec<_>>();
    let asked = view.asked;
    let settled = same_servers(&asked.runtime, &asked.memory) && same_servers(&asked.memory, &asked.disk);
    let plain = wanted.iter().all(|(backend, _)| backend.host.bytes().all(is_plain));
    let set = |value: &dyn Fn(&(&Backend, u64)) -> u64| {
        let updates = wanted.iter().map(|one| {
            let (place, value) = (place(one.0), value(one));
            format!("UPDATE mysql_servers SET max_connections = {value} WHERE {place}")
        });
        let saved = ["LOAD MYSQL SERVERS TO RUNTIME", "SAVE MYSQL SERVERS TO DISK"].map(str::to_owned);
        updates.chain(saved).collect::<Vec<_>>().join("; ")
    };
    let up = set(&|(_, value)| *value);
    if !settled || !plain {
        let place = format!("the administration of ProxySQL at {address}: {up}");
        return Change::new(ChangeKind::Elsewhere { place }, Some(current.join(", ")), target)
            .risks("mysql_servers differs between memory, run time and disk: look first at what LOAD and SAVE take along");
    }
    let down = set(&|(backend, _)| backend.max_connections);
    let wanted_rows =
        wanted.iter().map(|(backend, value)| format!("({} AND max_connections = {value})", place(backend)));
    let rows = wanted_rows.collect::<Vec<_>>().join(" OR ");
    let probe = in_all("mysql_servers", &rows, wanted.len());
    Change { target, ..Change::sql_statement(address, &up, &down, &probe) }
        .persists_by("SAVE MYSQL SERVERS TO DISK")
        .risks("connections above a lower ceiling are closed once they are given back; clients wait for the rest")
        .now(current.join(", "))
}

/// A variable of the module `mysql`.
pub(super) fn variable(view: &View<'_>, name: &str, target: Derived) -> Change {
    let address = &view.proxy.address;
    let asked = view.asked;
    let value_in = |configuration: &Configuration| configuration.variables.get(name).cloned();
    let current = value_in(&asked.runtime).unwrap_or_default();
    let set = |value: &str| {
        format!(
            "UPDATE global_variables SET variable_value = '{value}' WHERE variable_name = '{name}'; \
             LOAD MYSQL VARIABLES TO RUNTIME; SAVE MYSQL VARIABLES TO DISK"
        )
    };
    let up = set(&target.value);
    let settled =
        asked.runtime.variables == asked.memory.variables && asked.memory.variables == asked.disk.variables;
    let plain = current.bytes().chain(target.value.bytes()).all(is_plain);
    if !settled || !plain || current.is_empty() {
        let place = format!("the administration of ProxySQL at {address}: {up}");
        return Change::new(ChangeKind::Elsewhere { place }, Some(current), target).risks(
            "variables differ between memory, run time and disk: look first at what LOAD and SAVE take along",
        );
    }
    let row = format!("(variable_name = '{name}' AND variable_value = '{}')", target.value);
    let probe = in_all("global_variables", &row, 1);
    Change { target, ..Change::sql_statement(address, &up, &set(&current), &probe) }
        .persists_by("SAVE MYSQL VARIABLES TO DISK")
        .now(current)
}

/// Whether so many rows of this kind stand in memory, at run time, and on the disk.
fn in_all(table: &str, rows: &str, count: usize) -> String {
    let counts = ["main.", "main.runtime_", "disk."]
        .map(|layer| format!("(SELECT COUNT(*) FROM {layer}{table} WHERE {rows})"))
        .join(" + ");
    format!("SELECT {counts} = {}", count.saturating_mul(3))
}

fn place(backend: &Backend) -> String {
    let Backend { hostgroup, host, port, .. } = backend;
    format!("hostgroup_id = {hostgroup} AND hostname = '{host}' AND port = {port}")
}

/// Whether a byte needs no quoting, neither in SQL nor between statements.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-:".contains(&byte)
}

/// Whether two layers have the same servers, but for what ProxySQL itself holds off for a while.
pub(super) fn same_servers(one: &Configuration, other: &Configuration) -> bool {
    differing(one, other).is_empty()
}

/// Servers that are not the same in both, in words.
pub(super) fn differing(one: &Configuration, other: &Configuration) -> Vec<String> {
    let key = |backend: &Backend| (backend.hostgroup, backend.host.clone(), backend.port);
    let held_off = |backend: &Backend| backend.status == "SHUNNED" || backend.status == "ONLINE";
    let mut found = vec![];
    for backend in &one.servers {
        let (name, other) = (named(backend), other.servers.iter().find(|other| key(other) == key(backend)));
        match other {
            None => found.push(format!("{name} is not there")),
            Some(other) if other.max_connections != backend.max_connections => found.push(format!(
                "{name} max_connections {} and {}",
                backend.max_connections, other.max_connections
            )),
            Some(other) if other.status != backend.status && !(held_off(other) && held_off(backend)) => {
                found.push(format!("{name} {} and {}", backend.status, other.status));
            }
            Some(_) => {}
        }
    }
    let gone =
        other.servers.iter().filter(|backend| one.servers.iter().all(|kept| key(kept) != key(backend)));
    found.extend(gone.map(|backend| format!("{} is there", named(backend))));
    found
}

/// A backend as a person names it.
pub(super) fn named(backend: &Backend) -> String {
    format!("{}:{} in host group {}", backend.host, backend.port, backend.hostgroup)
}
