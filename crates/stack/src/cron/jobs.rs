//! What the causes of this layer share: one verdict over several jobs, and the unit that a change is made to.

use model::{Change, ChangeKind, Derived, Missing, Outcome};

use super::{Clockwork, Facts, Job};
use crate::php_fpm::verdicts::combine;
use crate::php_fpm::view;
use crate::{Evidence, services};

/// Judges the jobs that a cause is about, and puts the findings together; `none` is said where there is no such job.
///
/// # Errors
/// Why jobs were not read, or what is missing of one where no other confirms the cause.
pub(super) fn of_jobs(
    evidence: &Evidence,
    concerns: impl Fn(&Job) -> bool,
    none: &str,
    judge: impl Fn(&Job) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    let facts = services::facts(&evidence.services.cron)?;
    let jobs: Vec<_> = facts.jobs.iter().filter(|job| concerns(job)).collect();
    if let (true, Some(lacks)) = (jobs.is_empty(), unread(facts)) {
        return Err(lacks);
    }
    if jobs.is_empty() {
        return Ok(Outcome::ruled_out(none));
    }
    combine(jobs.into_iter().map(judge).collect())
}

fn unread(facts: &Facts) -> Option<Missing> {
    let unread = facts.unread.first()?;
    Some(Missing::new(unread.why.clone(), unread.how_to_enable.clone()))
}

/// Whether a timer with a service starts it.
pub(super) fn is_timer(job: &Job) -> bool {
    job.clockwork == Clockwork::Timer && job.service.as_ref().is_some_and(|service| service.file.is_some())
}

/// Whether the settings of what a timer starts are known; lines of crontabs have none.
///
/// # Errors
/// When no folder of units holds the service.
pub(super) fn its_service(job: &Job) -> Result<(), Missing> {
    match &job.service {
        Some(service) if service.file.is_none() => Err(Missing::new(
            format!("{}, which {} starts", service.unit, job.place()),
            "see `systemctl cat` of it: no folder of units holds its file",
        )),
        _ => Ok(()),
    }
}

/// Settings of the job's service, in a drop-in.
pub(super) fn of_service(
    job: &Job,
    settings: Vec<String>,
    current: Option<String>,
    target: Derived,
) -> Change {
    let name = job.service.as_ref().map(|service| service.unit.clone()).unwrap_or_default();
    let by = format!("/etc/systemd/system/{name}.d/90-narrows.conf");
    Change::new(ChangeKind::Unit { name, settings }, current, target)
        .persists_by(&by)
        .restarts("none: it acts on the next run")
}

/// The one user as whom pages are made on this host.
pub(super) fn page_user(evidence: &Evidence) -> Option<String> {
    let mut users: Vec<_> =
        view::pools(evidence).ok()?.iter().filter_map(|pool| pool.pool.user.clone()).collect();
    users.sort();
    users.dedup();
    match &users[..] {
        [one] if one != "root" => Some(one.clone()),
        _ => None,
    }
}
