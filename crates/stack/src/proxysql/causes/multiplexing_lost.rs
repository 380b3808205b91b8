//! Connections that ProxySQL cannot share among clients.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::View;
use crate::proxysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.multiplexing-lost",
    title: "ProxySQL gives each client a connection of its own",
    explains: &[],
    refutes: &[],
    document: include_str!("multiplexing_lost.md"),
    test,
};

/// Fewer clients tell nothing of sharing.
const CLIENTS: f64 = 10.0;
/// From this share of connections to clients on, sharing is lost. Clients that are between two statements need none.
const SHARE: f64 = 0.5;
const MULTIPLEXING: &str = "mysql-multiplexing";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if let Some(value) = view.variable(MULTIPLEXING).filter(|value| ["false", "0"].contains(value)) {
        let line = format!("{}: multiplexing is switched off for all ({MULTIPLEXING}={value})", view.name());
        let target = Derived::new("true", "its default");
        let change = edits::variable(view, MULTIPLEXING, target)
            .risks("an application that relies on the state of its connection beyond what ProxySQL follows gets another one's");
        let remedy =
            Remedy::new("Let clients share connections", "Server_Connections_connected falls").change(change);
        return Ok(Outcome::confirmed(Severity::Latent, line)
            .seen(view.seen("runtime_global_variables", MULTIPLEXING, value))
            .remedy(remedy));
    }
    let off: Vec<_> = view.asked.runtime.multiplex_rules.iter().filter(|(_, value)| **value == 0).collect();
    if !off.is_empty() {
        let rules = off.iter().map(|(rule, _)| rule.to_string()).collect::<Vec<_>>().join(", ");
        let line = format!("{}: query rules {rules} switch multiplexing off", view.name());
        let place = format!("the administration of ProxySQL at {}: mysql_query_rules", view.proxy.address);
        let words =
            format!("rules {rules} without multiplex=0, unless the statements that they match need it");
        let change = Change::new(
            ChangeKind::Elsewhere { place },
            Some("0".to_owned()),
            Derived::new(words, "as found"),
        );
        return Ok(Outcome::confirmed(Severity::Latent, line)
            .seen(view.seen("runtime_mysql_query_rules", "multiplex = 0", rules))
            .remedy(Remedy::new("Let those statements share connections", "ConnUsed falls").change(change)));
    }
    by_statements(view)
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn by_statements(view: &View<'_>) -> Result<Outcome, Missing> {
    let clients = view
        .highest("Client_Connections_non_idle")
        .or_else(|_| view.highest("Client_Connections_connected"))?;
    let counters = view.counters()?;
    let used =
        |counters: &&super::super::ProxyCounters| counters.pools.iter().map(|pool| pool.used).sum::<u64>();
    let used = counters.iter().map(used).max().unwrap_or(0) as f64;
    let line = format!(
        "{}: {} connections in use for {} clients",
        view.name(),
        number_text(used),
        number_text(clients)
    );
    if clients < CLIENTS || used / clients < SHARE {
        return Ok(Outcome::ruled_out(line));
    }
    let named = view.asked.pinning.iter().map(|pinning| format!("{} {}", pinning.count, pinning.reason));
    let named: Vec<_> = named.take(4).collect();
    let seen = view.asked.pinning.iter().take(4).map(|pinning| {
        view.seen(
            "stats_mysql_query_digest",
            &format!("{}: {}", pinning.reason, pinning.example),
            pinning.count,
        )
    });
    if named.is_empty() {
        return Ok(Outcome::consistent(
            Severity::Latent,
            format!("{line}; no statement that keeps one was seen"),
        )
        .lacks(Missing::new(
            "statements that keep a connection in stats_mysql_query_digest",
            "set mysql-query_digests=true; long statements keep connections in use as well",
        )));
    }
    let line = format!("{line}; kept by {}", named.join(", "));
    Ok(Outcome::confirmed(Severity::Latent, line).seen_all(seen).remedy(without(view)))
}

/// What the application should send instead of the statement that is most frequent.
fn without(view: &View<'_>) -> Remedy {
    let first = view.asked.pinning.first();
    let (reason, example) =
        first.map_or(("", ""), |pinning| (pinning.reason.as_str(), pinning.example.as_str()));
    let words = match reason {
        "SQL_CALC_FOUND_ROWS" => {
            "a second query with COUNT(*), or none: no_found_rows of WP_Query where no page numbers are shown"
        }
        "user variable" => "a window function (ROW_NUMBER() OVER …) in place of a counting variable",
        "transaction" => "shorter transactions: no request to another service between BEGIN and COMMIT",
        "GET_LOCK" | "LOCK TABLES" => "a lock outside of the database, such as of the object cache",
        "temporary table" => "a subquery or WITH in place of the temporary table",
        "PREPARE" => "prepared statements of the protocol, or emulated ones (PDO::ATTR_EMULATE_PREPARES)",
        _ => "statements that leave nothing behind in their connection",
    };
    let place = format!("the application that sends “{example}”");
    let change = Change::new(ChangeKind::Elsewhere { place }, None, Derived::new(words, "as found"));
    Remedy::new("Send statements that let connections be shared", "ConnUsed falls below half of the clients")
        .change(change)
}
