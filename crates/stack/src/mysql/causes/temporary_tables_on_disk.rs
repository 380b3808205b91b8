//! Temporary tables that statements make on disk.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::mysql::verdicts;
use crate::mysql::view::{STATUS, View};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.temporary-tables-on-disk",
    title: "Statements make their temporary tables on disk",
    explains: &["mysql.slow-queries", "disk.latency-high"],
    refutes: &[],
    document: include_str!("temporary_tables_on_disk.md"),
    test,
};

/// Fewer a second are no load.
const PER_S: f64 = 5.0;
/// From so many a second on, they are felt.
const FELT_PER_S: f64 = 50.0;
/// From this share of all temporary tables on, it is no exception.
const SHARE: f64 = 0.25;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (disk, all) = (view.per_s("Created_tmp_disk_tables")?, view.per_s("Created_tmp_tables")?);
    // Tables on disk are among all of MySQL's; MariaDB counts them so, too.
    let share = if all > 0.0 { (disk / all).min(1.0) } else { 0.0 };
    let line = format!(
        "{}: {} of {} temporary tables/s on disk ({} %)",
        view.name(),
        number_text(disk),
        number_text(all),
        number_text(percent(share))
    );
    let outcome = if disk < PER_S || share < SHARE {
        Outcome::ruled_out(line)
    } else {
        let severity = if disk >= FELT_PER_S { Severity::Limiting } else { Severity::Latent };
        Outcome::confirmed(severity, format!("{line}; {}", why(view))).remedy(remedy(view, disk))
    };
    Ok(outcome
        .seen(view.seen(STATUS, "Created_tmp_disk_tables", disk).unit("/s"))
        .seen(view.seen(STATUS, "Created_tmp_tables", all).unit("/s"))
        .seen_all(view.seen_variable("tmp_table_size"))
        .seen_all(view.seen_variable("max_heap_table_size")))
}

/// Whether TEXT and BLOB columns go to disk whatever the sizes are.
fn text_goes_to_disk(view: &View<'_>) -> bool {
    view.is_mariadb() || view.since(8, 0, 13) == Some(false)
}

fn why(view: &View<'_>) -> &'static str {
    match text_goes_to_disk(view) {
        true => "a TEXT or BLOB column sends one to disk whatever tmp_table_size is",
        false => "they are larger than tmp_table_size or temptable_max_ram",
    }
}

fn remedy(view: &View<'_>, disk: f64) -> Remedy {
    let metric = "mysql.Created_tmp_disk_tables/s";
    let moves = "Created_tmp_disk_tables falls below a quarter of Created_tmp_tables";
    let target = Derived::new(
        "statements that need no temporary table, or one without TEXT and BLOB",
        "temporary tables on disk a second",
    )
    .input("on disk", format!("{}/s", number_text(disk)), "SHOW GLOBAL STATUS Created_tmp_disk_tables")
    .input(
        "tmp_table_size",
        view.variable("tmp_table_size").unwrap_or("not known"),
        "SHOW GLOBAL VARIABLES",
    );
    let place = "the statements: `narrows queries digest` says which make tables on disk, `narrows queries advise` what spares them";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target).risks(
        "a larger tmp_table_size is taken by each statement at once, and moves no table that has a TEXT column",
    );
    Remedy::new("Find the statements that sort and group TEXT", moves).change(change).lowers(metric)
}
