//! A pool's file with which PHP-FPM does not start.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::verdicts::nobody;
use crate::php_fpm::{FileProblem, Master};
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.configuration-refused",
    title: "PHP-FPM does not start with its configuration",
    explains: &[],
    refutes: &[],
    document: include_str!("configuration_refused.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let masters = &services::facts(&evidence.services.php_fpm)?.masters;
    if masters.is_empty() {
        return nobody(evidence);
    }
    let refused: Vec<_> = masters.iter().filter(|master| problems(master).next().is_some()).collect();
    let files = |master: &Master| {
        let pools = if master.pools.len() == 1 { "pool" } else { "pools" };
        format!("{} ({} {pools})", master.file, master.pools.len())
    };
    if refused.is_empty() {
        let each = masters.iter().map(files).collect::<Vec<_>>().join(", ");
        return Ok(Outcome::ruled_out(format!("{each}: every line is understood")));
    }
    let down = refused.iter().any(|master| master.pid.is_none());
    let severity = if down { Severity::Breaking } else { Severity::Latent };
    let each = refused.iter().filter_map(|master| {
        let first = problems(master).next()?;
        let more = problems(master).count() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let state = if master.pid.is_none() { "PHP-FPM does not run" } else { "the next restart fails" };
        Some(format!("{}:{}: {}{more}; {state}", first.file, first.line, first.what))
    });
    let problems: Vec<_> = refused.iter().flat_map(|master| problems(master)).collect();
    let seen = problems.iter().take(8).map(|problem| {
        Observation::new(format!("{}:{}", problem.file, problem.line), "refused", problem.what.clone())
    });
    let outcome = Outcome::confirmed(severity, each.collect::<Vec<_>>().join("; ")).seen_all(seen);
    Ok(outcome.remedy(mended(&problems)))
}

/// Lines with which PHP-FPM does not start; others it only passes over.
fn problems(master: &Master) -> impl Iterator<Item = &FileProblem> {
    master.problems.iter().filter(|problem| problem.stops)
}

/// What a line should say only its author knows, so that a person changes it.
fn mended(problems: &[&FileProblem]) -> Remedy {
    let mut remedy =
        Remedy::new("Mend the lines that PHP-FPM refuses", "php-fpm -t ends with \"test is successful\"");
    let mut files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    files.dedup();
    for file in files {
        let of_file = problems.iter().filter(|problem| problem.file == file);
        let lines = of_file.map(|problem| format!("line {}: {}", problem.line, problem.what));
        let lines = lines.collect::<Vec<_>>().join("; ");
        let target = Derived::new("begin comments with ; and give each setting a value", &lines);
        let what = ChangeKind::File { path: file.to_owned(), edit: lines, edits: vec![] };
        let change = Change::new(what, None, target)
            .persists_by("the file itself")
            .restarts("php-fpm -t first; then reload PHP-FPM, or start it where it does not run")
            .risks("none while the old master runs; it keeps the configuration that it started with");
        remedy = remedy.change(change);
    }
    remedy
}
