//! The .link files of udev, which size rings and queues when an interface appears (systemd.link(5)).

use host::Host;
use model::Edit;

use super::{Claim, Place, claim_of_managed_file, file_text, glob, resolve};

/// The directories of systemd.link(5), the one that masks the others first.
const DIRECTORIES: [&str; 5] = [
    "/etc/systemd/network",
    "/run/systemd/network",
    "/usr/local/lib/systemd/network",
    "/usr/lib/systemd/network",
    "/lib/systemd/network",
];

/// One key of a file, with its section and line.
struct Entry {
    section: String,
    key: String,
    value: String,
    line: usize,
}

enum Matches {
    Yes,
    No,
    /// It has conditions on things that are not looked at.
    CannotTell,
}

/// The edit of the .link file that already sets one of `keys` for an interface; `None` where none does.
///
/// Only the first file that matches an interface counts, in the order of names over all directories.
///
/// # Errors
/// The claim of a file that is not an administrator's, or of which it cannot be told whether it counts.
pub(super) fn place(
    host: &dyn Host,
    interface: &str,
    keys: &[&str],
    value: &str,
) -> Result<Option<Place>, Claim> {
    for (name, directory) in names(host) {
        let path = format!("{directory}/{name}");
        let Some(text) = file_text(host, &path) else { continue };
        let entries = parse(&text);
        let set = entries.iter().find(|entry| entry.section == "Link" && keys.contains(&entry.key.as_str()));
        match (matches(host, &entries, interface), set) {
            (Matches::No, _) | (Matches::CannotTell, None) => {}
            (Matches::Yes, None) => return Ok(None),
            (Matches::CannotTell, Some(set)) => {
                let place = format!("{path}:{}", set.line);
                let because = format!(
                    "{place} sets {}, perhaps for {interface}: it has conditions that narrows \
                     does not look at",
                    set.key
                );
                return Err(Claim::new(
                    because,
                    place,
                    format!("set {} = {value} there if it counts", set.key),
                ));
            }
            (Matches::Yes, Some(set)) => return edit(host, &path, &text, set, value).map(Some),
        }
    }
    Ok(None)
}

fn edit(host: &dyn Host, path: &str, text: &str, set: &Entry, value: &str) -> Result<Place, Claim> {
    let place = format!("{path}:{}", set.line);
    if let Some(claim) = claim_of_managed_file(path, text.as_bytes()) {
        return Err(Claim { owner: Some(place), ..claim });
    }
    let resolved = resolve(host, path);
    if !resolved.starts_with("/etc/") {
        let name = path.rsplit('/').next().unwrap_or_default();
        return Err(Claim::new(
            format!(
                "{place} sets {} when the interface appears, and belongs to a package or a program",
                set.key
            ),
            place,
            format!(
                "copy it to /etc/systemd/network/{name}, which hides it, and set {} = {value} there",
                set.key
            ),
        ));
    }
    let edit =
        Edit::Systemd { section: "Link".to_owned(), key: set.key.clone(), value: Some(value.to_owned()) };
    Ok(vec![(resolved, vec![edit])])
}

/// Every file that is read, in order, with its directory.
fn names(host: &dyn Host) -> std::collections::BTreeMap<String, &'static str> {
    let mut found = std::collections::BTreeMap::new();
    for directory in DIRECTORIES {
        let names = host.list(directory).unwrap_or_default();
        for name in names.into_iter().filter(|name| name.ends_with(".link")) {
            found.entry(name).or_insert(directory);
        }
    }
    found
}

fn parse(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            entries.push(Entry { section: section.clone(), key, value, line: number + 1 });
        }
    }
    entries
}

fn matches(host: &dyn Host, entries: &[Entry], interface: &str) -> Matches {
    let address = host.value(&format!("/sys/class/net/{interface}/address")).unwrap_or_default();
    let mut conditions = entries.iter().filter(|entry| entry.section == "Match").peekable();
    if conditions.peek().is_none() {
        return Matches::No;
    }
    let mut sure = true;
    for condition in conditions {
        let holds = match condition.key.as_str() {
            "OriginalName" => glob::list_matches(condition.value.split_whitespace(), interface),
            "MACAddress" | "PermanentMACAddress" => {
                condition.value.split_whitespace().any(|wanted| wanted.eq_ignore_ascii_case(&address))
            }
            _ => {
                sure = false;
                continue;
            }
        };
        if !holds {
            return Matches::No;
        }
    }
    if sure { Matches::Yes } else { Matches::CannotTell }
}
