//! A site that serves visitors keeps what only its developers need.

use model::{Change, ChangeKind, Derived, Edit, Missing, Outcome, Remedy, Severity};

use crate::wordpress::{Site, sites};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "wordpress.debug-on",
    title: "WordPress keeps debugging output while it serves visitors",
    explains: &[],
    refutes: &[],
    document: include_str!("debug_on.md"),
    test,
};

/// Each constant, and what it does to every request.
const COSTS: [(&str, &str); 2] = [
    ("SAVEQUERIES", "keeps every query of a request in memory, with the functions that asked for it"),
    ("WP_DEBUG", "reports every notice of PHP"),
];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    sites::of_sites(evidence, judge)
}

fn judge(site: &Site) -> Result<Outcome, Missing> {
    let title = site.title();
    let kind = site.constants.get("WP_ENVIRONMENT_TYPE").and_then(|constant| constant.value.as_deref());
    if let Some(kind) = kind.filter(|kind| *kind != "production") {
        return Ok(Outcome::ruled_out(format!("{title}: WP_ENVIRONMENT_TYPE says {kind}")));
    }
    let mut on = vec![];
    for (name, cost) in COSTS {
        if sites::is_set(site, name)? {
            on.push((name, cost));
        }
    }
    if on.is_empty() {
        return Ok(Outcome::ruled_out(format!("{title}: neither WP_DEBUG nor SAVEQUERIES is true"))
            .seen(sites::seen(site, "WP_DEBUG")));
    }
    let said: Vec<_> = on.iter().map(|(name, cost)| format!("{name} {cost}")).collect();
    let mut line = format!("{title}: {}", said.join("; "));
    let logs = sites::is_set(site, "WP_DEBUG_LOG").unwrap_or(false);
    let debug = on.iter().any(|(name, _)| *name == "WP_DEBUG");
    if debug && logs {
        line.push_str(", into a log below wp-content, which Nginx may serve");
    }
    let remedy = Remedy::new(format!("Leave debugging output of {title} out"), "debug.log stops growing");
    let remedy = on.iter().fold(remedy, |remedy, (name, _)| remedy.change(off(site, name)));
    let seen = on.iter().map(|(name, _)| sites::seen(site, name));
    Ok(Outcome::confirmed(Severity::Hygiene, line).seen_all(seen).remedy(remedy))
}

fn off(site: &Site, name: &str) -> Change {
    let constant = site.constants.get(name);
    let file = constant.map(|constant| constant.file.clone()).unwrap_or_default();
    let edits = vec![Edit::PhpConstant { name: name.to_owned(), value: Some("false".to_owned()) }];
    let what = ChangeKind::File { path: file.clone(), edit: format!("set {name}"), edits };
    Change::new(
        what,
        constant.and_then(|constant| constant.value.clone()),
        Derived::new("false", "WordPress's default"),
    )
    .persists_by(&file)
    .restarts("none; a reload of PHP-FPM where opcache.validate_timestamps is 0")
    .risks("faults are no longer logged by WordPress; PHP's own error log stays")
}
