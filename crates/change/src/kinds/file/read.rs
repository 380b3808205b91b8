//! What is there now.

use std::io::Read;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::walk::{Place, find};
use super::{attributes, refused};
use crate::{ChangeError, Contents, FileState, State};

/// The most bytes a configuration file may have. Whoever names a larger one has named the wrong file.
const LIMIT_BYTES: u64 = 16 << 20;

/// How often a file is read that changes while it is read.
const ATTEMPTS: u32 = 3;

pub(super) fn read(path: &str) -> Result<State, ChangeError> {
    let attempted = format!("read {path}");
    let place = match find(&attempted, path)? {
        Ok(place) => place,
        Err(directory) => return Ok(State::AbsentBelow { directory }),
    };
    let status = match statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) => status,
        Err(Errno::NOENT) => return Ok(State::Absent),
        Err(errno) => return Err(refused(attempted, errno)),
    };
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => read_file(&attempted, &place),
        FileType::Symlink => read_link(&attempted, &place),
        _ => Err(not_a_file(&attempted)),
    }
}

fn not_a_file(attempted: &str) -> ChangeError {
    ChangeError::new(
        attempted,
        "it is neither a regular file nor a link (a directory, a device, a pipe or a socket)",
    )
}

fn read_link(attempted: &str, place: &Place) -> Result<State, ChangeError> {
    let to = readlinkat(&place.directory, &place.name, vec![]).map_err(|errno| refused(attempted, errno))?;
    let to = to.into_string().map_err(|_| ChangeError::new(attempted, "the link's target is not UTF-8"))?;
    Ok(State::Link { to })
}

fn read_file(attempted: &str, place: &Place) -> Result<State, ChangeError> {
    for _ in 0..ATTEMPTS {
        if let Some(file) = read_once(attempted, place)? {
            return Ok(State::File(file));
        }
    }
    Err(ChangeError::new(attempted, "it changes while it is read").help("wait until its writer is done"))
}

/// Reads the file, unless it changed meanwhile.
fn read_once(attempted: &str, place: &Place) -> Result<Option<FileState>, ChangeError> {
    let refused = |errno| refused(attempted, errno);
    // Another file may have come under the name since it was looked at: a pipe must not block, a terminal not become ours.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(&place.directory, &place.name, flags, Mode::empty()).map_err(refused)?;
    let before = fstat(&file).map_err(refused)?;
    if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
        return Err(not_a_file(attempted));
    }
    let attributes = attributes::read(&file).map_err(refused)?;
    let mut file = std::fs::File::from(file);
    let mut bytes = vec![];
    (&mut file)
        .take(LIMIT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| ChangeError::io(attempted, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LIMIT_BYTES) {
        return Err(ChangeError::new(attempted, "it has more than 16 MiB, which no configuration file has"));
    }
    let after = fstat(&file).map_err(refused)?;
    Ok((version(&before) == version(&after)).then(|| state(&after, bytes, attributes)))
}

/// What differs after every change of contents, owner, mode or attributes.
fn version(status: &Stat) -> impl PartialEq + use<> {
    (status.st_size, status.st_mtime, status.st_mtime_nsec, status.st_ctime, status.st_ctime_nsec)
}

#[allow(clippy::useless_conversion, reason = "st_nlink has 32 bits on some architectures")]
fn state(status: &Stat, bytes: Vec<u8>, attributes: attributes::Attributes) -> FileState {
    FileState {
        contents: Contents(bytes),
        uid: status.st_uid,
        gid: status.st_gid,
        mode: status.st_mode & 0o7777,
        modified: (status.st_mtime, u32::try_from(status.st_mtime_nsec).unwrap_or(0)),
        attributes,
        links: u64::from(status.st_nlink),
    }
}
