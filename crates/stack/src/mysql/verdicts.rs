//! One outcome of what a cause found at each of several servers.

use model::{Missing, Outcome};

use super::view::{View, servers};
use crate::php_fpm::verdicts::combine;
use crate::{Evidence, services};

/// What is said where there is none.
const NONE: &str = "no database server here";

/// Judges every server that runs, and puts the findings together.
///
/// # Errors
/// Why servers were not read; or what is missing of one, where no other confirms the cause.
pub(crate) fn of_running<'a>(
    evidence: &'a Evidence,
    judge: impl Fn(&View<'a>) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    let all = servers(evidence)?;
    let running: Vec<_> = all.iter().filter(|view| view.runs()).collect();
    if running.is_empty() && !all.is_empty() {
        return Ok(Outcome::ruled_out("the database server does not run"));
    }
    joined(evidence, running.into_iter().map(judge).collect())
}

/// Judges every server, those that are configured and do not run too.
///
/// # Errors
/// As [`of_running`].
pub(crate) fn of_configured<'a>(
    evidence: &'a Evidence,
    judge: impl Fn(&View<'a>) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    joined(evidence, servers(evidence)?.iter().map(judge).collect())
}

fn joined(evidence: &Evidence, found: Vec<Result<Outcome, Missing>>) -> Result<Outcome, Missing> {
    if found.is_empty() {
        return match services::facts(&evidence.services.mysql)?.unread.first() {
            Some(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
            None => Ok(Outcome::ruled_out(NONE)),
        };
    }
    combine(found)
}
