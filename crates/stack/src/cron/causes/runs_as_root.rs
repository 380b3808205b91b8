//! A job runs the site's code with root's rights.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cron::{Job, jobs};
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "cron.runs-as-root",
    title: "A job runs the site's code as root",
    explains: &[],
    refutes: &[],
    document: include_str!("runs_as_root.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let none = "no job runs the code of a site itself";
    jobs::of_jobs(
        evidence,
        |job| runs_site(evidence, job),
        none,
        |job| {
            jobs::its_service(job)?;
            Ok(judge(evidence, job))
        },
    )
}

/// Whether a job runs a site's code: WordPress's events, or a script below a document root.
fn runs_site(evidence: &Evidence, job: &Job) -> bool {
    if jobs::its_service(job).is_err() {
        return true;
    }
    if job.asks_over_http() {
        return false;
    }
    let roots: Vec<&str> = match services::facts(&evidence.services.wordpress) {
        Ok(facts) => facts.sites.iter().map(|site| site.root.as_str()).collect(),
        Err(_) => vec![],
    };
    let applications = services::facts(&evidence.services.composer);
    let applications = applications.map(|facts| facts.applications.as_slice()).unwrap_or_default();
    let roots = roots.into_iter().chain(applications.iter().map(|one| one.root.as_str()));
    let named = [job.script(), job.working_directory()];
    let below = |root: &str| named.iter().flatten().any(|path| path.strip_prefix(root).is_some());
    job.starts_wp_cron() || roots.filter(|root| root.len() > 1).any(below)
}

fn judge(evidence: &Evidence, job: &Job) -> Outcome {
    let user = job.user.as_deref().unwrap_or("root");
    let seen = Observation::new(job.place(), "user", user);
    let line = format!("{}: “{}” runs as {user}", job.place(), job.command);
    if user != "root" && user != "0" {
        return Outcome::ruled_out(line).seen(seen);
    }
    let line = format!("{line}: so does every plugin, and what it writes belongs to root");
    Outcome::confirmed(Severity::Latent, line).seen(seen).remedy(remedy(evidence, job))
}

fn remedy(evidence: &Evidence, job: &Job) -> Remedy {
    let remedy = Remedy::new(
        format!("Run {} as the user of the site", job.place()),
        "new files below wp-content belong to the user of the pool",
    );
    let user = jobs::page_user(evidence);
    let target = |value: String| {
        Derived::new(value, "the user that makes the site's pages").input(
            "user",
            user.clone().unwrap_or_else(|| "unknown".to_owned()),
            "`user` of the pool of PHP-FPM",
        )
    };
    let risk = "files that root made before stay root's: give them to the user (chown)";
    match &user {
        Some(user) if jobs::is_timer(job) => {
            let setting = format!("User={user}");
            let change =
                jobs::of_service(job, vec![setting.clone()], Some("User=root".to_owned()), target(setting));
            remedy.change(change.risks(risk))
        }
        _ => {
            let name = user.as_deref().unwrap_or("the user of the pool");
            let words = format!("run it as {name}");
            let what = ChangeKind::Elsewhere { place: job.place() };
            remedy.change(Change::new(what, Some("root".to_owned()), target(words)).risks(risk))
        }
    }
}
