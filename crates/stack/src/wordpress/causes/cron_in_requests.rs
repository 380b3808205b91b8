//! Visits start WordPress's scheduled work in the pool that serves visitors.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::{passes, view};
use crate::wordpress::{Site, job, sites};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "wordpress.cron-in-requests",
    title: "Scheduled work of WordPress takes workers of the pool that serves visitors",
    explains: &["nginx.first-byte-slow", "nginx.periodic-stall"],
    refutes: &[],
    document: include_str!("cron_in_requests.md"),
    test,
};

const NAME: &str = "DISABLE_WP_CRON";

/// A log that spans less than this says nothing of work that is due each hour, in seconds.
const TELLING_S: f64 = 300.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    sites::of_sites(evidence, |site| judge(evidence, site))
}

fn judge(evidence: &Evidence, site: &Site) -> Result<Outcome, Missing> {
    let title = site.title();
    if sites::is_set(site, NAME)? {
        let line = format!("{title}: {NAME} is true, so visits start nothing");
        return Ok(Outcome::ruled_out(line).seen(sites::seen(site, NAME)));
    }
    if site.is_true("ALTERNATE_WP_CRON") == Some(true) {
        let line = format!("{title}: ALTERNATE_WP_CRON runs due events within the visitor's own request");
        let outcome =
            Outcome::confirmed(Severity::Limiting, line).seen(sites::seen(site, "ALTERNATE_WP_CRON"));
        return Ok(outcome.remedy(remedy(evidence, site)));
    }
    let running = running_now(evidence, site);
    let asked = sites::asked_for(evidence);
    let outcome = match (running, &asked) {
        (Some((busy, workers, full)), _) if busy > 0 => {
            let line = format!(
                "{title}: {busy} of {workers} workers of its pool run wp-cron.php, and {NAME} is not set"
            );
            let severity = if full { Severity::Limiting } else { Severity::Latent };
            Outcome::confirmed(severity, line).seen(Observation::new(
                "pm.status_path?full",
                "workers at wp-cron.php",
                busy,
            ))
        }
        (_, Some((asked, span_s))) if asked.requests > 0 => {
            let per_hour = (asked_per_hour(asked.requests, *span_s) * 10.0).round() / 10.0;
            let line = format!(
                "{title}: visits asked for /wp-cron.php {} times an hour, each time one more worker of the pool",
                number_text(per_hour)
            );
            Outcome::confirmed(Severity::Hygiene, line)
                .seen(Observation::new("access log", "/wp-cron.php", per_hour).unit("/h"))
        }
        (_, Some((_, span_s))) if *span_s >= TELLING_S => {
            let line = format!(
                "{title}: nothing asked for /wp-cron.php within {} s of the access log",
                number_text(span_s.round())
            );
            return Ok(Outcome::ruled_out(line).seen(sites::seen(site, NAME)));
        }
        _ => {
            let line = format!("{title}: {NAME} is not set, so that visits start due events");
            return Ok(Outcome::consistent(Severity::Hygiene, line).seen(sites::seen(site, NAME)).lacks(
                Missing::new(
                    "how often /wp-cron.php is asked for",
                    "have Nginx write an access log for a few minutes of traffic, or set pm.status_path",
                ),
            ));
        }
    };
    Ok(outcome.seen(sites::seen(site, NAME)).remedy(remedy(evidence, site)))
}

#[expect(clippy::cast_precision_loss, reason = "requests of some minutes")]
fn asked_per_hour(requests: u64, span_s: f64) -> f64 {
    requests as f64 * 3600.0 / span_s.max(60.0)
}

/// Workers that run `wp-cron.php` now, all workers, and whether the pool is at its limit, of the pool that serves a site.
fn running_now(evidence: &Evidence, site: &Site) -> Option<(u64, u32, bool)> {
    let pools = view::pools(evidence).ok()?;
    let serves = |pool: &&view::View<'_>| {
        passes::of(pool).iter().any(|pass| {
            let root = pass.context.get("root").and_then(|root| root.first());
            root.is_some_and(|root| root.trim_end_matches('/') == site.document_root)
        })
    };
    let pool = pools.iter().find(serves)?;
    let at_cron = |process: &&crate::php_fpm::Process| {
        let script = process.script.as_deref().unwrap_or_default();
        process.state != "Idle" && script.starts_with(&site.root) && script.ends_with("/wp-cron.php")
    };
    let busy = pool.status()?.processes.iter().filter(at_cron).count();
    let busy = u64::try_from(busy).ok()?;
    Some((busy, pool.workers(), pool.is_at_its_limit()))
}

/// The constant, and a job unless there is one. Without the job, nothing would run due events any more.
fn remedy(evidence: &Evidence, site: &Site) -> Remedy {
    let title = format!("Run due events of {} on a clock", site.title());
    let mut remedy = Remedy::new(title, "requests for /wp-cron.php and workers busy with it: none");
    let jobs = sites::jobs(evidence, site).unwrap_or_default();
    let runs = jobs.iter().any(|job| job.enabled != Some(false) && !job.asks_over_http());
    if !runs {
        remedy = job::changes(evidence, site).into_iter().fold(remedy, Remedy::change);
    }
    remedy.change(constant(site))
}

/// `define( 'DISABLE_WP_CRON', true );` where the site is configured.
fn constant(site: &Site) -> Change {
    let file = site.constants.get(NAME).map(|constant| constant.file.clone());
    let file = file.or_else(|| site.config_file.clone()).unwrap_or_default();
    let current = site.constants.get(NAME).and_then(|constant| constant.value.clone());
    let target = Derived::new("true", "a clock runs due events, so visits need not");
    let edits = vec![Edit::PhpConstant { name: NAME.to_owned(), value: Some("true".to_owned()) }];
    let what = ChangeKind::File { path: file.clone(), edit: format!("set {NAME}"), edits };
    Change::new(what, current, target)
        .persists_by(&file)
        .coupled_with("a job that runs wp-cron.php")
        .restarts("none; a reload of PHP-FPM where opcache.validate_timestamps is 0")
        .risks("without the job nothing is published, mailed or updated on time")
}
