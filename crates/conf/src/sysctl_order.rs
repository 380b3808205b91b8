//! Which file sets a kernel parameter, when several may.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sysctl_d::{SysctlDocument, SysctlEntry, SysctlEntryKind, UnreadLine};
use crate::sysctl_key::SysctlKey;

/// Where systemd-sysctl looks, the directory that masks the others first.
///
/// sysctl.d(5) of systemd 252 and sysctl(8) of procps 4, `--system`. `/lib/sysctl.d` is searched by builds for
/// a split `/usr`, Debian 12's among them; where `/lib` is a link to `/usr/lib`, the two hold the same files.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// One file as it was found: its path and, links followed, its bytes.
///
/// systemd-sysctl does not read `/etc/sysctl.conf` itself. Debian 12 has the link
/// `/etc/sysctl.d/99-sysctl.conf` to `../sysctl.conf`: hand it in under the path of the link, since the link's
/// name decides the order. A link to `/dev/null` masks a vendor's file: hand it in with no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SysctlFile<'a> {
    /// Absolute path, as found in its directory.
    pub path: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A statement that lost against another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: usize,
    /// The value it would have given; `None` for an exclusion.
    pub value: Option<Vec<u8>>,
    /// The key as normalised; a pattern when a glob lost against an explicit statement or a later glob.
    pub key: SysctlKey,
}

/// What the files say about one key, who says it, and whom that overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The key that was asked for, or the pattern itself for [`SysctlOrder::globs`].
    pub key: SysctlKey,
    /// The value; `None` when the key is excluded, so that no file sets it.
    pub value: Option<Vec<u8>>,
    /// Name of the file with the statement that counts.
    pub file: Arc<str>,
    /// Its line number, from 1.
    pub line: usize,
    /// Whether a failure to write it is ignored.
    pub ignore_errors: bool,
    /// Whether the value ends in something that looks like a comment, which the kernel is given too.
    pub trailing_comment_like: bool,
    /// The pattern that set it, when no statement names the key itself.
    pub by_glob: Option<SysctlKey>,
    /// The statements that lost, the strongest first.
    pub overridden: Vec<Overridden>,
}

impl Effective {
    /// Returns the value for showing; bytes that are not UTF-8 become U+FFFD.
    pub fn value_text(&self) -> Option<Cow<'_, str>> {
        self.value.as_deref().map(String::from_utf8_lossy)
    }

    fn as_overridden(&self) -> Overridden {
        Overridden {
            file: Arc::clone(&self.file),
            line: self.line,
            value: self.value.clone(),
            key: self.key.clone(),
        }
    }
}

/// Why a file has no part in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoredReason {
    /// A file of the same name in a directory of higher precedence replaces it as a whole.
    MaskedBy(Arc<str>),
    /// The name does not end in `.conf`, or begins with a dot.
    NotAConfigurationName,
    /// The file is in none of the directories that systemd-sysctl reads.
    ///
    /// `/etc/sysctl.conf` is such a file. `sysctl --system` of procps reads it, last of all; at boot it counts
    /// only through a link in `/etc/sysctl.d`.
    NotInADirectoryRead,
}

/// A file that has no part in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredFile {
    /// Path as handed in.
    pub file: Arc<str>,
    /// Why.
    pub reason: IgnoredReason,
}

/// What all files together make systemd-sysctl write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SysctlOrder {
    explicit: BTreeMap<SysctlKey, Effective>,
    globs: Vec<Effective>,
    files: Vec<Arc<str>>,
    ignored: Vec<IgnoredFile>,
    unread: Vec<UnreadLine>,
}

impl SysctlOrder {
    /// Returns what is said about each key that a statement names in full, exclusions included.
    pub fn explicit(&self) -> &BTreeMap<SysctlKey, Effective> {
        &self.explicit
    }

    /// Returns the patterns in the order they are applied: where two match a key, the later one counts.
    pub fn globs(&self) -> &[Effective] {
        &self.globs
    }

    /// Returns the files that are read, in the order they are read.
    pub fn files(&self) -> &[Arc<str>] {
        &self.files
    }

    /// Returns the files handed in that are not read.
    pub fn ignored(&self) -> &[IgnoredFile] {
        &self.ignored
    }

    /// Returns the lines of the files read that have no effect.
    pub fn unread(&self) -> &[UnreadLine] {
        &self.unread
    }

    /// Returns what the files say about one key, or `None` when they do not mention it.
    ///
    /// sysctl.d(5): an explicit statement about a key, exclusion or assignment, keeps every glob from it,
    /// wherever the glob stands. Among globs the last applied wins.
    pub fn effective(&self, key: &SysctlKey) -> Option<Effective> {
        let mut globs = self.globs.iter().rev().filter(|glob| glob.value.is_some() && glob.key.matches(key));
        let mut effective = match self.explicit.get(key) {
            Some(explicit) => explicit.clone(),
            None => {
                let glob = globs.next()?;
                Effective { key: key.clone(), by_glob: Some(glob.key.clone()), ..glob.clone() }
            }
        };
        for glob in globs {
            effective.overridden.push(glob.as_overridden());
            effective.overridden.extend(glob.overridden.iter().cloned());
        }
        Some(effective)
    }

    fn apply(&mut self, entry: &SysctlEntry) {
        if entry.key.is_glob() {
            let position = self.globs.iter().position(|glob| glob.key == entry.key);
            match position.map(|position| self.globs.remove(position)) {
                Some(previous) => {
                    let next = effective_after(entry, Some(&previous));
                    let kept = position.filter(|_| previous.value == next.value);
                    self.globs.insert(kept.unwrap_or(self.globs.len()), next);
                }
                None => self.globs.push(effective_after(entry, None)),
            }
        } else {
            let next = effective_after(entry, self.explicit.get(&entry.key));
            self.explicit.insert(entry.key.clone(), next);
        }
    }
}

/// Orders the files as systemd-sysctl does and applies their statements one after the other.
///
/// sysctl.d(5) of systemd 252, CONFIGURATION DIRECTORIES AND PRECEDENCE: the files of all directories are
/// sorted by base name; a file hides those of the same name in later directories; a later assignment to a key
/// wins over an earlier one. `parse_file` of src/sysctl/sysctl.c adds three details: an exclusion replaces
/// an assignment to the same key as any later statement does; a glob keeps its place when it is repeated with
/// the same value; and such a repetition ignores errors if either of the two does.
///
/// Not modelled: the credential `sysctl.extra`, which systemd applies after the files, and programs that write
/// parameters later, such as udev rules and network managers.
pub fn order_sysctls(files: &[SysctlFile<'_>]) -> SysctlOrder {
    let mut order = SysctlOrder::default();
    for file in files_in_order(files, &mut order.ignored) {
        let document = SysctlDocument::new(file.path, file.bytes);
        order.files.push(Arc::clone(document.document().file()));
        order.unread.extend_from_slice(document.unread());
        for entry in document.entries() {
            order.apply(entry);
        }
    }
    order
}

fn files_in_order<'a>(files: &[SysctlFile<'a>], ignored: &mut Vec<IgnoredFile>) -> Vec<SysctlFile<'a>> {
    let mut by_name: BTreeMap<&[u8], (usize, SysctlFile<'a>)> = BTreeMap::new();
    let mut ignore = |file: &SysctlFile<'_>, reason| {
        ignored.push(IgnoredFile { file: Arc::from(file.path), reason });
    };
    for file in files {
        let Some((precedence, name)) = place_of(file.path) else {
            ignore(file, IgnoredReason::NotInADirectoryRead);
            continue;
        };
        if name.starts_with('.') || !name.ends_with(".conf") {
            ignore(file, IgnoredReason::NotAConfigurationName);
            continue;
        }
        match by_name.get(name.as_bytes()).copied() {
            Some((held, holder)) if held <= precedence => {
                ignore(file, IgnoredReason::MaskedBy(Arc::from(holder.path)));
                continue;
            }
            Some((_, holder)) => ignore(&holder, IgnoredReason::MaskedBy(Arc::from(file.path))),
            None => {}
        }
        by_name.insert(name.as_bytes(), (precedence, *file));
    }
    by_name.into_values().map(|(_, file)| file).collect()
}

fn place_of(path: &str) -> Option<(usize, &str)> {
    let (directory, name) = path.rsplit_once('/')?;
    let precedence = DIRECTORIES.iter().position(|candidate| *candidate == directory)?;
    Some((precedence, name))
}

fn effective_after(entry: &SysctlEntry, previous: Option<&Effective>) -> Effective {
    let value = entry.is_assignment().then(|| entry.raw_value.clone());
    let repeats_ignoring = previous.is_some_and(|previous| previous.value == value && previous.ignore_errors);
    let overridden = previous
        .map(|previous| {
            std::iter::once(previous.as_overridden()).chain(previous.overridden.iter().cloned()).collect()
        })
        .unwrap_or_default();
    Effective {
        key: entry.key.clone(),
        value,
        file: Arc::clone(&entry.file),
        line: entry.line,
        ignore_errors: entry.kind == SysctlEntryKind::AssignIgnoringErrors || repeats_ignoring,
        trailing_comment_like: entry.trailing_comment_like,
        by_glob: None,
        overridden,
    }
}

#[cfg(test)]
#[path = "sysctl_order_tests.rs"]
mod tests;
