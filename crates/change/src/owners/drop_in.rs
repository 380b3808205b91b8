//! Drop-ins of a systemd unit that are read after ours (systemd.unit(5)).

use host::Host;

use super::{Claim, file_text};

/// The name of our drop-ins.
const OURS: &str = "90-narrows.conf";
/// Where drop-ins lie; those of `systemctl set-property` are in `system.control`.
const DIRECTORIES: [&str; 7] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The claim of a drop-in that is read after ours and sets the same key.
pub(crate) fn set_later(host: &dyn Host, unit: &str, key: &str) -> Option<Claim> {
    let folders = DIRECTORIES.map(|directory| format!("{directory}/{unit}.d"));
    folders.iter().find_map(|folder| {
        let names = host.list(folder).unwrap_or_default();
        let later = names.iter().filter(|name| name.ends_with(".conf") && name.as_str() > OURS);
        later.into_iter().find_map(|name| {
            let path = format!("{folder}/{name}");
            let text = file_text(host, &path)?;
            let sets = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
            let line = text.lines().position(sets)? + 1;
            Some(Claim::new(
                format!("{path}:{line} sets {key}, and is read after {OURS}"),
                format!("{path}:{line}"),
                format!("set {key} there, then `systemctl daemon-reload`"),
            ))
        })
    })
}
