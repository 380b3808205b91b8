//! Visits are told not to start scheduled work, and nothing else starts it.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Remedy, Severity};

use crate::wordpress::{Site, job, sites};
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "wordpress.cron-never-runs",
    title: "Scheduled work of WordPress is never run",
    explains: &[],
    refutes: &[],
    document: include_str!("cron_never_runs.md"),
    test,
};

const NAME: &str = "DISABLE_WP_CRON";

/// From so long a log on, a clock elsewhere that asks for `wp-cron.php` each ten minutes would be in it, in seconds. Of a log
/// the last 15 minutes are read.
const TELLING_S: f64 = 840.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    sites::of_sites(evidence, |site| judge(evidence, site))
}

fn judge(evidence: &Evidence, site: &Site) -> Result<Outcome, Missing> {
    let title = site.title();
    if !sites::is_set(site, NAME)? {
        let line = format!("{title}: {NAME} is not true, so visits start due events");
        return Ok(Outcome::ruled_out(line).seen(sites::seen(site, NAME)));
    }
    let jobs = sites::jobs(evidence, site)?;
    if let Some(job) = jobs.iter().find(|job| job.enabled != Some(false)) {
        let line = format!("{title}: {} runs due events ({})", job.place(), job.schedule);
        return Ok(Outcome::ruled_out(line).seen(Observation::new(
            job.place(),
            "command",
            job.command.clone(),
        )));
    }
    let asked = sites::asked_for(evidence);
    if let Some((asked, span_s)) = asked.as_ref().filter(|(asked, _)| asked.requests > 0) {
        let line = format!(
            "{title}: somebody asked for /wp-cron.php {} times within {} s",
            asked.requests,
            number_text(span_s.round())
        );
        return Ok(Outcome::ruled_out(line).seen(Observation::new(
            "access log",
            "/wp-cron.php",
            asked.requests,
        )));
    }
    let idle = jobs.first().map(|job| format!(", and no target starts {}", job.place())).unwrap_or_default();
    let line =
        format!("{title}: {NAME} is true, and no crontab or timer of this host runs wp-cron.php{idle}");
    let mut lacks = vec![];
    let unread = &services::facts(&evidence.services.cron)?.unread;
    lacks.extend(unread.iter().map(|unread| Missing::new(unread.why.clone(), unread.how_to_enable.clone())));
    if !asked.is_some_and(|(_, span_s)| span_s >= TELLING_S) {
        lacks.push(Missing::new(
            "an access log of a quarter of an hour",
            "have Nginx write one: a service elsewhere may ask for /wp-cron.php",
        ));
    }
    if !has_own_database(site) {
        lacks.push(Missing::new(
            "whether another host of the same site runs it",
            "look for wp-cron.php in the crontabs and timers of every host that uses this database",
        ));
    }
    let outcome = match lacks.is_empty() {
        true => Outcome::confirmed(Severity::Breaking, line),
        false => Outcome::consistent(Severity::Breaking, line),
    };
    let outcome = lacks.into_iter().fold(outcome.seen(sites::seen(site, NAME)), Outcome::lacks);
    let title = format!("Run due events of {title} on a clock");
    let remedy = Remedy::new(title, "events that are due are run within a minute");
    Ok(outcome.remedy(job::changes(evidence, site).into_iter().fold(remedy, Remedy::change)))
}

/// Whether the site's database is on this host, so that no other host is likely to run its events.
fn has_own_database(site: &Site) -> bool {
    let host =
        site.constants.get("DB_HOST").and_then(|constant| constant.value.as_deref()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    ["localhost", "127.0.0.1", ""].contains(&name)
}
