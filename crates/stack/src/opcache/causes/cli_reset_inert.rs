//! A job that empties the OPcache of the command line.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cron::Job;
use crate::opcache::view;
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.cli-reset-inert",
    title: "A job resets the OPcache of the command line, not that of PHP-FPM",
    explains: &[],
    refutes: &[],
    document: include_str!("cli_reset_inert.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let facts = facts(&evidence.services.cron)?;
    let Some(job) = facts.jobs.iter().find(|job| resets_own_memory(job)) else {
        let script = facts
            .jobs
            .iter()
            .find(|job| runs_php_here(job) && job.command.to_ascii_lowercase().contains("opcache"));
        return match (script, facts.unread.first()) {
            (Some(job), _) => {
                let how =
                    "look whether it calls opcache_reset(): on the command line that reaches no PHP-FPM";
                Err(Missing::new(format!("what {} does", job.command), how))
            }
            (None, Some(unread)) => Err(unread.missing("every job of this host")),
            (None, None) => {
                Ok(Outcome::ruled_out("no job that runs PHP calls opcache_reset() on the command line"))
            }
        };
    };
    let place = if job.line > 0 { format!("{}:{}", job.file, job.line) } else { job.file.clone() };
    let never_looks = view::runtimes(evidence).unwrap_or_default().iter().any(|runtime| {
        let status = view::status_of(evidence, &runtime.version);
        !view::is_on(&view::setting(status, Some(runtime), "opcache.validate_timestamps", "1").0)
    });
    let (severity, what) = match never_looks {
        true => (Severity::Latent, "PHP-FPM goes on with the old code, for it never looks at timestamps"),
        false => (Severity::Folklore, "it empties a memory that ends with the command"),
    };
    let summary = format!("{place} calls opcache_reset() on the command line: {what}");
    Ok(Outcome::confirmed(severity, summary)
        .seen(Observation::new(place.clone(), "command", job.command.clone()))
        .remedy(reload(place, job)))
}

/// Whether a job calls the function in a PHP of its own.
fn resets_own_memory(job: &Job) -> bool {
    job.command.contains("opcache_reset(") && runs_php_here(job)
}

/// Whether a job runs PHP itself, rather than having a worker of FPM do so.
fn runs_php_here(job: &Job) -> bool {
    let in_fpm = ["curl", "wget", "cachetool", "cgi-fcgi", "http://", "https://"];
    job.command.contains("php") && !in_fpm.iter().any(|word| job.command.contains(word))
}

fn reload(place: String, job: &Job) -> Remedy {
    let target = Derived::new(
        "systemctl reload phpVERSION-fpm after a deployment",
        "each PHP-FPM has a memory of its own, which a reload makes anew",
    )
    .input("command", &job.command, &place);
    let change = Change::new(ChangeKind::Elsewhere { place }, Some(job.command.clone()), target).risks(
        "after a reload every script is compiled anew; a job that reloads at fixed times does so for nothing",
    );
    Remedy::new(
        "Reload PHP-FPM where the code changes",
        "start_time of opcache_get_status follows each deployment",
    )
    .change(change)
}
