//! The belief that `noatime` saves work on NFS.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::Mount;
use crate::nfs::mounted::{NONE, fstab, has_option, leave_out};
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
        let line = fstab(evidence, &mount.mount_point);
        return Ok(folklore(&mount.mount_point, option, "is mounted with", line).seen(seen));
    }
    let fstab = evidence.settings.fstab.facts().map(Vec::as_slice).unwrap_or_default();
    if let Some((line, option)) = fstab.iter().find_map(|line| Some((line, wanted(line)?))) {
        let source = format!("/etc/fstab:{}", line.line);
        let seen = Observation::new(source, "options", line.options.clone());
        return Ok(folklore(&line.mount_point, option, "has in fstab", Some(line)).seen(seen));
    }
    Ok(Outcome::ruled_out(if nfs.mounts.is_empty() { NONE } else { "no NFS mount uses it" }))
}

fn wanted(line: &FstabMount) -> Option<&'static str> {
    let nfs = line.filesystem.starts_with("nfs");
    OPTIONS.into_iter().find(|option| nfs && has_option(line, option))
}

/// Nothing is mounted anew for an option without effect: it goes from fstab, or from what mounts it otherwise.
fn folklore(mount_point: &str, option: &str, has: &str, line: Option<&FstabMount>) -> Outcome {
    let target = Derived::new(format!("without {option}"), "access times are the server's business").input(
        option,
        "set",
        "mount options",
    );
    let there = |line: &FstabMount| OPTIONS.into_iter().filter(|option| has_option(line, option)).collect();
    let change = match line.map(|line| (line, there(line))) {
        Some((line, options)) if !Vec::is_empty(&options) => leave_out(line, &options, target),
        _ => {
            let place = format!("what mounts {mount_point}: a unit, autofs or a script");
            Change::new(ChangeKind::Elsewhere { place }, Some(option.to_owned()), target)
        }
    };
    let change = change.risks("none: it has no effect with it or without it");
    let remedy =
        Remedy::new(format!("Leave {option} out at the next mount"), "nothing: it changes no metric");
    let summary = format!("{mount_point} {has} {option}: the server keeps access times, not the client");
    Outcome::confirmed(Severity::Folklore, summary).remedy(remedy.change(change))
}

#[cfg(test)]
mod tests {
    use host::Tree;
    use model::{Layered, Verdict};

    use super::*;

    fn verdict(filesystem: &str, options: &str) -> Verdict {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountstats", "device proc mounted on /proc with fstype proc\n");
        let mut evidence = crate::reading::read_tree(&tree).unwrap();
        evidence.settings.fstab = Layered::Facts(Box::new(vec![FstabMount {
            device: "nas:/web".to_owned(),
            mount_point: "/var/www".to_owned(),
            filesystem: filesystem.to_owned(),
            options: options.to_owned(),
            line: 3,
        }]));
        test(&evidence).unwrap().verdict
    }

    #[test]
    fn fstab_is_looked_at_for_nfs_only() {
        assert_eq!(verdict("nfs4", "rw,noatime"), Verdict::Confirmed);
        assert_eq!(verdict("nfs", "nodiratime"), Verdict::Confirmed);
        assert_eq!(verdict("ext4", "noatime"), Verdict::RuledOut);
        assert_eq!(verdict("nfs4", "relatime,xnoatime"), Verdict::RuledOut);
    }
}
