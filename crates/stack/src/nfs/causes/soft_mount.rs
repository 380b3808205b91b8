//! A writable NFS mount that gives up.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::Mount;
use crate::nfs::mounted::{NONE, SOURCE};
use crate::nfs::rates::rates;
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.soft-mount",
    title: "A writable NFS mount gives up on errors",
    explains: &[],
    refutes: &[],
    document: include_str!("soft_mount.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nfs = evidence.latest(|reading| &reading.nfs)?;
    let soft: Vec<&Mount> =
        nfs.mounts.iter().filter(|mount| option(mount).is_some() && !mount.is_read_only()).collect();
    let Some(first) = soft.first() else {
        return Ok(Outcome::ruled_out(if nfs.mounts.is_empty() {
            NONE
        } else {
            "no writable mount is soft"
        }));
    };
    let option = option(first).unwrap_or("soft");
    let place = &first.mount_point;
    let seen = Observation::new(SOURCE, format!("{place} opts"), option);
    let timeouts = evidence.span(|reading| &reading.nfs).ok().and_then(|span| {
        let rates = rates(&span);
        let given_up =
            rates.iter().filter(|mount| soft.iter().any(|soft| soft.mount_point == mount.mount.mount_point));
        given_up.map(|mount| (mount.total().timeouts, mount.seconds)).max_by_key(|(timeouts, _)| *timeouts)
    });
    let outcome = match timeouts {
        Some((timeouts, seconds)) if timeouts > 0 => Outcome::confirmed(
            Severity::Breaking,
            format!("{place} is {option}: {timeouts} requests gave up in {} s", number_text(seconds)),
        )
        .seen(Observation::new(SOURCE, format!("{place} timeouts"), timeouts)),
        _ => Outcome::confirmed(
            Severity::Hygiene,
            format!("{place} is {option} and writable: a silent server turns into I/O errors"),
        ),
    };
    let remedy = together(soft.iter().filter_map(|mount| Some(hard(mount, self::option(mount)?))));
    Ok(remedy.into_iter().fold(outcome.seen(seen), Outcome::remedy))
}

fn option(mount: &Mount) -> Option<&'static str> {
    ["soft", "softerr"].into_iter().find(|option| mount.has(option))
}

fn hard(mount: &Mount, option: &str) -> Remedy {
    let target = Derived::new("hard", "writes must not be lost").input("option", option, "mount options");
    let change = Change::new(
        ChangeKind::Mount {
            mount_point: mount.mount_point.clone(),
            set: vec!["hard".to_owned()],
            remove: vec![option.to_owned()],
        },
        Some(option.to_owned()),
        target,
    )
    .persists_by("/etc/fstab")
    .restarts("umount and mount")
    .risks("with hard, tasks wait for ever while the server is away; SIGKILL ends them");
    Remedy::new(
        format!("Mount {} hard: umount and mount", mount.mount_point),
        "major timeouts no longer end in errors",
    )
    .change(change)
}
