//! Keywords of HAProxy.

use conf::HaproxyDocument;

use super::failed;
use crate::ChangeError;

pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    section: &str,
    keyword: &str,
    arguments: Option<&str>,
) -> Result<Vec<u8>, ChangeError> {
    let mut document = HaproxyDocument::new(path, bytes);
    match arguments {
        Some(arguments) => document.set(section, keyword, arguments),
        None => document.remove(section, keyword),
    }
    .map_err(|error| failed(path, keyword, &error))?;
    Ok(document.into_bytes())
}
