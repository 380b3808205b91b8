//! Folders that services write to, empty, where only one mount namespace sees it.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use rustix::mount::{MountFlags, mount};

use crate::faults::{Attempt, Result};

/// Folders that services write to, and the folders in them that packages bring along.
const OF_SERVICES: &[(&str, &[&str])] = &[
    ("/run", &["php", "lock", "mysqld"]),
    ("/var/log", &["nginx"]),
    ("/var/lib/nginx", &[]),
    ("/var/lib/php/sessions", &[]),
    ("/var/lib/mysql", &[]),
    ("/var/www", &[]),
    ("/srv", &[]),
];

/// Mounts an empty file system over a folder, where there is such a folder.
fn empty(folder: &str, within: &[&str]) -> Result<()> {
    if !Path::new(folder).is_dir() {
        return Ok(());
    }
    let place = CString::new(folder).attempt(|| format!("spell {folder}"))?;
    mount(c"empty", place.as_c_str(), c"tmpfs", MountFlags::empty(), Some(c"mode=0755"))
        .attempt(|| format!("mount over {folder}"))?;
    within.iter().try_for_each(|name| {
        let path = Path::new(folder).join(name);
        fs::create_dir(&path).attempt(|| format!("make {}", path.display()))
    })
}

/// Mounts an empty file system over each, in the mount namespace of this thread.
pub(crate) fn mount_all() -> Result<()> {
    OF_SERVICES.iter().try_for_each(|(folder, within)| empty(folder, within))
}
