//! The way to a file, directory by directory, so that no link on it is followed.

use std::os::fd::OwnedFd;

use rustix::fs::{Gid, Mode, OFlags, Uid, fchmod, fchown, fsync, mkdirat, open, openat};
use rustix::io::Errno;

use super::refused;
use crate::ChangeError;

/// Where a file lies: its directory, open, and its name in it.
pub(super) struct Place {
    pub(super) directory: OwnedFd,
    pub(super) name: String,
}

/// Finds the place of a file, or the outermost directory on the way to it that does not exist.
pub(super) fn find(attempted: &str, path: &str) -> Result<Result<Place, String>, ChangeError> {
    walk(attempted, path, |_, _, reached| Ok(Err(reached.to_owned())))
}

/// Finds the place of a file and makes the directories that are missing on the way, root's and with mode 0755.
/// The path of each goes into `made`, also when a later one fails.
pub(super) fn make(attempted: &str, path: &str, made: &mut Vec<String>) -> Result<Place, ChangeError> {
    let place = walk(attempted, path, |parent, name, reached| {
        let refused = |errno| refused(format!("{attempted}: make the directory {reached}"), errno);
        mkdirat(parent, name, Mode::RWXU).map_err(refused)?;
        made.push(reached.to_owned());
        let directory = enter(parent, name).map_err(refused)?;
        // A set-group-ID parent and the umask have a say in mkdir(2).
        fchown(&directory, Some(Uid::ROOT), Some(Gid::ROOT)).map_err(refused)?;
        fchmod(&directory, Mode::from_raw_mode(0o755)).map_err(refused)?;
        fsync(parent).map_err(refused)?;
        Ok(Ok(directory))
    })?;
    place.map_err(|missing| ChangeError::new(attempted, format!("{missing} does not exist")))
}

type Step<T> = Result<Result<T, String>, ChangeError>;

fn walk(
    attempted: &str,
    path: &str,
    mut absent: impl FnMut(&OwnedFd, &str, &str) -> Step<OwnedFd>,
) -> Step<Place> {
    let (parents, name) = split(attempted, path)?;
    let mut directory = open("/", DIRECTORY, Mode::empty()).map_err(|errno| refused(attempted, errno))?;
    let mut reached = String::new();
    for parent in parents {
        reached = format!("{reached}/{parent}");
        directory = match enter(&directory, parent) {
            Ok(next) => next,
            Err(Errno::NOENT) => match absent(&directory, parent, &reached)? {
                Ok(next) => next,
                Err(missing) => return Ok(Err(missing)),
            },
            Err(errno) => return Err(refused(format!("{attempted}: open the directory {reached}"), errno)),
        };
    }
    Ok(Ok(Place { directory, name: name.to_owned() }))
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn enter(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    openat(parent, name, DIRECTORY, Mode::empty())
}

/// Splits an absolute path into the names of its directories and its own.
fn split<'a>(attempted: &str, path: &'a str) -> Result<(Vec<&'a str>, &'a str), ChangeError> {
    let parts: Option<Vec<_>> = path.strip_prefix('/').map(|path| path.split('/').collect());
    let usable = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('\0');
    match parts.as_deref() {
        Some([parents @ .., name]) if parents.iter().chain([name]).all(usable) => {
            Ok((parents.to_vec(), name))
        }
        _ => Err(ChangeError::new(attempted, "the path is not absolute, or holds empty parts, `.` or `..`")
            .help("give the path that realpath prints")),
    }
}
