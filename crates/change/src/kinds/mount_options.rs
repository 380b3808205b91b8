//! Mount options: which belong to a mount and which to its file system, and what undoes each.
//!
//! mount(8), mount_setattr(2), ext4(5), tmpfs(5).

use crate::ChangeError;

/// What a change does to the listed options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Set.
    Set,
    /// Taken out: what holds without it holds.
    Remove,
}

/// Flags of one mount: the word listed, its attribute for mount_setattr(2), and the word for its absence.
const FLAGS: [(&str, u64, &str); 6] = [
    ("ro", libc::MOUNT_ATTR_RDONLY, "rw"),
    ("nosuid", libc::MOUNT_ATTR_NOSUID, "suid"),
    ("nodev", libc::MOUNT_ATTR_NODEV, "dev"),
    ("noexec", libc::MOUNT_ATTR_NOEXEC, "exec"),
    ("nodiratime", libc::MOUNT_ATTR_NODIRATIME, "diratime"),
    ("nosymfollow", libc::MOUNT_ATTR_NOSYMFOLLOW, "symfollow"),
];
/// How access times are kept: one of three, the last of which is listed as no word at all.
const ACCESS_TIMES: [(&str, u64); 3] = [
    ("noatime", libc::MOUNT_ATTR_NOATIME),
    ("relatime", libc::MOUNT_ATTR_RELATIME),
    ("strictatime", libc::MOUNT_ATTR_STRICTATIME),
];
/// What the kernel does where nothing is said (mount(8)).
const ACCESS_TIMES_BY_DEFAULT: &str = "relatime";

/// The attributes of mount_setattr(2) that a list of options stands for.
pub(super) fn attributes(options: &str) -> u64 {
    let flags =
        FLAGS.iter().filter(|(word, ..)| lists(options, word)).fold(0, |all, (_, flag, _)| all | flag);
    let times = ACCESS_TIMES.iter().find(|(word, _)| *word == access_times(options));
    flags | times.map_or(0, |(_, attribute)| *attribute)
}

/// How a list of options says access times are kept, spelled out.
pub(super) fn access_times(options: &str) -> &'static str {
    ACCESS_TIMES.iter().find(|(word, _)| lists(options, word)).map_or("strictatime", |(word, _)| word)
}

/// The listed options of a mount with one set or removed; `None` if it is none of a mount's own.
pub(super) fn of_mount(options: &str, name: &str, how: Of) -> Option<String> {
    let opposite = |(word, _, absent): &(&'static str, u64, &'static str)| (*word, *absent);
    if let Some((word, _)) = FLAGS.iter().map(opposite).find(|(word, _)| *word == name) {
        return Some(with_flag(options, word, how == Of::Set));
    }
    if let Some((word, _)) = FLAGS.iter().map(opposite).find(|(_, absent)| *absent == name) {
        return Some(with_flag(options, word, how == Of::Remove && name == "rw"));
    }
    let times = match (name, how) {
        ("atime", _) => ACCESS_TIMES_BY_DEFAULT,
        (_, Of::Set) => ACCESS_TIMES.iter().find(|(word, _)| *word == name)?.0,
        (_, Of::Remove) => {
            ACCESS_TIMES.iter().find(|(word, _)| *word == name)?;
            // Only what holds now can be taken out.
            if access_times(options) == name { ACCESS_TIMES_BY_DEFAULT } else { access_times(options) }
        }
    };
    let others = options.split(',').filter(|word| ACCESS_TIMES.iter().all(|(time, _)| time != word));
    Some(others.chain(Some(times).filter(|times| *times != "strictatime")).collect::<Vec<_>>().join(","))
}

fn with_flag(options: &str, word: &str, on: bool) -> String {
    let mut words: Vec<_> =
        options.split(',').filter(|listed| *listed != word && !listed.is_empty()).collect();
    if word == "ro" {
        words.retain(|listed| *listed != "rw");
        words.insert(0, if on { "ro" } else { "rw" });
    } else if on {
        words.push(word);
    }
    words.join(",")
}

fn lists(options: &str, word: &str) -> bool {
    options.split(',').any(|listed| listed == word)
}

/// An option of a file system that can be changed while it is mounted, and whose absence can be put back.
#[derive(Debug, Clone, Copy)]
pub(super) struct SuperOption {
    name: &'static str,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// On or off; listed as `word` or `opposite` where it is not as by default.
    Switch { opposite: &'static str, on_by_default: bool },
    /// A number, listed unless it is this.
    Number { by_default: u64 },
    /// Bytes; by default half of memory.
    Size,
    /// A count; by default one for two pages of memory.
    Inodes,
}

const EXT4: [SuperOption; 4] = [
    // JBD2_DEFAULT_MAX_COMMIT_AGE, seconds.
    SuperOption { name: "commit", form: Form::Number { by_default: 5 } },
    SuperOption { name: "barrier", form: Form::Switch { opposite: "nobarrier", on_by_default: true } },
    SuperOption { name: "discard", form: Form::Switch { opposite: "nodiscard", on_by_default: false } },
    SuperOption { name: "lazytime", form: Form::Switch { opposite: "nolazytime", on_by_default: false } },
];
const TMPFS: [SuperOption; 2] =
    [SuperOption { name: "size", form: Form::Size }, SuperOption { name: "nr_inodes", form: Form::Inodes }];

/// The options of a type of file system that narrows changes.
pub(super) fn of_filesystem(filesystem: &str) -> &'static [SuperOption] {
    match filesystem {
        "ext4" => &EXT4,
        "tmpfs" => &TMPFS,
        _ => &[],
    }
}

/// The largest page that any architecture has; a tmpfs is sized in pages.
const LARGEST_PAGE_BYTES: u64 = 64 << 10;

impl SuperOption {
    /// The option of that name, which a switch has two of.
    pub(super) fn find(filesystem: &str, name: &str) -> Option<&'static Self> {
        of_filesystem(filesystem).iter().find(|option| option.name == name || option.opposite() == Some(name))
    }

    fn opposite(&self) -> Option<&'static str> {
        match self.form {
            Form::Switch { opposite, .. } => Some(opposite),
            _ => None,
        }
    }

    /// Whether a listed word is this option.
    pub(super) fn is(&self, listed: &str) -> bool {
        let name = listed.split_once('=').map_or(listed, |(name, _)| name);
        name == self.name || Some(name) == self.opposite()
    }

    /// How the kernel will list `name=value` or a switch; `None` where it lists nothing, because that is its default.
    pub(super) fn listed(&self, attempted: &str, option: &str) -> Result<Option<String>, ChangeError> {
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let wrong = |why: &str| ChangeError::new(attempted, format!("`{option}`: {why}"));
        match (self.form, value) {
            (Form::Switch { on_by_default, .. }, None) => {
                let on = name == self.name;
                Ok((on != on_by_default).then(|| name.to_owned()))
            }
            (Form::Switch { .. }, Some(_)) => Err(wrong("it takes no value")),
            (_, None) => Err(wrong("it needs a value")),
            (Form::Number { by_default }, Some(value)) => {
                let number: u64 = value.parse().map_err(|_| wrong("it is no number"))?;
                Ok((number != 0 && number != by_default).then(|| format!("{name}={number}")))
            }
            (Form::Size, Some(value)) => {
                let bytes = suffixed(value).filter(|bytes| *bytes != 0);
                let bytes = bytes.ok_or_else(|| wrong("it is no number of bytes; say it as size=512m"))?;
                if bytes % LARGEST_PAGE_BYTES != 0 {
                    return Err(wrong("it is no multiple of 64k"));
                }
                Ok(Some(format!("{name}={}k", bytes >> 10)))
            }
            (Form::Inodes, Some(value)) => {
                let count = suffixed(value).filter(|count| *count != 0);
                let count = count.ok_or_else(|| wrong("it is no number"))?;
                Ok(Some(format!("{name}={count}")))
            }
        }
    }

    /// What to tell the kernel so that it lists `to`, while it lists `now`. `None` if no number says
    /// it.
    pub(super) fn told(&self, now: Option<&str>, to: Option<&str>, memory: Memory) -> Option<String> {
        if let Some(to) = to {
            return Some(to.to_owned());
        }
        let name = self.name;
        let half = memory.pages / 2;
        match self.form {
            Form::Switch { opposite, .. } => Some(if now == Some(name) { opposite } else { name }.to_owned()),
            Form::Number { by_default } => Some(format!("{name}={by_default}")),
            Form::Size => Some(format!("{name}={}", half.checked_mul(memory.page_bytes)?)),
            Form::Inodes => Some(format!("{name}={half}")),
        }
    }
}

/// All memory that the kernel manages, which a tmpfs takes half of by default.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) pages: u64,
    pub(super) page_bytes: u64,
}

/// `512m` as a number (`memparse` of the kernel, without hexadecimal).
fn suffixed(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_to_keep_access_times_exclude_each_other() {
        let set = |options, name| of_mount(options, name, Of::Set).unwrap();
        assert_eq!(set("rw,nosuid,relatime", "noatime"), "rw,nosuid,noatime");
        assert_eq!(set("rw,noatime", "strictatime"), "rw");
        assert_eq!(set("rw", "relatime"), "rw,relatime");
        assert_eq!(set("rw,noatime", "atime"), "rw,relatime");
        let remove = |options, name| of_mount(options, name, Of::Remove).unwrap();
        assert_eq!(remove("rw,noatime", "noatime"), "rw,relatime");
        assert_eq!(remove("rw,relatime", "noatime"), "rw,relatime");
        assert_eq!((access_times("rw"), access_times("rw,relatime")), ("strictatime", "relatime"));
    }

    #[test]
    fn flags_are_set_taken_out_and_spelled_by_their_opposite() {
        let set = |options, name| of_mount(options, name, Of::Set).unwrap();
        assert_eq!(set("rw,relatime", "nodev"), "rw,relatime,nodev");
        assert_eq!(set("rw,nodev,relatime", "dev"), "rw,relatime");
        assert_eq!(set("rw,relatime", "ro"), "ro,relatime");
        assert_eq!(set("ro,relatime", "rw"), "rw,relatime");
        assert_eq!(of_mount("ro,noexec", "ro", Of::Remove).unwrap(), "rw,noexec");
        assert_eq!(of_mount("rw,noexec", "noexec", Of::Remove).unwrap(), "rw");
        assert_eq!(of_mount("rw", "commit", Of::Set), None);
        assert_eq!(
            attributes("ro,nosuid,noatime,nodiratime"),
            libc::MOUNT_ATTR_RDONLY
                | libc::MOUNT_ATTR_NOSUID
                | libc::MOUNT_ATTR_NOATIME
                | libc::MOUNT_ATTR_NODIRATIME
        );
        assert_eq!((attributes("rw"), attributes("rw,relatime")), (libc::MOUNT_ATTR_STRICTATIME, 0));
    }

    #[test]
    fn options_are_listed_as_the_kernel_lists_them() {
        let listed = |filesystem, option: &str| {
            let name = option.split('=').next().unwrap();
            SuperOption::find(filesystem, name).unwrap().listed("", option)
        };
        assert_eq!(listed("ext4", "commit=30").unwrap().as_deref(), Some("commit=30"));
        assert_eq!(listed("ext4", "commit=5").unwrap(), None);
        assert_eq!(listed("ext4", "nobarrier").unwrap().as_deref(), Some("nobarrier"));
        assert_eq!((listed("ext4", "barrier").unwrap(), listed("ext4", "nodiscard").unwrap()), (None, None));
        assert_eq!(listed("tmpfs", "size=1g").unwrap().as_deref(), Some("size=1048576k"));
        assert_eq!(listed("tmpfs", "nr_inodes=1k").unwrap().as_deref(), Some("nr_inodes=1024"));
        for wrong in ["size=50%", "size=0", "size=1000", "size", "nr_inodes=x"] {
            assert!(listed("tmpfs", wrong).is_err(), "{wrong}");
        }
        assert!(listed("ext4", "commit=often").is_err() && listed("ext4", "discard=1").is_err());
        assert!(SuperOption::find("ext4", "size").is_none() && SuperOption::find("xfs", "discard").is_none());
    }
}
