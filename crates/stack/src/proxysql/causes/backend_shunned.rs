//! Servers that ProxySQL sends nothing to.

use std::collections::BTreeMap;

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::View;
use crate::proxysql::{Backend, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.backend-shunned",
    title: "ProxySQL holds a server off",
    explains: &["proxysql.connect-timeouts"],
    refutes: &[],
    document: include_str!("backend_shunned.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let mut groups: BTreeMap<u64, Vec<&Backend>> = BTreeMap::new();
    for backend in &view.asked.runtime.servers {
        groups.entry(backend.hostgroup).or_default().push(backend);
    }
    let is_down =
        |backend: &&&Backend| backend.status.starts_with("SHUNNED") || backend.status == "OFFLINE_HARD";
    let mut lines = vec![];
    let mut alone = false;
    let mut down = vec![];
    for (group, backends) in &groups {
        let held: Vec<&&Backend> = backends.iter().filter(is_down).collect();
        if held.is_empty() {
            continue;
        }
        let rest = backends.len() - held.len();
        alone |= rest == 0;
        let names =
            held.iter().map(|backend| format!("{}:{} {}", backend.host, backend.port, backend.status));
        lines.push(format!("{} of host group {group}, {rest} left", names.collect::<Vec<_>>().join(", ")));
        down.extend(held.into_iter().copied());
    }
    if down.is_empty() {
        let count = view.asked.runtime.servers.len();
        return Ok(Outcome::ruled_out(format!("{}: none of {count} servers is held off", view.name())));
    }
    let severity = if alone { Severity::Breaking } else { Severity::Limiting };
    let failed = |backend: &&Backend| {
        let pools = view.pools(backend).ok()?;
        let (first, last) = (pools.first()?, pools.get(1..)?.last()?);
        let field = format!("{} ConnERR, grown by", edits::named(backend));
        Some(view.seen("stats_mysql_connection_pool", &field, last.errors.saturating_sub(first.errors)))
    };
    let names = down.iter().map(|backend| backend.host.as_str()).collect::<Vec<_>>().join(", ");
    let words = "whether it lets ProxySQL's monitor in: monitor.mysql_server_connect_log and mysql_server_ping_log name the error";
    let place = format!("the database at {names}");
    let change = Change::new(ChangeKind::Elsewhere { place }, None, Derived::new(words, "as found"));
    let status = |backend: &&Backend| {
        view.seen("runtime_mysql_servers", &format!("{} status", edits::named(backend)), &backend.status)
    };
    Ok(Outcome::confirmed(severity, format!("{}: {}", view.name(), lines.join("; ")))
        .seen_all(down.iter().map(status))
        .seen_all(down.iter().filter_map(failed))
        .remedy(Remedy::new("Let the server answer again", "its status is ONLINE").change(change)))
}
