//! Lines of ini files that PHP does not read as they were meant.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::IniFile;
use crate::php_fpm::FileProblem;
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.ini-not-parsed",
    title: "PHP stops reading an ini file before its end",
    explains: &[],
    refutes: &[],
    document: include_str!("ini_not_parsed.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let facts = facts(&evidence.services.opcache)?;
    let files = facts.runtimes.iter().flat_map(|one| &one.files);
    let mut problems: Vec<_> =
        files.flat_map(|file| file.problems.iter().map(move |problem| (file, problem))).collect();
    problems.sort_by_key(|(file, problem)| (!problem.stops, &file.path, problem.line));
    problems.dedup_by_key(|(file, problem)| (&file.path, problem.line));
    let Some((file, problem)) = problems.first() else {
        return match (facts.runtimes.is_empty(), facts.unread.first()) {
            (_, Some(unread)) => Err(unread.missing("every ini file of PHP")),
            (true, None) => Ok(Outcome::ruled_out(crate::opcache::view::NO_PHP)),
            (false, None) => Ok(Outcome::ruled_out("PHP reads every line of its ini files")),
        };
    };
    let outcome = match problem.stops {
        true => Outcome::confirmed(Severity::Latent, format!("{}: {}", place(file, problem), problem.what)),
        false => Outcome::confirmed(
            Severity::Hygiene,
            format!("{}: `#` begins no comment, though this line does no harm", place(file, problem)),
        ),
    };
    let seen = problems.iter().take(4).map(|(file, problem)| {
        Observation::new(
            place(file, problem),
            if problem.stops { "ends the file" } else { "line" },
            problem.what.clone(),
        )
    });
    Ok(outcome.seen_all(seen).remedy(semicolons(file, problem)))
}

fn place(file: &IniFile, problem: &FileProblem) -> String {
    match problem.line {
        0 => file.path.clone(),
        line => format!("{}:{line}", file.path),
    }
}

/// What the writer meant is for a person to say.
fn semicolons(file: &IniFile, problem: &FileProblem) -> Remedy {
    let edit = match problem.line {
        0 => "remove the link, or bring back what it leads to".to_owned(),
        line => format!("line {line}: begin comments with `;`, quote values that hold ( ) & | ! or ="),
    };
    let target = Derived::new("read to its end", "PHP's grammar of ini files knows `;` alone").input(
        "line",
        problem.line,
        &file.path,
    );
    let what = ChangeKind::File { path: file.path.clone(), edit, edits: vec![] };
    let change = Change::new(what, None, target)
        .persists_by("the file itself")
        .restarts("reload of PHP-FPM")
        .risks("settings behind the line take effect for the first time: look at them before");
    Remedy::new("Write the line as PHP reads it", "`php -i` shows the settings behind it").change(change)
}
