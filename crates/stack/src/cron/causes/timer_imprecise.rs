//! A timer that is thought to be punctual is not.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cron::schedule::span_s;
use crate::cron::{Clockwork, Job, jobs};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "cron.timer-imprecise",
    title: "A timer starts its job up to a minute late",
    explains: &[],
    refutes: &[],
    document: include_str!("timer_imprecise.md"),
    test,
};

/// `AccuracySec=` without a line that sets it (systemd.timer(5)), in seconds.
const DEFAULT_ACCURACY_S: f64 = 60.0;

/// From this share of its period on, lateness is a part of the schedule that nobody wrote.
const PART: f64 = 0.1;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let regular = |job: &Job| job.period_s.is_some() || job.schedule.is_empty();
    let timers = |job: &Job| job.clockwork == Clockwork::Timer && regular(job);
    jobs::of_jobs(evidence, timers, "no timer starts PHP at regular times", judge)
}

fn judge(job: &Job) -> Result<Outcome, Missing> {
    if job.schedule.is_empty() {
        let what = format!("when {} elapses", job.place());
        return Err(Missing::new(
            what,
            "see `systemctl list-timers`: neither OnCalendar nor OnUnitActiveSec is set",
        ));
    }
    let written = job.service.as_ref().and_then(|service| service.timer.get("AccuracySec"));
    let accuracy_s = written.and_then(|value| span_s(value)).unwrap_or(DEFAULT_ACCURACY_S);
    let period_s = job.period_s.unwrap_or(f64::INFINITY);
    let shown = written.cloned().unwrap_or_else(|| "1min (the default)".to_owned());
    let line =
        format!("{}: each {} s ({}), AccuracySec={shown}", job.place(), number_text(period_s), job.schedule);
    let seen = Observation::new(job.place(), "AccuracySec", shown);
    if accuracy_s < PART * period_s {
        return Ok(Outcome::ruled_out(line).seen(seen));
    }
    let line = format!("{line}: it starts anywhere within {} s", number_text(accuracy_s));
    Ok(Outcome::confirmed(Severity::Folklore, line).seen(seen).remedy(precise(job)))
}

fn precise(job: &Job) -> Remedy {
    let name = job.file.rsplit('/').next().unwrap_or(&job.file).to_owned();
    let target = Derived::new("AccuracySec=1s", "1 s, small beside the period").input(
        "period",
        job.period_s.map_or_else(|| "unknown".to_owned(), |period| format!("{} s", number_text(period))),
        &job.place(),
    );
    let by = format!("/etc/systemd/system/{name}.d/90-narrows.conf");
    let what = ChangeKind::Unit { name, settings: vec![target.value.clone()] };
    let change = Change::new(what, None, target).persists_by(&by).restarts("none").risks(
        "on a fleet of hosts with one database all jobs then start in the same second: spread them with \
         RandomizedDelaySec",
    );
    Remedy::new(format!("Have {} start on time", job.place()), "the time from due to started (list-timers)")
        .change(change)
}
