//! Statements that read whole tables.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use super::thread_thrash::own_cpu_s;
use crate::mysql::verdicts;
use crate::mysql::view::{STATUS, View};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.full-scans",
    title: "Statements read whole tables, row after row",
    explains: &["mysql.slow-queries", "mysql.queries-queue", "cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("full_scans.md"),
    test,
};

/// Fewer rows a second are no load.
const ROWS_PER_S: f64 = 50_000.0;
/// From so many rows read in order for each that is sent on, most were read for nothing.
const PER_SENT: f64 = 100.0;
/// Where the server does not count what it sends: rows for each statement.
const PER_STATEMENT: f64 = 1000.0;
/// From so many CPUs on that the server keeps busy, it is felt.
const FELT_CPUS: f64 = 0.5;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let rows = view.per_s("Handler_read_rnd_next")?;
    let joins = view.per_s("Select_full_join").unwrap_or(0.0);
    let sent = view.per_s("Rows_sent").ok();
    let statements = view.per_s("Questions")?;
    let (each, of, most) = match sent {
        Some(sent) => (rows / sent.max(1.0), "for each that is sent", PER_SENT),
        None => (rows / statements.max(1.0), "for each statement", PER_STATEMENT),
    };
    let line = format!(
        "{}: {} rows/s read in order, {} {of}; {} joins/s without an index",
        view.name(),
        number_text(rows),
        number_text((each * 10.0).round() / 10.0),
        number_text(joins)
    );
    let outcome = if rows < ROWS_PER_S || each < most {
        Outcome::ruled_out(line)
    } else {
        let cpus = own_cpu_s(view).map(|(used, seconds)| used / seconds);
        let severity = match cpus {
            Some(cpus) if cpus >= FELT_CPUS => Severity::Limiting,
            _ => Severity::Latent,
        };
        let line = match cpus {
            Some(cpus) => format!("{line}; it uses {} CPUs", number_text((cpus * 100.0).round() / 100.0)),
            None => line,
        };
        Outcome::confirmed(severity, line).remedy(remedy(rows, each, of))
    };
    Ok(outcome
        .seen(view.seen(STATUS, "Handler_read_rnd_next", rows).unit("/s"))
        .seen(view.seen(STATUS, "Select_full_join", joins).unit("/s"))
        .seen_all(sent.map(|sent| view.seen(STATUS, "Rows_sent", sent).unit("/s")))
        .seen(view.seen(STATUS, "Questions", statements).unit("/s")))
}

fn remedy(rows: f64, each: f64, of: &str) -> Remedy {
    let target =
        Derived::new("an index for each statement that reads most", "rows read in order / rows sent")
            .input("read", format!("{}/s", number_text(rows)), "Handler_read_rnd_next")
            .input(of, number_text(each), "SHOW GLOBAL STATUS");
    let place = "the statements: `narrows queries digest` ranks them by rows examined, `narrows queries advise --try` tries an index";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("none of this host's");
    Remedy::new(
        "Find the statements that read whole tables",
        "Handler_read_rnd_next falls below 100 rows for each that is sent",
    )
    .change(change)
    .lowers("mysql.Handler_read_rnd_next/s")
}
