//! A job's I/O class does nothing on this host's disks.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cron::{Job, jobs};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "cron.io-class-inert",
    title: "A job's I/O class has no effect on these disks",
    explains: &[],
    refutes: &[],
    document: include_str!("io_class_inert.md"),
    test,
};

const KEY: &str = "IOSchedulingClass";

/// The I/O schedulers that look at the class of a request (`block/mq-deadline.c`, `block/bfq-iosched.c`).
const THAT_LOOK: [&str; 2] = ["mq-deadline", "bfq"];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let sets = |job: &Job| job.setting(KEY).is_some() || job.command.contains("ionice ");
    jobs::of_jobs(evidence, sets, "no job sets an I/O class", |job| judge(evidence, job))
}

fn judge(evidence: &Evidence, job: &Job) -> Result<Outcome, Missing> {
    let class = job.setting(KEY).map_or_else(|| "ionice".to_owned(), |class| format!("{KEY}={class}"));
    let disks = &evidence.latest(|reading| &reading.disk)?.devices;
    let schedulers: Vec<_> =
        disks.iter().filter_map(|disk| Some((disk.name.as_str(), disk.scheduler.as_deref()?))).collect();
    if schedulers.is_empty() {
        return Err(Missing::new(
            "the I/O scheduler of the disks",
            "make /sys/block/*/queue/scheduler readable",
        ));
    }
    let seen = schedulers.iter().map(|(name, scheduler)| {
        Observation::new(format!("/sys/block/{name}/queue/scheduler"), "active", *scheduler)
    });
    let looks = schedulers.iter().find(|(_, scheduler)| THAT_LOOK.contains(scheduler));
    if let Some((name, scheduler)) = looks {
        let line = format!("{}: {class}, and {scheduler} of {name} looks at it", job.place());
        return Ok(Outcome::ruled_out(line).seen_all(seen));
    }
    let named: Vec<_> =
        schedulers.iter().map(|(name, scheduler)| format!("{name} has {scheduler}")).collect();
    let line =
        format!("{}: {class}, and no disk's scheduler looks at it ({})", job.place(), named.join(", "));
    let words = "bound the job's rate where disks are busy: IOReadBandwidthMax= and IOWriteBandwidthMax= of its service";
    let what = ChangeKind::Elsewhere { place: job.place() };
    let target = Derived::new(words, "limits of a control group hold with every scheduler");
    let change = Change::new(what, Some(class), target).risks("the job takes longer");
    let remedy = Remedy::new("Bound what the job reads and writes", "await of the disks while the job runs");
    Ok(Outcome::confirmed(Severity::Folklore, line).seen_all(seen).remedy(remedy.change(change)))
}
