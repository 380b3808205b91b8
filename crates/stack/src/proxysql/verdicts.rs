//! One verdict over every ProxySQL.

use model::{Missing, Outcome, Verdict};

use super::view::View;
use crate::{Evidence, services};

/// Judges each ProxySQL and keeps the worst verdict; others as bad are named with it.
///
/// # Errors
/// What is missing, where that keeps a ProxySQL from being judged and none is at fault.
pub(super) fn of_each(
    evidence: &Evidence,
    judge: impl Fn(&View<'_>) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    let proxies = &services::facts(&evidence.services.proxysql)?.proxies;
    if proxies.is_empty() {
        return Ok(Outcome::ruled_out("no ProxySQL on this host"));
    }
    let runs = |proxy: &&super::Proxy| proxy.pid.is_some() || proxy.file.is_none();
    let (mut outcomes, mut missing) = (vec![], None);
    for proxy in proxies.iter().filter(runs) {
        let asked = match &proxy.asked {
            model::Layered::Facts(asked) => asked,
            model::Layered::Unread(unread) => {
                missing = Some(Missing::new(unread.why.clone(), unread.how_to_enable.clone()));
                continue;
            }
        };
        match judge(&View { evidence, proxy, asked }) {
            Ok(outcome) => outcomes.push(outcome),
            Err(lacking) => missing = Some(lacking),
        }
    }
    outcomes.sort_by_key(|outcome| (rank(outcome.verdict), std::cmp::Reverse(outcome.severity)));
    let is_fault = |outcome: &Outcome| rank(outcome.verdict) < rank(Verdict::RuledOut);
    match (outcomes.iter().any(is_fault), missing) {
        (false, Some(missing)) => Err(missing),
        _ => Ok(outcomes
            .into_iter()
            .reduce(joined)
            .unwrap_or_else(|| Outcome::ruled_out("ProxySQL is configured on this host, and does not run"))),
    }
}

const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Confirmed => 0,
        Verdict::Consistent => 1,
        Verdict::Unknown => 2,
        Verdict::RuledOut => 3,
    }
}

/// The worse of two outcomes, with what the other says where it is as bad.
fn joined(mut worst: Outcome, other: Outcome) -> Outcome {
    if other.verdict == worst.verdict {
        worst.summary = format!("{}; {}", worst.summary, other.summary);
        worst.observations.extend(other.observations);
        worst.missing.extend(other.missing);
        worst.remedies.extend(other.remedies);
    }
    worst
}
