//! Commits that a loss of power takes back, where orders are stored.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::view::View;
use crate::mysql::{edits, verdicts};
use crate::remedies::together;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.durability-relaxed",
    title: "A loss of power takes commits of the database back",
    explains: &[],
    refutes: &[],
    document: include_str!("durability_relaxed.md"),
    test,
};

/// Folders of WordPress plugins that store orders or donations.
const PLUGINS: [&str; 6] =
    ["woocommerce", "give", "easy-digital-downloads", "memberpress", "surecart", "paid-memberships-pro"];
/// Ends of the names of their tables.
const TABLES: [&str; 7] = [
    "_wc_orders",
    "_wc_order_stats",
    "_woocommerce_order_items",
    "_give_donors",
    "_give_revenue",
    "_edd_orders",
    "_pmpro_membership_orders",
];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

/// A variable that is not safe, what happens, and whether the running server takes the safe value.
struct Relaxed {
    name: &'static str,
    safe: &'static str,
    loses: &'static str,
    at_start: bool,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let Some(commits) = view.variable("innodb_flush_log_at_trx_commit") else {
        view.asked()?;
        return Err(Missing::new("innodb_flush_log_at_trx_commit", "look at SHOW GLOBAL VARIABLES"));
    };
    let relaxed = relaxed(view, commits);
    if relaxed.is_empty() {
        return Ok(Outcome::ruled_out(format!(
            "{}: each commit is on disk before it is answered",
            view.name()
        ))
        .seen_all(view.seen_variable("innodb_flush_log_at_trx_commit")));
    }
    let named: Vec<_> = relaxed
        .iter()
        .map(|one| format!("{} = {} ({})", one.name, view.variable(one.name).unwrap_or_default(), one.loses))
        .collect();
    let line = format!("{}: {}", view.name(), named.join(", "));
    let seen: Vec<_> = relaxed.iter().filter_map(|one| view.seen_variable(one.name)).collect();
    let outcome = match stores(view) {
        Some(orders) => {
            let outcome =
                Outcome::confirmed(Severity::Latent, format!("{line}; orders are stored: {orders}"))
                    .seen(Observation::new("tables and plugins", "orders or donations", orders));
            match together(relaxed.iter().map(|one| remedy(view, one))) {
                Some(remedy) => outcome.remedy(remedy),
                None => outcome,
            }
        }
        None => Outcome::confirmed(
            Severity::Hygiene,
            format!("{line}; no orders or donations were seen: right where content can be entered again"),
        ),
    };
    Ok(outcome.seen_all(seen))
}

fn relaxed(view: &View<'_>, commits: &str) -> Vec<Relaxed> {
    let mut found = vec![];
    // 3 is MariaDB's: a flush at commit, and one at prepare.
    if !["1", "3"].contains(&commits.trim()) {
        found.push(Relaxed {
            name: "innodb_flush_log_at_trx_commit",
            safe: "1",
            loses: match commits.trim() {
                "0" => "a crash of the server or a loss of power loses up to a second of commits",
                _ => "a crash of the kernel or a loss of power loses up to a second of commits",
            },
            at_start: false,
        });
    }
    let binary_log = view.is_on("log_bin") == Some(true) || view.setting("log_bin").is_some();
    if binary_log && view.number("sync_binlog").is_some_and(|every| (every - 1.0).abs() > 0.5) {
        found.push(Relaxed {
            name: "sync_binlog",
            safe: "1",
            loses: "a loss of power takes what replicas have read out of the binary log",
            at_start: false,
        });
    }
    if view.variable("innodb_doublewrite").is_some_and(|on| ["OFF", "0"].contains(&on)) {
        found.push(Relaxed {
            name: "innodb_doublewrite",
            safe: "ON",
            loses: "a page that is written in half stays broken, unless the file system writes pages as a whole",
            at_start: true,
        });
    }
    found
}

/// What shows that orders or donations are stored.
fn stores(view: &View<'_>) -> Option<String> {
    let tables = view.server.asked.facts().map(|asked| &asked.tables);
    let table = tables
        .and_then(|tables| tables.iter().find(|table| TABLES.iter().any(|end| table.name.ends_with(end))));
    if let Some(table) = table {
        return Some(format!("table {}", table.name));
    }
    let sites = &services::facts(&view.evidence.services.wordpress).ok()?.sites;
    sites.iter().find_map(|site| {
        let own = site.plugins.iter().find(|plugin| PLUGINS.contains(&plugin.as_str()))?;
        Some(format!("plugin {own} of {}", site.title()))
    })
}

fn remedy(view: &View<'_>, one: &Relaxed) -> Remedy {
    let target = Derived::new(one.safe, "what was answered must last").input(
        one.name,
        view.variable(one.name).unwrap_or_default(),
        "SHOW GLOBAL VARIABLES",
    );
    let change = match one.at_start {
        true => edits::set_at_start(view, one.name, target),
        false => edits::set(view, one.name, target),
    };
    let change = change.risks("each commit waits for the disk: on slow storage commits are slower");
    Remedy::new(format!("Set {} = {}", one.name, one.safe), "no commit that was answered is lost")
        .change(change)
}
