//! Options of mounts in fstab(5).

use conf::{MountTable, MountTableDialect};
use model::Presence;

use super::attempted;
use crate::ChangeError;

pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    mount_point: &str,
    option: &str,
    to: &Presence,
) -> Result<Vec<u8>, ChangeError> {
    let attempted = attempted(path, &format!("the options of {mount_point}"));
    let mut table = MountTable::new(path, bytes, MountTableDialect::Fstab);
    let plain =
        |path: &[u8]| path.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(path).to_vec();
    let meant = plain(mount_point.as_bytes());
    let lines: Vec<_> = table
        .entries()
        .iter()
        .filter(|entry| plain(&entry.mount_point) == meant)
        .map(|entry| entry.line)
        .collect();
    let [line] = lines.as_slice() else {
        return Err(match lines.as_slice() {
            [] => ChangeError::new(attempted, "no line of the file mounts there"),
            _ => ChangeError::new(attempted, format!("the lines {lines:?} all mount there"))
                .help("keep one of them"),
        });
    };
    let edited = match to {
        Presence::Set { value } => table.set_option(*line, option, value.as_ref().map(String::as_bytes)),
        Presence::Removed => table.remove_option(*line, option).map(|_| ()),
    };
    edited.map_err(|error| ChangeError::new(attempted, error.to_string()))?;
    Ok(table.as_bytes().to_vec())
}
