//! Settings by section and key: ini files, option files of databases, unit files of systemd.

use conf::{SettingsDialect, SettingsDocument};

use super::failed;
use crate::ChangeError;

/// Where a setting stands.
pub(super) struct Place<'a> {
    pub(super) dialect: SettingsDialect,
    pub(super) section: Option<&'a str>,
    pub(super) key: &'a str,
}

pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    place: &Place<'_>,
    value: Option<&str>,
) -> Result<Vec<u8>, ChangeError> {
    let Place { dialect, section, key } = place;
    let mut document = SettingsDocument::new(path, bytes, *dialect);
    match value {
        Some(value) => document.set(*section, key, value),
        None => document.remove(*section, key),
    }
    .map_err(|error| failed(path, key, &error))?;
    Ok(document.into_bytes())
}
