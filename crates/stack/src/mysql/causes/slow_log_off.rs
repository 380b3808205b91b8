//! A server that says nothing of its statements.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::mysql::beside::whole;
use crate::mysql::view::View;
use crate::mysql::{Flavor, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.slow-log-off",
    title: "Nothing says which statements of the database are slow",
    explains: &[],
    refutes: &[],
    document: include_str!("slow_log_off.md"),
    test,
};

/// A threshold above this misses nearly all that makes pages slow.
const LONG_S: f64 = 2.0;
/// So many statements a second may be written without being felt.
const WRITTEN_PER_S: f64 = 100.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let Some(on) = view.is_on("slow_query_log") else {
        view.asked()?;
        return Err(Missing::new(
            format!("slow_query_log of {}", view.name()),
            "look at SHOW GLOBAL VARIABLES",
        ));
    };
    let seconds = view.number("long_query_time").unwrap_or(10.0);
    let digests = view.is_on("performance_schema") == Some(true);
    let line = match on {
        true => format!("{}: statements from {} s on are logged", view.name(), number_text(seconds)),
        false => format!("{}: slow_query_log is off", view.name()),
    };
    let outcome = if on && seconds <= LONG_S {
        Outcome::ruled_out(line)
    } else if digests {
        Outcome::ruled_out(format!("{line}; performance_schema counts statements by digest"))
    } else {
        let line = match on {
            true => format!("{line}: what makes pages slow is faster"),
            false => line,
        };
        Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(view))
    };
    Ok(outcome
        .seen_all(view.seen_variable("slow_query_log"))
        .seen_all(view.seen_variable("long_query_time"))
        .seen_all(view.seen_variable("performance_schema")))
}

/// A log that is cheap: one of so many statements where the server can choose, else the slow ones alone.
fn remedy(view: &View<'_>) -> Remedy {
    let rate = view.per_s("Questions").ok();
    let every = rate.map_or(1.0, |rate| (rate / WRITTEN_PER_S).ceil().max(1.0));
    let shown = rate.map_or_else(|| "not known".to_owned(), |rate| format!("{}/s", number_text(rate)));
    let mut changes = vec![];
    let samples = view.server.flavor != Flavor::MySql;
    if samples {
        let target = Derived::new(whole(every), "max(⌈statements per s / 100⌉, 1)").input(
            "statements per s",
            &shown,
            "SHOW GLOBAL STATUS Questions",
        );
        changes.push(edits::set(view, "log_slow_rate_limit", target));
        let words = if view.is_mariadb() { "query_plan,innodb" } else { "microtime,query_plan,innodb" };
        let verbosity = Derived::new(words, "with temporary tables, rows and pages of each");
        changes.push(edits::set(view, "log_slow_verbosity", verbosity));
    } else if view.since(8, 0, 14) == Some(true) {
        let target = Derived::new("ON", "with temporary tables, rows and bytes of each; since MySQL 8.0.14");
        changes.push(edits::set(view, "log_slow_extra", target));
    }
    let (seconds, why) = match samples {
        true => (
            "0.1",
            "0.1 s: a page with thirty such statements takes 3 s; log_slow_rate_limit bounds what is written",
        ),
        false => ("0.5", "0.5 s, as MySQL logs every statement that is slower"),
    };
    changes.push(edits::set(view, "long_query_time", Derived::new(seconds, why)));
    let on = edits::set(
        view,
        "slow_query_log",
        Derived::new("ON", "a log that `narrows queries digest` reads"),
    )
    .coupled_with("logrotate of slow_query_log_file")
    .risks("what is logged takes disk space, and holds values of statements: keep the file the server's own");
    let remedy =
        Remedy::new("Log slow statements, a sample of them", "`narrows queries digest` names the statements");
    changes.into_iter().chain([on]).fold(remedy, Remedy::change)
}
