//! Options that are set and do nothing.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::options::{self, Known};
use crate::mysql::version_facts::Standing;
use crate::mysql::view::View;
use crate::mysql::{OptionLine, edits, verdicts};
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.option-inert",
    title: "An option of the database is set and does nothing",
    explains: &[],
    refutes: &[],
    document: include_str!("option_inert.md"),
    test,
};

/// Below this MySQL has one instance, whatever is set.
const GIB: f64 = 1_073_741_824.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_configured(evidence, judge)
}

/// A line, and why it does nothing.
type Inert<'a> = (&'a OptionLine, String);

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if view.server.settings.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: no option file of it is here", view.name())));
    }
    if view.server.version.is_none() {
        return Err(Missing::new(
            format!("version of {}", view.name()),
            "let narrows in: a user root by socket, or ~/.my.cnf; or run it where the program's package is",
        ));
    }
    let ignored = options::lines(view, Standing::Inert);
    let ignored = ignored.into_iter().map(|one| (one.line, removed(&one)));
    let inert: Vec<Inert<'_>> = ignored.chain(by_others(view)).collect();
    if inert.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: every option that is set does something", view.name())));
    }
    let named: Vec<_> = inert
        .iter()
        .map(|(line, why)| format!("{}:{} {} = {} ({why})", line.file, line.line, line.name, line.value))
        .collect();
    let outcome = Outcome::confirmed(
        Severity::Folklore,
        format!("{}: without effect: {}", view.name(), named.join(", ")),
    );
    let seen = inert.iter().map(|(line, _)| {
        Observation::new(format!("{}:{}", line.file, line.line), line.name.clone(), line.value.clone())
    });
    let outcome = outcome.seen_all(seen);
    let remedies = inert.iter().map(|(line, why)| {
        let change = edits::take_out(line, Derived::new("taken out", why));
        Remedy::new(format!("Take {} out", line.name), "nothing: it does nothing").change(change)
    });
    Ok(match together(remedies) {
        Some(remedy) => outcome.remedy(remedy),
        None => outcome,
    })
}

/// Why a line of an option that was removed does nothing.
fn removed(one: &Known<'_>) -> String {
    match (one.line.name.as_str(), one.instead) {
        ("innodb_buffer_pool_instances", _) => "was removed: there is one buffer pool".to_owned(),
        (_, Some(instead)) => format!("was removed: {instead} counts alone"),
        (_, None) => "was removed".to_owned(),
    }
}

/// Lines that another option makes idle.
fn by_others<'a>(view: &View<'a>) -> Vec<Inert<'a>> {
    let mut found = vec![];
    let mut add = |name: &str, why: &str| {
        found.extend(view.line(name).map(|line| (line, why.to_owned())));
    };
    let pool = view.number("innodb_buffer_pool_size");
    if view.is_mariadb() {
        let handling = view.variable("thread_handling");
        if handling.is_some_and(|handling| handling.eq_ignore_ascii_case("one-thread-per-connection")) {
            let why = "thread_handling is not pool-of-threads";
            add("thread_pool_size", why);
            add("thread_pool_max_threads", why);
        }
        let (asked, held) = (view.number("tmp_table_size"), view.number("max_heap_table_size"));
        if asked.zip(held).is_some_and(|(asked, held)| asked > held) {
            add("tmp_table_size", "max_heap_table_size is smaller, and the smaller of the two holds");
        }
    } else {
        if pool.is_some_and(|pool| pool < GIB) {
            add("innodb_buffer_pool_instances", "below 1 GiB of buffer pool there is one");
        }
        if view.setting("innodb_redo_log_capacity").is_some() && view.since(8, 0, 30) == Some(true) {
            let why = "innodb_redo_log_capacity is set and counts alone";
            add("innodb_log_file_size", why);
            add("innodb_log_files_in_group", why);
        }
    }
    found
}
