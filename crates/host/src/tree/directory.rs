//! Trees on disk. Paths are resolved inside the tree's root whatever its links say, and only regular files are read,
//! so that neither a hostile tree nor a device node in it can reach outside or hang the reader.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Entry;
use crate::{FILE_LIMIT_BYTES, HostError};

/// How often a path is resolved again that a rename elsewhere got in the way of.
const MOST_ATTEMPTS: u32 = 10_000;

/// The roots of the instants below a directory, in order: its folders `0`, `1` …, or itself.
pub(super) fn instants(directory: &Path) -> Result<Vec<PathBuf>, HostError> {
    let shown = directory.display().to_string();
    let entries = std::fs::read_dir(directory).map_err(|error| HostError::from_io(&shown, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<u32> = names.filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    if !numbers.is_empty() {
        return Ok(numbers.into_iter().map(|number| directory.join(number.to_string())).collect());
    }
    if directory.join("proc").is_dir() {
        return Ok(vec![directory.to_owned()]);
    }
    Err(HostError::Unsupported {
        path: shown,
        reason: "a tree holds /proc, or folders 0, 1, … that do; `narrows record --tree` writes one"
            .to_owned(),
    })
}

fn failed(path: &str, errno: Errno) -> HostError {
    HostError::from_errno(path, errno.raw_os_error())
}

fn open(root: &Path, path: &str, flags: OFlags) -> Result<OwnedFd, HostError> {
    let base = fs::open(root, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| failed(&root.display().to_string(), errno))?;
    let inside = path.trim_start_matches('/');
    let inside = if inside.is_empty() { "." } else { inside };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN says that something was renamed or mounted anywhere on the machine while `..` was resolved (openat2(2)).
    let mut opened = Err(Errno::AGAIN);
    for _ in 0..MOST_ATTEMPTS {
        opened = fs::openat2(&base, inside, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        if !matches!(opened, Err(Errno::AGAIN)) {
            break;
        }
    }
    opened.map_err(|errno| failed(path, errno))
}

/// The file or dangling link at a path.
pub(super) fn entry(root: &Path, path: &str) -> Result<Entry, HostError> {
    match open(root, path, OFlags::RDONLY | OFlags::NONBLOCK) {
        Ok(file) => regular(path, &file).map(Entry::File),
        Err(HostError::NotFound { path }) => dangling(root, &path).ok_or(HostError::NotFound { path }),
        Err(error) => dangling(root, path).ok_or(error),
    }
}

fn regular(path: &str, file: &OwnedFd) -> Result<Vec<u8>, HostError> {
    let status = fs::fstat(file).map_err(|errno| failed(path, errno))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        let reason = "it is no regular file".to_owned();
        return Err(HostError::Unsupported { path: path.to_owned(), reason });
    }
    let mut bytes = Vec::new();
    crate::read_all(path, file, FILE_LIMIT_BYTES, &mut bytes)?;
    Ok(bytes)
}

fn dangling(root: &Path, path: &str) -> Option<Entry> {
    let (folder, name) = path.trim_end_matches('/').rsplit_once('/')?;
    let folder = open(root, folder, OFlags::PATH | OFlags::DIRECTORY).ok()?;
    let status = fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(status.st_mode) != FileType::Symlink {
        return None;
    }
    let target = fs::readlinkat(&folder, name, Vec::new()).ok()?;
    Some(Entry::Link(target.to_string_lossy().into_owned()))
}

/// The names in a directory of the tree; `None` when there is none.
pub(super) fn names(root: &Path, path: &str) -> Option<Vec<String>> {
    let folder = open(root, path, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
    let entries = fs::Dir::read_from(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str().ok().map(str::to_owned));
    Some(names.filter(|name| name != "." && name != "..").collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn renames_elsewhere_do_not_hide_what_a_link_leads_to() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("etc")).unwrap();
        std::fs::write(tree.path().join("target"), "found").unwrap();
        std::os::unix::fs::symlink("../target", tree.path().join("etc/link")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| elsewhere.path().join(name));
        std::fs::create_dir(&a).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::fs::rename(&a, &b).and_then(|()| std::fs::rename(&b, &a)).unwrap();
                }
            });
            let found = || matches!(entry(tree.path(), "/etc/link"), Ok(Entry::File(_)));
            let missed = (0..20_000).filter(|_| !found()).count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(missed, 0);
        });
    }
}
