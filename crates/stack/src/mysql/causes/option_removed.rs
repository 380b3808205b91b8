//! Options that a server of this version refuses.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::options::{self, Known};
use crate::mysql::version_facts::Standing;
use crate::mysql::view::View;
use crate::mysql::{edits, verdicts};
use crate::php_fpm::FileProblem;
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.option-removed",
    title: "An option file sets what this database server refuses",
    explains: &[],
    refutes: &[],
    document: include_str!("option_removed.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_configured(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if view.server.settings.is_empty() && view.server.problems.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: no option file of it is here", view.name())));
    }
    if view.server.version.is_none() {
        return Err(Missing::new(
            format!("version of {}", view.name()),
            "let narrows in: a user root by socket, or ~/.my.cnf; or run it where the program's package is",
        ));
    }
    let refused = options::lines(view, Standing::Refused);
    let is_known = |problem: &FileProblem| {
        refused.iter().any(|one| (&one.line.file, one.line.line) == (&problem.file, problem.line))
    };
    let problems = view.server.problems.iter().filter(|problem| problem.stops && !is_known(problem));
    let problems: Vec<_> = problems.collect();
    if refused.is_empty() && problems.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: it takes every line of its option files", view.name())));
    }
    let named = refused.iter().map(|one| format!("{}:{} {}", one.line.file, one.line.line, one.line.name));
    let others = problems.iter().map(|problem| format!("{}:{} {}", problem.file, problem.line, problem.what));
    let named: Vec<_> = named.chain(others).collect();
    let (severity, what) = match view.runs() {
        true => (Severity::Latent, "refused when it starts next"),
        false => (Severity::Breaking, "refused: it does not start"),
    };
    let line = format!("{}: {} {what}", view.name(), named.join(", "));
    let seen = refused.iter().map(|one| {
        let place = format!("{}:{}", one.line.file, one.line.line);
        Observation::new(place, one.line.name.clone(), one.line.value.clone())
    });
    let outcome =
        Outcome::confirmed(severity, line).seen_all(seen).seen_all(problems.iter().map(|problem| {
            Observation::new(format!("{}:{}", problem.file, problem.line), "refused", problem.what.clone())
        }));
    Ok(match together(refused.iter().map(|one| remedy(view, one))) {
        Some(remedy) => outcome.remedy(remedy),
        None => outcome,
    })
}

fn remedy(view: &View<'_>, one: &Known<'_>) -> Remedy {
    let target = Derived::new("taken out", "the server does not start with an option that it does not know")
        .input("instead", one.instead.unwrap_or("nothing"), "the manual of the server");
    let change = edits::take_out(one.line, target);
    Remedy::new(format!("Take {} out", one.line.name), format!("{} starts", view.name())).change(change)
}
