//! What the causes of this layer share: one verdict over several sites, the pool and the jobs of a site.

use model::{Missing, Observation, Outcome};

use super::{Constant, Site};
use crate::cron::Job;
use crate::nginx::UriUse;
use crate::php_fpm::verdicts::combine;
use crate::php_fpm::{passes, view};
use crate::{Evidence, services};

/// What is said of a host without WordPress.
const NONE: &str = "no WordPress on this host";

/// Judges every site, and puts the findings together.
///
/// # Errors
/// Why WordPress was not read, or what is missing of a site where no other confirms the cause.
pub(super) fn of_sites(
    evidence: &Evidence,
    judge: impl Fn(&Site) -> Result<Outcome, Missing>,
) -> Result<Outcome, Missing> {
    let facts = services::facts(&evidence.services.wordpress)?;
    if let (true, Some(unread)) = (facts.sites.is_empty(), facts.unread.first()) {
        return Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone()));
    }
    // Debian's package without a configuration is code that nobody is served from.
    let served: Vec<_> = facts.sites.iter().filter(|site| !is_dormant(site)).collect();
    if served.is_empty() {
        return Ok(Outcome::ruled_out(NONE));
    }
    combine(served.into_iter().map(judge).collect())
}

fn is_dormant(site: &Site) -> bool {
    site.root == "/usr/share/wordpress" && site.name.is_none()
}

/// Whether a constant of a site is true; one that is not set is not.
///
/// # Errors
/// When only running PHP could tell, or the site's configuration could not be read.
pub(super) fn is_set(site: &Site, name: &str) -> Result<bool, Missing> {
    if site.config_file.is_none() {
        let what = format!("wp-config.php of {}", site.title());
        return Err(Missing::new(what, "run narrows as root: the file is often readable by its owner alone"));
    }
    match (site.is_true(name), site.constants.get(name)) {
        (Some(is), _) => Ok(is),
        (None, None) => Ok(false),
        (None, Some(constant)) => Err(Missing::new(
            format!("the value of {name}, which {} leaves to running PHP", place(constant)),
            format!("set {name} there to true or false, outside of any condition"),
        )),
    }
}

/// `file:line` of a constant.
pub(super) fn place(constant: &Constant) -> String {
    format!("{}:{}", constant.file, constant.line)
}

/// A constant as an observation; `not set` where the file does not set it.
pub(super) fn seen(site: &Site, name: &str) -> Observation {
    match site.constants.get(name) {
        Some(constant) => Observation::new(
            place(constant),
            name,
            constant.value.clone().unwrap_or_else(|| "expression".to_owned()),
        ),
        None => Observation::new(site.config_file.clone().unwrap_or_default(), name, "not set"),
    }
}

/// The jobs that run due events of a site: those that name its folder, and those over HTTP, which name a site by its URL.
pub(super) fn jobs<'a>(evidence: &'a Evidence, site: &Site) -> Result<Vec<&'a Job>, Missing> {
    let facts = services::facts(&evidence.services.cron)?;
    let names_it = |job: &&Job| job.starts_wp_cron() && (job.asks_over_http() || is_in(job, site));
    Ok(facts.jobs.iter().filter(names_it).collect())
}

/// Whether a job's script, folder or `--path` lies where a site does.
fn is_in(job: &Job, site: &Site) -> bool {
    let roots = [site.root.as_str(), site.document_root.as_str()];
    let named = [job.script(), job.working_directory()];
    let below = |path: &str| {
        roots.iter().any(|root| !root.is_empty() && (path == *root || path.starts_with(&format!("{root}/"))))
    };
    named.into_iter().flatten().any(below)
        || roots.iter().any(|root| !root.is_empty() && job.command.contains(&format!("--path={root}")))
}

/// What the access logs say of `/wp-cron.php`, all together, and the seconds they span; `None` without a log.
pub(super) fn asked_for(evidence: &Evidence) -> Option<(UriUse, f64)> {
    let nginx = services::facts(&evidence.services.nginx).ok()?;
    let logs = nginx.instances.iter().flat_map(|instance| &instance.access_logs);
    let logs: Vec<_> = logs.filter(|log| log.requests > 0).collect();
    let span_s = logs.iter().map(|log| log.span_s).fold(0.0, f64::max);
    let mut sum = UriUse { path: "/wp-cron.php".to_owned(), ..UriUse::default() };
    for one in logs.iter().filter_map(|log| log.wp_cron.as_ref()) {
        sum.requests += one.requests;
        sum.seconds = match (sum.seconds, one.seconds) {
            (Some(seconds), Some(more)) => Some(seconds + more),
            (seconds, more) => seconds.or(more),
        };
    }
    (!logs.is_empty()).then_some((sum, span_s))
}

/// The user as whom pages of a site are made, and the version of PHP that makes them.
pub(super) fn user_of(evidence: &Evidence, site: &Site) -> Option<(String, Option<String>)> {
    let pools = view::pools(evidence).ok()?;
    let serves = |pool: &&view::View<'_>| {
        passes::of(pool).iter().any(|pass| {
            let root = pass.context.get("root").and_then(|root| root.first());
            root.is_some_and(|root| root.trim_end_matches('/') == site.document_root)
        })
    };
    let user = |pool: &view::View<'_>| Some((pool.pool.user.clone()?, pool.master.version.clone()));
    if let Some(pool) = pools.iter().find(serves) {
        return user(pool);
    }
    let mut users: Vec<_> = pools.iter().filter_map(user).collect();
    users.dedup();
    match &users[..] {
        [one] => Some(one.clone()),
        _ => None,
    }
}
