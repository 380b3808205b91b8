//! Options that the next versions of a server refuse.

use model::{Missing, Observation, Outcome, Severity};

use crate::mysql::options;
use crate::mysql::verdicts;
use crate::mysql::version_facts::Standing;
use crate::mysql::view::View;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.option-deprecated",
    title: "An option of the database is on its way out",
    explains: &[],
    refutes: &[],
    document: include_str!("option_deprecated.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_configured(evidence, judge)
}

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
    // Where the option that replaces it is set already, the old one is inert, and told as such.
    let replaced = |name: &str| {
        name.starts_with("innodb_log_file") && view.setting("innodb_redo_log_capacity").is_some()
    };
    let found = options::lines(view, Standing::Deprecated);
    let found: Vec<_> = found.into_iter().filter(|one| !replaced(&one.line.name)).collect();
    if found.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: no option that is set is on its way out", view.name())));
    }
    let named = found
        .iter()
        .map(|one| format!("{}:{} {} ({})", one.line.file, one.line.line, one.line.name, one.advice()));
    let line = format!("{}: deprecated: {}", view.name(), named.collect::<Vec<_>>().join(", "));
    Ok(Outcome::confirmed(Severity::Hygiene, line).seen_all(found.iter().map(|one| {
        let place = format!("{}:{}", one.line.file, one.line.line);
        Observation::new(place, one.line.name.clone(), one.line.value.clone())
    })))
}
