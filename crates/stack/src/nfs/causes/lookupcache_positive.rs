//! The belief that `lookupcache=positive` keeps entries alive.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{NONE, SOURCE, leave_out};
use crate::settings::FstabMount;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.lookupcache-positive",
    title: "lookupcache=positive keeps no entry alive",
    explains: &[],
    refutes: &[],
    document: include_str!("lookupcache_positive.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let nfs = evidence.latest(|reading| &reading.nfs)?;
    let mounted = nfs.mounts.iter().find(|mount| mount.option("lookupcache").is_some_and(is_positive));
    if let Some(mount) = mounted {
        let summary = format!("{} does not cache misses; hits live no longer", mount.mount_point);
        let value = mount.option("lookupcache").unwrap_or_default();
        return Ok(Outcome::confirmed(Severity::Folklore, summary)
            .seen(Observation::new(SOURCE, format!("{} lookupcache", mount.mount_point), value))
            .remedy(mounted_anew(&mount.mount_point, value)));
    }
    let fstab = evidence.settings.fstab.facts().map(Vec::as_slice).unwrap_or_default();
    if let Some(line) = fstab.iter().find(|line| wants_positive(line)) {
        let summary = format!("/etc/fstab:{} asks for it on {}", line.line, line.mount_point);
        return Ok(Outcome::confirmed(Severity::Folklore, summary)
            .seen(Observation::new(format!("/etc/fstab:{}", line.line), "options", line.options.clone()))
            .remedy(left_out(line)));
    }
    Ok(Outcome::ruled_out(if nfs.mounts.is_empty() { NONE } else { "no mount uses it" }))
}

fn is_positive(value: &str) -> bool {
    matches!(value, "pos" | "positive")
}

fn wants_positive(line: &FstabMount) -> bool {
    let options = || line.options.split(',').filter_map(|option| option.split_once('='));
    line.filesystem.starts_with("nfs")
        && options().any(|(name, value)| name == "lookupcache" && is_positive(value))
}

const MOVES: &str = "LOOKUP/s falls by the number of repeated misses";
const LATE: &str = "a file that appears may be missed until the directory's attributes expire";

fn target(value: &str) -> Derived {
    Derived::new("lookupcache=all", "the default; caching of misses: 0 LOOKUP per repeated miss, not 1")
        .input("lookupcache", value, "mount options")
}

fn left_out(line: &FstabMount) -> Remedy {
    let change = leave_out(line, &["lookupcache"], target("pos")).risks(LATE);
    Remedy::new("Take lookupcache out of /etc/fstab", MOVES).change(change)
}

fn mounted_anew(mount_point: &str, value: &str) -> Remedy {
    let change = Change::new(
        ChangeKind::Mount {
            mount_point: mount_point.to_owned(),
            set: vec![],
            remove: vec!["lookupcache".to_owned()],
        },
        Some(format!("lookupcache={value}")),
        target(value),
    )
    .persists_by("/etc/fstab")
    .restarts("umount and mount; `mount -o remount` refuses it with code 32")
    .risks(LATE)
    .coupled_with("for read-mostly code: ro,nocto,actimeo=600 is what keeps entries alive");
    Remedy::new("Take lookupcache away: umount and mount", MOVES).change(change)
}

#[cfg(test)]
mod tests {
    use host::Tree;
    use model::{Layered, Verdict};

    use super::*;

    fn evidence(options: &str) -> Evidence {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountstats", "device proc mounted on /proc with fstype proc\n");
        let mut evidence = crate::reading::read_tree(&tree).unwrap();
        evidence.settings.fstab = Layered::Facts(Box::new(vec![FstabMount {
            device: "nas:/web".to_owned(),
            mount_point: "/var/www".to_owned(),
            filesystem: "nfs4".to_owned(),
            options: options.to_owned(),
            line: 7,
        }]));
        evidence
    }

    #[test]
    fn a_line_of_fstab_that_asks_for_it_is_named() {
        let outcome = test(&evidence("rw,hard,lookupcache=positive")).unwrap();
        assert_eq!((outcome.verdict, outcome.severity), (Verdict::Confirmed, Severity::Folklore));
        assert!(outcome.summary.starts_with("/etc/fstab:7 "), "{}", outcome.summary);
    }

    #[test]
    fn other_values_are_left_alone() {
        for options in ["rw,hard", "lookupcache=all", "lookupcache=none"] {
            assert_eq!(test(&evidence(options)).unwrap().verdict, Verdict::RuledOut);
        }
    }
}
