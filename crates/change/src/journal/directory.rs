//! The state directory: where it is, and whose.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::copies::make_directory;
use crate::ChangeError;

/// The state directory, made where it does not exist, as an absolute path without links: the dead man, who works
/// elsewhere, finds it by that.
///
/// # Errors
/// When it cannot be made, somebody else could write a journal into it that root then undoes, or its path is no text.
pub(super) fn made(directory: &Path) -> Result<PathBuf, ChangeError> {
    let attempted = || format!("use the state directory {}", directory.display());
    let failed = |error: std::io::Error| {
        ChangeError::io(attempted(), &error)
            .help("run it as root, with a state directory that can be written to")
    };
    let absolute = std::path::absolute(directory).map_err(failed)?;
    make_directory(&absolute)?;
    let directory = fs::canonicalize(&absolute).map_err(failed)?;
    if directory.to_str().is_none() {
        return Err(
            ChangeError::new(attempted(), "its path is not UTF-8").help("choose another: --state-dir")
        );
    }
    let status = fs::metadata(&directory).map_err(failed)?;
    let own = geteuid().as_raw();
    if ![0, own].contains(&status.uid()) || status.mode() & 0o022 != 0 {
        let why = format!(
            "others can write to it (owner {}, mode {:04o}), and with it decide what an undo writes",
            status.uid(),
            status.mode() & 0o7777
        );
        return Err(ChangeError::new(attempted(), why)
            .help("give it to root alone: chown root DIRECTORY; chmod 0700 DIRECTORY"));
    }
    for_owner_alone(&directory.join("journal.sqlite")).map_err(failed)?;
    Ok(directory)
}

/// The journal holds contents of files that may hold secrets. SQLite gives its other files the mode of this one.
fn for_owner_alone(journal: &Path) -> std::io::Result<()> {
    match fs::metadata(journal) {
        Ok(status) if status.mode() & 0o077 == 0 => Ok(()),
        Ok(_) => fs::set_permissions(journal, Permissions::from_mode(0o600)),
        Err(_) => {
            let new = fs::File::options().write(true).create(true).truncate(false).mode(0o600).open(journal);
            new.map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_state_directory_leads_to_one_path() {
        let place = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(place.path()).unwrap().join("real");
        fs::create_dir(&real).unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&real, place.path().join("link")).unwrap();
        assert_eq!(made(&place.path().join("link")).unwrap(), real);
        let mode = fs::metadata(real.join("journal.sqlite")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "in a directory that others may read");
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o777)).unwrap();
        let error = made(place.path()).unwrap_err();
        assert!(error.to_string().contains("others can write to it"), "{error}");
        fs::set_permissions(place.path(), Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(place.path(), Some(1), None).unwrap();
        assert!(made(place.path()).is_err());
    }
}
