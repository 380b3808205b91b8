//! Names of clients that are looked up as they connect.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.name-resolution",
    title: "The database looks up the name of each client that connects",
    explains: &[],
    refutes: &[],
    document: include_str!("name_resolution.md"),
    test,
};

/// So many connections that have not logged in yet are no accident.
const WAITING: u64 = 3;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let asked = view.asked_for("connections")?;
    let Some(skips) = view.is_on("skip_name_resolve") else {
        return Err(Missing::new(
            format!("skip_name_resolve of {}", view.name()),
            "look at SHOW GLOBAL VARIABLES",
        ));
    };
    if skips {
        return Ok(Outcome::ruled_out(format!("{}: it looks up no name", view.name()))
            .seen_all(view.seen_variable("skip_name_resolve")));
    }
    let hosts = asked.processlist.hosts.keys().filter(|host| !is_local(host));
    let hosts: Vec<_> = hosts.map(String::as_str).collect();
    if hosts.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: all clients are on its own host", view.name())));
    }
    let waiting = asked.processlist.users.get("unauthenticated user").copied().unwrap_or(0);
    let errors = view.grown("Connection_errors_peer_address").unwrap_or(0.0);
    let shown = hosts.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    let line = format!(
        "{}: skip_name_resolve is off, {} hosts connect ({shown}), {waiting} wait to be let in",
        view.name(),
        hosts.len()
    );
    let outcome = if waiting >= WAITING || errors > 0.0 {
        Outcome::confirmed(Severity::Limiting, line).remedy(remedy(view))
    } else {
        Outcome::confirmed(Severity::Hygiene, format!("{line}; where the resolver fails, logins wait for it"))
            .remedy(remedy(view))
    };
    Ok(outcome
        .seen_all(view.seen_variable("skip_name_resolve"))
        .seen(Observation::new(view.source("SHOW PROCESSLIST"), "other hosts", shown))
        .seen(Observation::new(view.source("SHOW PROCESSLIST"), "unauthenticated user", waiting))
        .seen(view.seen(STATUS, "Connection_errors_peer_address, growth", errors)))
}

fn is_local(host: &str) -> bool {
    host.is_empty() || host == "localhost" || host == "::1" || host.starts_with("127.")
}

fn remedy(view: &View<'_>) -> Remedy {
    let target = Derived::new("ON", "clients are known by address");
    let change = edits::set_at_start(view, "skip_name_resolve", target)
        .coupled_with("accounts: 'user'@'host.example' never matches any more; give them addresses first (SELECT user, host FROM mysql.user)")
        .risks("an account that is known by a host's name cannot log in any more");
    Remedy::new("Let the database know clients by address", "nobody waits to be let in").change(change)
}
