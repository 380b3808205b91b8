//! Constants of a PHP file.

use conf::PhpConstants;

use super::failed;
use crate::ChangeError;

pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    name: &str,
    value: Option<&str>,
) -> Result<Vec<u8>, ChangeError> {
    let mut document = PhpConstants::new(path, bytes);
    match value {
        Some(value) => document.set(name, value),
        None => document.remove(name),
    }
    .map_err(|error| failed(path, name, &error))?;
    Ok(document.into_bytes())
}
