//! Removes a file, and the directories that were made for it.

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use super::refused;
use super::walk::{Place, find};
use super::write::{remove_stray, sweep_stray, sync};
use crate::ChangeError;

/// Removes the file, and its directories up to and with `outermost`, as far as they are empty then.
pub(super) fn remove(path: &str, outermost: Option<&str>) -> Result<(), ChangeError> {
    let attempted = format!("remove {path}");
    if let Ok(place) = find(&attempted, path)? {
        unlink(&attempted, &place)?;
    }
    let Some(outermost) = outermost else { return Ok(()) };
    remove_directories(&directories(path, outermost))
}

/// Takes away what a write that was cut short left: the new file beside the one there, and directories made for it.
pub(super) fn sweep(path: &str, outermost: Option<&str>) -> Result<(), ChangeError> {
    let attempted = format!("clear up beside {path}");
    if let Ok(place) = find(&attempted, path)? {
        sweep_stray(&attempted, &place)?;
    }
    let Some(outermost) = outermost else { return Ok(()) };
    remove_directories(&directories(path, outermost))
}

fn unlink(attempted: &str, place: &Place) -> Result<(), ChangeError> {
    remove_stray(attempted, place)?;
    match unlinkat(&place.directory, &place.name, AtFlags::empty()) {
        Ok(()) => sync(attempted, place),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(refused(attempted, errno)),
    }
}

/// The directories of a path from `outermost` inwards; none when it does not lie below that.
fn directories(path: &str, outermost: &str) -> Vec<String> {
    let Some(rest) = path.strip_prefix(outermost).and_then(|rest| rest.strip_prefix('/')) else {
        return vec![];
    };
    let ends = rest.match_indices('/').map(|(at, _)| outermost.len() + 1 + at);
    std::iter::once(outermost.len())
        .chain(ends)
        .filter_map(|end| path.get(..end))
        .map(str::to_owned)
        .collect()
}

/// Removes directories, given from the outermost inwards, and stops at the first that is not empty.
pub(super) fn remove_directories(directories: &[String]) -> Result<(), ChangeError> {
    for directory in directories.iter().rev() {
        let attempted = format!("remove the directory {directory}");
        let Ok(place) = find(&attempted, directory)? else { continue };
        match unlinkat(&place.directory, &place.name, AtFlags::REMOVEDIR) {
            Ok(()) => sync(&attempted, &place)?,
            Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Ok(()),
            Err(errno) => return Err(refused(attempted, errno)),
        }
    }
    Ok(())
}
