//! One outcome of what a cause found at each of several pools.

use model::{Missing, Outcome, Verdict};

use super::view::{View, pools};
use crate::remedies::together;
use crate::{Evidence, services};

/// So many findings are named in the summary.
const NAMED: usize = 3;

/// Judges every pool of every PHP-FPM that runs, and puts the findings together.
///
/// # Errors
/// Why PHP-FPM was not read; or what is missing of a pool, where no other confirms the cause.
pub(crate) fn of_running_pools<'a>(
    evidence: &'a Evidence,
    judge: impl Fn(&View<'a>) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    let pools = pools(evidence)?;
    if pools.is_empty() {
        return nobody(evidence);
    }
    let running: Vec<_> = pools.iter().filter(|view| view.runs()).collect();
    if running.is_empty() {
        return Ok(Outcome::ruled_out("PHP-FPM does not run"));
    }
    combine(running.into_iter().map(judge).collect())
}

/// Without a pool: there is none, or none that may be read.
pub(crate) fn nobody(evidence: &Evidence) -> Result<Outcome, Missing> {
    match services::facts(&evidence.services.php_fpm)?.unread.first() {
        Some(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
        None => Ok(Outcome::ruled_out("no PHP-FPM on this host")),
    }
}

/// The findings at several pools as one: the worst decides, and those like it are named with it.
///
/// # Errors
/// What is missing of one, where no other confirms the cause.
pub(crate) fn combine(found: Vec<Result<Outcome, Missing>>) -> Result<Outcome, Missing> {
    let (mut outcomes, mut missing) = (vec![], vec![]);
    for one in found {
        match one {
            Ok(outcome) => outcomes.push(outcome),
            Err(lacks) => missing.push(lacks),
        }
    }
    outcomes.sort_by_key(|outcome| (rank(outcome.verdict), std::cmp::Reverse(outcome.severity)));
    let worst = outcomes.first().map(|outcome| outcome.verdict);
    let judged = matches!(worst, Some(Verdict::Confirmed | Verdict::Consistent));
    match (outcomes.is_empty() || !judged, missing.is_empty()) {
        (true, false) => Err(missing.remove(0)),
        (true, true) if outcomes.is_empty() => Ok(Outcome::ruled_out("no PHP-FPM on this host")),
        _ => {
            let outcome = joined(outcomes.into_iter().filter(|one| Some(one.verdict) == worst).collect());
            Ok(missing.into_iter().fold(outcome, Outcome::lacks))
        }
    }
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Confirmed => 0,
        Verdict::Consistent => 1,
        Verdict::RuledOut => 2,
        Verdict::Unknown => 3,
    }
}

/// Outcomes of one verdict, the most severe first.
fn joined(outcomes: Vec<Outcome>) -> Outcome {
    let mut outcomes = outcomes.into_iter();
    let Some(mut first) = outcomes.next() else { return Outcome::ruled_out("no PHP-FPM on this host") };
    let mut columns: Vec<Vec<_>> = first.remedies.drain(..).map(|remedy| vec![remedy]).collect();
    let (mut named, mut more) = (1, 0);
    for outcome in outcomes {
        if named < NAMED {
            named += 1;
            first.summary = format!("{}; {}", first.summary, outcome.summary);
        } else {
            more += 1;
        }
        first.observations.extend(outcome.observations);
        for lacks in outcome.missing {
            if !first.missing.contains(&lacks) {
                first.missing.push(lacks);
            }
        }
        for (at, remedy) in outcome.remedies.into_iter().enumerate() {
            match columns.get_mut(at) {
                Some(column) => column.push(remedy),
                None => columns.push(vec![remedy]),
            }
        }
    }
    if more > 0 {
        first.summary = format!("{}; and {more} more", first.summary);
    }
    first.remedies = columns.into_iter().filter_map(together).collect();
    first
}

#[cfg(test)]
mod tests {
    use model::{Remedy, Severity};

    use super::*;

    #[test]
    fn the_worst_pool_decides_and_others_like_it_are_named() {
        let confirmed = |name: &str, severity| {
            Ok(Outcome::confirmed(severity, name).remedy(Remedy::new(format!("help {name}"), "it moves")))
        };
        let found = vec![
            Ok(Outcome::ruled_out("calm")),
            confirmed("slow", Severity::Latent),
            confirmed("full", Severity::Breaking),
            Err(Missing::new("a figure", "read it")),
        ];
        let outcome = combine(found).unwrap();
        assert_eq!((outcome.verdict, outcome.severity), (Verdict::Confirmed, Severity::Breaking));
        assert_eq!(outcome.summary, "full; slow");
        assert_eq!((outcome.missing.len(), outcome.remedies.len()), (1, 1));
        let unknown = combine(vec![Ok(Outcome::ruled_out("calm")), Err(Missing::new("a figure", "read it"))]);
        assert_eq!(unknown.unwrap_err().what, "a figure");
    }
}
