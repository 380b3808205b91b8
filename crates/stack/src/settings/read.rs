//! Reads kernel parameters, and the files of sysctl.d(5) and fstab(5).

use std::collections::BTreeMap;

use conf::SysctlFile;
use host::{Host, HostError, linked_path};
use model::Unread;

use super::keys::KEYS;
use super::parse::{parse_fstab, parse_sysctl_files};
use super::secrets::without_secret;
use super::{Facts, FstabMount, Persisted};

/// The directories of sysctl.d(5), the one that masks the others first.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];
/// The file of sysctl(8). systemd-sysctl reads it only through a link in one of its directories.
const CONF: &str = "/etc/sysctl.conf";
/// More links than this in a row are a circle (the kernel follows 40).
const LINKS_FOLLOWED: usize = 8;

/// Reads kernel parameters and the files that set them; each part may fail on its own.
pub fn read(host: &dyn Host) -> Facts {
    let mut unread = Vec::new();
    let persisted = read_persisted(host, &mut unread);
    let fstab = read_fstab(host, &mut unread);
    let values = read_values(host, &mut unread);
    Facts { values, persisted: persisted.into(), fstab: fstab.into(), unread }
}

/// Reads the current values of every kernel parameter that a cause looks at; those the kernel lacks are left out.
/// Those that the caller's rights do not reach are added to `unread`.
pub fn read_values(host: &dyn Host, unread: &mut Vec<Unread>) -> BTreeMap<String, String> {
    let value = |key: &&str| {
        let text = match host.value(&format!("/proc/sys/{}", key.replace('.', "/"))) {
            Ok(text) => text,
            Err(error) => {
                unread.extend(matches!(error, HostError::Permission { .. }).then(|| error.unread()));
                return None;
            }
        };
        let text: Vec<&str> = text.split_whitespace().collect();
        Some(((*key).to_owned(), without_secret(key, text.join(" "))))
    };
    KEYS.iter().filter_map(value).collect()
}

/// Reads what the files of sysctl.d(5) set. What could not be read of them is added to `unread`; the rest is kept.
///
/// # Errors
/// When none of the directories could be listed, though one exists or `/etc` itself is missing. A host without any of
/// them sets nothing by files.
fn read_persisted(host: &dyn Host, unread: &mut Vec<Unread>) -> Result<Vec<Persisted>, Unread> {
    let mut files = Vec::new();
    let (mut listed, mut failure) = (false, None);
    for directory in DIRECTORIES {
        match host.list(directory) {
            Ok(names) => {
                listed = true;
                files.extend(names.iter().filter_map(|name| read_file(host, directory, name, unread)));
            }
            Err(HostError::NotFound { .. }) => {}
            Err(error) => {
                unread.push(error.unread());
                failure.get_or_insert(error.unread());
            }
        }
    }
    if let Some(unread) = failure.filter(|_| !listed) {
        return Err(unread);
    }
    if !listed && host.list("/etc").is_err() {
        return Err(Unread::new(
            "/etc was not read",
            "record a tree that holds /etc/sysctl.d, or read the host itself",
        ));
    }
    match read_through_links(host, CONF) {
        Ok(bytes) => files.push((CONF.to_owned(), bytes)),
        Err(HostError::NotFound { .. }) => {}
        Err(error) => unread.push(error.unread()),
    }
    let files: Vec<SysctlFile> = files.iter().map(|(path, bytes)| SysctlFile { path, bytes }).collect();
    let (persisted, not_understood) = parse_sysctl_files(&files);
    unread.extend(not_understood);
    Ok(persisted)
}

fn read_file(
    host: &dyn Host,
    directory: &str,
    name: &str,
    unread: &mut Vec<Unread>,
) -> Option<(String, Vec<u8>)> {
    if name.starts_with('.') || !name.ends_with(".conf") {
        return None;
    }
    let path = format!("{directory}/{name}");
    match read_through_links(host, &path) {
        Ok(bytes) => return Some((path, bytes)),
        Err(HostError::NotFound { .. }) => {}
        Err(error) => unread.push(error.unread()),
    }
    None
}

/// The bytes of a file, following links that a tree only names. A link to `/dev/null` has none: it masks a file.
fn read_through_links(host: &dyn Host, path: &str) -> Result<Vec<u8>, HostError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_FOLLOWED {
        match host.read(&path) {
            Err(error @ HostError::Unsupported { .. }) => {
                let Ok(target) = host.link(&path) else { return Err(error) };
                path = linked_path(&path, &target);
                if path == "/dev/null" {
                    return Ok(vec![]);
                }
            }
            answer => return answer,
        }
    }
    Err(HostError::Unsupported { path, reason: "too many links in a row".to_owned() })
}

fn read_fstab(host: &dyn Host, unread: &mut Vec<Unread>) -> Result<Vec<FstabMount>, Unread> {
    let bytes = read_through_links(host, "/etc/fstab").map_err(|error| error.unread())?;
    let (mounts, not_understood) = parse_fstab(&bytes);
    unread.extend(not_understood);
    Ok(mounts)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
