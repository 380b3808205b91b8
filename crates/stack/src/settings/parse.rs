//! Takes the files of sysctl.d(5) and fstab(5) apart, and leaves secrets out.

use std::sync::Arc;

use conf::{
    MountTable, MountTableDialect, MountTableProblemReason, SysctlDocument, SysctlEntry, SysctlFile,
    SysctlKey, SysctlOrder, UnreadReason, order_sysctls,
};
use model::Unread;

use super::keys::KEYS;
use super::secrets::{device_without_secrets, options_without_secrets, without_secret};
use super::{FstabMount, Persisted};

/// Parses the files of sysctl.d(5) together, in the order in which systemd-sysctl applies them.
///
/// Every assignment is kept, those without effect marked as overridden. Patterns are kept only as far as they set a key
/// that a cause looks at. The second list holds the lines that were not understood.
pub fn parse_sysctl_files(files: &[SysctlFile<'_>]) -> (Vec<Persisted>, Vec<Unread>) {
    let order = order_sysctls(files);
    let mut persisted: Vec<Persisted> = KEYS.iter().filter_map(|key| by_pattern(&order, key)).collect();
    for name in order.files() {
        let Some(file) = files.iter().find(|file| *file.path == **name) else { continue };
        let document = SysctlDocument::new(Arc::clone(name), file.bytes);
        let entries = document.entries().iter().filter(|entry| entry.is_assignment() && !entry.key.is_glob());
        persisted.extend(entries.map(|entry| assignment(&order, entry)));
    }
    persisted.extend(files.iter().filter(|file| is_left_out(files, file)).flat_map(left_out));
    (persisted, order.unread().iter().map(not_understood).collect())
}

/// Whether a file lies outside the directories that are read, and no link in them leads to it: `/etc/sysctl.conf`.
fn is_left_out(files: &[SysctlFile<'_>], file: &SysctlFile<'_>) -> bool {
    let linked = |other: &SysctlFile| other.path != file.path && other.bytes == file.bytes;
    !file.path.contains("/sysctl.d/") && !files.iter().any(linked)
}

fn left_out(file: &SysctlFile<'_>) -> Vec<Persisted> {
    let document = SysctlDocument::new(file.path, file.bytes);
    let entries = document.entries().iter().filter(|entry| entry.is_assignment());
    entries.map(|entry| Persisted { not_read: true, ..without_effect(entry) }).collect()
}

fn without_effect(entry: &SysctlEntry) -> Persisted {
    let key = entry.key.to_string();
    Persisted {
        value: without_secret(&key, entry.value_text().into_owned()),
        key,
        file: entry.file.to_string(),
        line: number(entry.line),
        overridden: true,
        comment_like: entry.trailing_comment_like,
        not_read: false,
    }
}

fn assignment(order: &SysctlOrder, entry: &SysctlEntry) -> Persisted {
    let effective = order.explicit().get(&entry.key);
    let counts = effective.is_some_and(|effective| {
        effective.value.is_some() && effective.line == entry.line && effective.file == entry.file
    });
    Persisted { overridden: !counts, ..without_effect(entry) }
}

fn by_pattern(order: &SysctlOrder, key: &str) -> Option<Persisted> {
    let effective = order.effective(&SysctlKey::new(key)).filter(|effective| effective.by_glob.is_some())?;
    let value = effective.value_text()?.into_owned();
    Some(Persisted {
        value: without_secret(key, value),
        key: key.to_owned(),
        file: effective.file.to_string(),
        line: number(effective.line),
        overridden: false,
        comment_like: effective.trailing_comment_like,
        not_read: false,
    })
}

fn not_understood(line: &conf::UnreadLine) -> Unread {
    let (why, how) = match line.reason {
        UnreadReason::NotAnAssignment => {
            ("it is no assignment", "write `key = value`, or begin the line with #")
        }
        UnreadReason::EmptyKey => ("it has no key", "write `key = value`, or begin the line with #"),
        UnreadReason::LineTooLong => ("it is 1 MiB or longer, and systemd reads no further", "shorten it"),
    };
    Unread::new(format!("{}, line {} has no effect: {why}", line.file, line.line), how)
}

/// Parses fstab(5), secrets among the options removed. The second list holds the lines that were not understood.
pub fn parse_fstab(bytes: &[u8]) -> (Vec<FstabMount>, Vec<Unread>) {
    let table = MountTable::new("/etc/fstab", bytes, MountTableDialect::Fstab);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mount = |entry: &conf::MountEntry| FstabMount {
        device: device_without_secrets(&text(&entry.device)),
        mount_point: text(&entry.mount_point),
        filesystem: text(&entry.fstype),
        options: options_without_secrets(&table, entry),
        line: number(entry.line),
    };
    let problem = |problem: &conf::MountTableProblem| {
        let why = match problem.reason {
            MountTableProblemReason::TooFewFields => "device, mount point or type is missing",
            MountTableProblemReason::NotANumber => "the fifth or sixth field is no number",
        };
        Unread::new(
            format!("/etc/fstab, line {} is no mount: {why}", problem.line),
            "correct it and check with `findmnt --verify`",
        )
    };
    (table.entries().iter().map(mount).collect(), table.problems().iter().map(problem).collect())
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_fstab(&bytes);
            parse_sysctl_files(&[SysctlFile { path: "/etc/sysctl.d/a.conf", bytes: &bytes }]);
        }
    }

    #[test]
    fn mounts_lose_their_credentials_and_keep_the_rest() {
        let (mounts, problems) = parse_fstab(
            b"# a comment\n//nas/share /mnt cifs username=web,password=ab,,cd,uid=33,credentials=/root/c 0 0\n\
              web:/srv /var/www nfs4 nconnect=4,user,noatime 0 0\nbroken\n",
        );
        assert_eq!(mounts[0].options, "username=removed,password=removed,uid=33,credentials=removed");
        assert_eq!((mounts[1].options.as_str(), mounts[1].line), ("nconnect=4,user,noatime", 3));
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_mount_without_options_has_none() {
        let (mounts, _) = parse_fstab(b"/dev/vda1 / ext4");
        assert_eq!((mounts[0].options.as_str(), mounts[0].filesystem.as_str()), ("", "ext4"));
    }

    #[test]
    fn an_exclusion_leaves_an_assignment_without_effect() {
        let bytes = b"vm.swappiness = 10\n-vm.swappiness\n";
        let (persisted, _) = parse_sysctl_files(&[SysctlFile { path: "/etc/sysctl.d/a.conf", bytes }]);
        assert!(persisted[0].overridden);
    }

    #[test]
    fn a_file_outside_the_directories_counts_only_through_a_link() {
        let bytes = b"vm.swappiness = 10\n";
        let conf = SysctlFile { path: "/etc/sysctl.conf", bytes };
        let (persisted, _) = parse_sysctl_files(&[conf]);
        assert!(persisted[0].not_read && persisted[0].overridden);
        let (persisted, _) =
            parse_sysctl_files(&[SysctlFile { path: "/etc/sysctl.d/99-sysctl.conf", bytes }, conf]);
        assert_eq!((persisted.len(), persisted[0].not_read), (1, false));
    }

    #[test]
    fn a_pattern_sets_the_keys_that_causes_look_at() {
        let bytes = b"net.core.?mem_max = 16777216\nnet.core.rmem_max = 212992\n";
        let (persisted, _) = parse_sysctl_files(&[SysctlFile { path: "/etc/sysctl.d/a.conf", bytes }]);
        let shown: Vec<_> = persisted.iter().map(|entry| (entry.key.as_str(), entry.line)).collect();
        assert_eq!(shown, vec![("net.core.wmem_max", 1), ("net.core.rmem_max", 2)]);
    }
}
