//! Exchanges a file by another that is complete and on the disk before it takes the name.

use std::io::Write;

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT, Uid, fchmod, fchown, fsync, futimens,
    openat, renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::remove::remove_directories;
use super::walk::{Place, make};
use super::{attributes, refused};
use crate::{ChangeError, FileState};

pub(super) fn write_file(path: &str, file: &FileState) -> Result<(), ChangeError> {
    exchange(path, |attempted, place, temporary| fill(attempted, place, temporary, file))
}

pub(super) fn write_link(path: &str, to: &str) -> Result<(), ChangeError> {
    exchange(path, |attempted, place, temporary| {
        symlinkat(to, &place.directory, temporary)
            .map_err(|errno| refused(format!("{attempted}: make a link to {to}"), errno))
    })
}

type Make<'a> = &'a dyn Fn(&str, &Place, &str) -> Result<(), ChangeError>;

fn exchange(
    path: &str,
    new: impl Fn(&str, &Place, &str) -> Result<(), ChangeError>,
) -> Result<(), ChangeError> {
    let attempted = format!("write {path}");
    let mut made = vec![];
    let done = make(&attempted, path, &mut made).and_then(|place| exchange_at(&attempted, &place, &new));
    if done.is_err() {
        // The error that is returned is the one that counts; a directory that cannot go is empty and does no harm.
        let _ = remove_directories(&made);
    }
    done
}

fn exchange_at(attempted: &str, place: &Place, new: Make<'_>) -> Result<(), ChangeError> {
    let temporary = temporary(&place.name);
    remove_stray(attempted, place)?;
    let done = new(attempted, place, &temporary).and_then(|()| {
        renameat(&place.directory, &temporary, &place.directory, &place.name)
            .map_err(|errno| refused(format!("{attempted}: give the new file its name"), errno))
    });
    if done.is_err() {
        let _ = unlinkat(&place.directory, &temporary, AtFlags::empty());
    }
    done?;
    sync(attempted, place)
}

/// The name under which a file is written before it takes its own. It begins with a dot and has an ending of its own,
/// so that neither `*` nor `*.conf` of a service that starts meanwhile takes it (glob(7)).
fn temporary(name: &str) -> String {
    format!(".{name}.narrows-new")
}

fn may_be_ours(status: &Stat) -> bool {
    matches!(status.st_mode & libc::S_IFMT, libc::S_IFREG | libc::S_IFLNK)
}

/// As [`remove_stray`], where what is not ours is in nobody's way.
pub(super) fn sweep_stray(attempted: &str, place: &Place) -> Result<(), ChangeError> {
    match statat(&place.directory, temporary(&place.name), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) if !may_be_ours(&status) => Ok(()),
        _ => remove_stray(attempted, place),
    }
}

/// Removes what a crash between making and renaming left.
pub(super) fn remove_stray(attempted: &str, place: &Place) -> Result<(), ChangeError> {
    let temporary = temporary(&place.name);
    let attempted = format!("{attempted}: remove {temporary} beside it");
    let status = match statat(&place.directory, &temporary, AtFlags::SYMLINK_NOFOLLOW) {
        // No file with a longer name was ever written beside one with this name.
        Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(()),
        Err(errno) => return Err(refused(attempted, errno)),
        Ok(status) => status,
    };
    // Its owner does not tell: a file of ours already has the one that the finished file shall have.
    if !may_be_ours(&status) {
        return Err(ChangeError::new(
            attempted,
            "it is neither a file nor a link, so narrows did not make it",
        )
        .help("move it away"));
    }
    unlinkat(&place.directory, &temporary, AtFlags::empty()).map_err(|errno| refused(attempted, errno))
}

/// Makes the temporary file, complete with owner, mode, attributes and time, and has it on the disk.
fn fill(attempted: &str, place: &Place, temporary: &str, state: &FileState) -> Result<(), ChangeError> {
    let refused = |what: &str, errno| refused(format!("{attempted}: {what}"), errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let owner_only = Mode::RUSR | Mode::WUSR;
    let file = openat(&place.directory, temporary, flags, owner_only)
        .map_err(|errno| refused("make a new file beside it", errno))?;
    let mut file = std::fs::File::from(file);
    file.write_all(&state.contents.0)
        .map_err(|error| refused("write the new file", Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    // In this order: a change of owner clears set-user-ID bits and capabilities, an access control list sets mode bits.
    fchown(&file, Some(Uid::from_raw(state.uid)), Some(Gid::from_raw(state.gid)))
        .map_err(|errno| refused("give the new file its owner", errno))?;
    fchmod(&file, Mode::from_raw_mode(state.mode))
        .map_err(|errno| refused("give the new file its mode", errno))?;
    attributes::write(&file, &state.attributes)
        .map_err(|(name, errno)| refused(&format!("give the new file its {name}"), errno))?;
    if state.modified != FileState::MODIFIED_BY_WRITING {
        futimens(&file, &times(state.modified))
            .map_err(|errno| refused("give the new file its time of modification", errno))?;
    }
    fsync(&file).map_err(|errno| refused("write the new file to the disk", errno))
}

fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
    }
}

/// Has the directory on the disk; a file system that cannot be asked to (EINVAL, fsync(2)) does so by itself.
pub(super) fn sync(attempted: &str, place: &Place) -> Result<(), ChangeError> {
    match fsync(&place.directory) {
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(errno) => Err(refused(format!("{attempted}: write its directory to the disk"), errno)),
    }
}
