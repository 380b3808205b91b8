//! The belief that `noatime` saves work on NFS.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::Mount;
use crate::nfs::mounted::NONE;
use crate::settings::FstabMount;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.noatime-inert",
    title: "noatime does nothing on NFS",
    explains: &[],
    refutes: &[],
    document: include_str!("noatime_inert.md"),
    test,
};

const OPTIONS: [&str; 2] = ["noatime", "nodiratime"];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nfs = evidence.latest(|reading| &reading.nfs)?;
    let on = |mount: &Mount| OPTIONS.iter().find(|option| mount.has(option)).copied();
    if let Some((mount, option)) = nfs.mounts.iter().find_map(|mount| Some((mount, on(mount)?))) {
        let seen = Observation::new("/proc/self/mounts", format!("{} options", mount.mount_point), option);
        return Ok(folklore(&mount.mount_point, option, "is mounted with").seen(seen));
    }
    let fstab = evidence.settings.fstab.facts().map(Vec::as_slice).unwrap_or_default();
    if let Some((line, option)) = fstab.iter().find_map(|line| Some((line, wanted(line)?))) {
        let source = format!("/etc/fstab:{}", line.line);
        let seen = Observation::new(source, "options", line.options.clone());
        return Ok(folklore(&line.mount_point, option, "has in fstab").seen(seen));
    }
    Ok(Outcome::ruled_out(if nfs.mounts.is_empty() { NONE } else { "no NFS mount uses it" }))
}

fn wanted(line: &FstabMount) -> Option<&'static str> {
    let nfs = line.filesystem.starts_with("nfs");
    OPTIONS.iter().find(|option| nfs && line.options.split(',').any(|word| word == **option)).copied()
}

fn folklore(mount_point: &str, option: &str, has: &str) -> Outcome {
    let target = Derived::new(format!("without {option}"), "access times are the server's business").input(
        option,
        "set",
        "mount options",
    );
    let what = ChangeKind::Mount { mount_point: mount_point.to_owned() };
    let change = Change::new(what, Some(option.to_owned()), target)
        .persists_by("/etc/fstab")
        .risks("none: it has no effect with it or without it");
    let remedy =
        Remedy::new(format!("Leave {option} out at the next mount"), "nothing: it changes no metric");
    let summary = format!("{mount_point} {has} {option}: the server keeps access times, not the client");
    Outcome::confirmed(Severity::Folklore, summary).remedy(remedy.change(change))
}
