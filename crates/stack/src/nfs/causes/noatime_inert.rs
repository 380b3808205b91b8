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
    let what = ChangeKind::Mount { mount_point: mount_point.to_owned(), set: vec![], remove: vec![] };
    let change = Change::new(what, Some(option.to_owned()), target)
        .persists_by("/etc/fstab")
        .risks("none: it has no effect with it or without it");
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
