//! PHP is given a path that is looked for in the wrong folder.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cron::{Clockwork, Job, jobs};
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "cron.cli-path-relative",
    title: "A job gives PHP a path that is not there where it runs",
    explains: &[],
    refutes: &[],
    document: include_str!("cli_path_relative.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let scripted = |job: &Job| job.script().is_some();
    jobs::of_jobs(evidence, scripted, "no job gives PHP a script", |job| judge(evidence, job))
}

fn judge(evidence: &Evidence, job: &Job) -> Result<Outcome, Missing> {
    let script = job.script().unwrap_or_default();
    let seen = Observation::new(job.place(), "command", job.command.clone());
    if script.starts_with('/') {
        return Ok(Outcome::ruled_out(format!("{}: {script} is a full path", job.place())).seen(seen));
    }
    if let Some(folder) = job.working_directory() {
        let line = format!("{}: {script} is looked for in {folder}", job.place());
        return Ok(Outcome::ruled_out(line).seen(seen));
    }
    if job.clockwork == Clockwork::Crontab {
        let user = job.user.as_deref().unwrap_or("its user");
        return Err(Missing::new(
            format!("whether the home folder of {user} holds {script} ({})", job.place()),
            "give PHP the full path of the script",
        ));
    }
    let line =
        format!("{}: {script} is looked for in /, since the service has no WorkingDirectory", job.place());
    Ok(Outcome::confirmed(Severity::Breaking, line).seen(seen).remedy(remedy(evidence, job)))
}

fn remedy(evidence: &Evidence, job: &Job) -> Remedy {
    let remedy =
        Remedy::new(format!("Run {} in the folder of the site", job.place()), "runs that end with status 0");
    let facts = services::facts(&evidence.services.wordpress);
    let sites = facts.map(|facts| facts.sites.as_slice()).unwrap_or_default();
    match sites {
        [site] if job.starts_wp_cron() && jobs::is_timer(job) => {
            let setting = format!("WorkingDirectory={}", site.root);
            let target = Derived::new(&setting, "the folder of the one WordPress of this host");
            remedy.change(jobs::of_service(job, vec![setting], None, target))
        }
        _ => {
            let what = ChangeKind::Elsewhere { place: job.place() };
            let target =
                Derived::new("give PHP the full path of the script", "which one is meant is not written");
            remedy.change(Change::new(what, Some(job.command.clone()), target))
        }
    }
}
