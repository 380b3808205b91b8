//! Tables that are opened again and again.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::mysql::beside::whole;
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.table-cache-small",
    title: "The database opens tables again and again, as its cache of them is full",
    explains: &["mysql.slow-queries"],
    refutes: &[],
    document: include_str!("table_cache_small.md"),
    test,
};

/// Fewer a second are no load.
const PER_S: f64 = 5.0;
/// From so many a second on, they are felt.
const FELT_PER_S: f64 = 50.0;
/// From this use of it on, the cache is full.
const FULL: f64 = 0.95;
/// Files that a server needs besides connections and tables.
const OTHER_FILES: f64 = 100.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let cache = view.needs("table_open_cache")?;
    let opened = view.per_s("Opened_tables")?;
    let open = view.gauge("Open_tables").ok_or_else(|| {
        Missing::new(format!("Open_tables of {}", view.name()), "look at SHOW GLOBAL STATUS")
    })?;
    let overflows = view.per_s("Table_open_cache_overflows").ok();
    let full = open >= FULL * cache || overflows.is_some_and(|rate| rate > 0.0);
    let line = format!(
        "{}: {} tables/s opened, {} of table_open_cache {} open",
        view.name(),
        number_text(opened),
        number_text(open),
        number_text(cache)
    );
    let outcome = if opened < PER_S {
        Outcome::ruled_out(line)
    } else if !full {
        Outcome::ruled_out(format!("{line}: the cache has room, something else closes them"))
    } else {
        let severity = if opened >= FELT_PER_S { Severity::Limiting } else { Severity::Latent };
        larger(Outcome::confirmed(severity, line), view, cache)
    };
    Ok(outcome
        .seen(view.seen(STATUS, "Opened_tables", opened).unit("/s"))
        .seen(view.seen(STATUS, "Open_tables", open))
        .seen_all(view.seen_variable("table_open_cache"))
        .seen_all(view.seen_variable("open_files_limit")))
}

fn larger(outcome: Outcome, view: &View<'_>, cache: f64) -> Outcome {
    let own = view.server.process.as_ref().and_then(|process| process.open_files_limit);
    #[expect(clippy::cast_precision_loss, reason = "a number of files")]
    let files = own.map(|limit| limit as f64).or_else(|| view.number("open_files_limit"));
    let connections = view.number("max_connections").unwrap_or(151.0);
    let held = files.map(|files| ((files - connections - OTHER_FILES) / 2.0).floor());
    let wanted = held.map_or(2.0 * cache, |held| held.min(2.0 * cache));
    if wanted <= cache {
        return outcome.lacks(Missing::new(
            "files that the server may open",
            "raise LimitNOFILE= of its unit and open_files_limit: two for each table of the cache, one for each connection",
        ));
    }
    let formula = "min(2 × table_open_cache, ⌊(open files − max_connections − 100) / 2⌋)";
    let mut target =
        Derived::new(whole(wanted), formula).input("table_open_cache", whole(cache), "SHOW GLOBAL VARIABLES");
    target = target.input("max_connections", whole(connections), "SHOW GLOBAL VARIABLES");
    if let Some(files) = files {
        target = target.input("open files", whole(files), "/proc/PID/limits, open_files_limit");
    }
    let change = edits::set(view, "table_open_cache", target)
        .coupled_with("open_files_limit, and table_definition_cache where there are as many tables")
        .risks("each open table takes some memory and up to two files");
    let moves = "Opened_tables grows by less than 1/s once all are open";
    let title = format!("Let {} keep {} tables open", view.name(), number_text(wanted));
    outcome.remedy(Remedy::new(title, moves).change(change).lowers("mysql.Opened_tables/s"))
}
