//! Options of kernel modules at boot (modprobe.d(5)) and the modules loaded then (modules-load.d(5)).

use host::Host;
use model::Edit;

use super::{Claim, Place, claim_of_managed_file, file_text, resolve};

const OURS: &str = "/etc/modprobe.d/90-narrows.conf";
const OPTION_DIRECTORIES: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];
const LOAD_DIRECTORIES: [&str; 4] = [
    "/etc/modules-load.d",
    "/run/modules-load.d",
    "/usr/local/lib/modules-load.d",
    "/usr/lib/modules-load.d",
];

/// The edits after which a parameter has a value whenever its module is loaded.
///
/// modprobe(8) hands all `options` lines over in the order of the files' names, and the kernel takes the last: a line
/// that someone wrote is replaced, so that one line says it.
///
/// # Errors
/// The claim of a file that must not be edited and is read after ours.
pub(crate) fn place(host: &dyn Host, module: &str, parameter: &str, value: &str) -> Result<Place, Claim> {
    let assignment = format!("{parameter}={value}");
    for (name, directory) in names(host, &OPTION_DIRECTORIES).into_iter().rev() {
        let path = format!("{directory}/{name}");
        let Some(text) = file_text(host, &path) else { continue };
        let found = text.lines().enumerate().find(|(_, line)| sets(line, module, parameter));
        let Some((at, line)) = found else { continue };
        let place = format!("{path}:{}", at + 1);
        let resolved = resolve(host, &path);
        let claim = claim_of_managed_file(&path, text.as_bytes())
            .map(|claim| Claim { owner: Some(place.clone()), ..claim });
        if resolved.starts_with("/etc/") && claim.is_none() {
            let words = line.split_whitespace();
            let new: Vec<&str> = words
                .map(|word| if names_parameter(word, parameter) { assignment.as_str() } else { word })
                .collect();
            return Ok(vec![(resolved, replaced(line, &new.join(" ")))]);
        }
        if name.as_str() > "90-narrows.conf" || claim.is_some() {
            return Err(claim.unwrap_or_else(|| {
                Claim::new(
                    format!("{place} sets {module}.{parameter} and is read after {OURS}"),
                    place.clone(),
                    format!("copy it to /etc/modprobe.d/{name}, which hides it, and set {assignment} there"),
                )
            }));
        }
    }
    let line = format!("options {module} {assignment}");
    Ok(vec![(OURS.to_owned(), vec![Edit::Line { line, present: true }])])
}

/// A line that is right already is left alone; any other goes, and the new one comes.
fn replaced(old: &str, new: &str) -> Vec<Edit> {
    let add = Edit::Line { line: new.to_owned(), present: true };
    if old.split_whitespace().eq(new.split_whitespace()) {
        return vec![Edit::Line { line: old.to_owned(), present: true }];
    }
    vec![Edit::Line { line: old.to_owned(), present: false }, add]
}

fn sets(line: &str, module: &str, parameter: &str) -> bool {
    let mut words = line.split_whitespace();
    let same = |left: &str, right: &str| left.replace('-', "_") == right.replace('-', "_");
    words.next() == Some("options")
        && words.next().is_some_and(|name| same(name, module))
        && words.any(|word| names_parameter(word, parameter))
}

fn names_parameter(word: &str, parameter: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name == parameter)
}

/// Whether a file already has a module loaded at boot.
pub(crate) fn loads_at_boot(host: &dyn Host, module: &str) -> bool {
    let listed = |path: &str| {
        let text = file_text(host, path).unwrap_or_default();
        text.lines().any(|line| line.trim().replace('-', "_") == module.replace('-', "_"))
    };
    let mut files = names(host, &LOAD_DIRECTORIES).into_iter();
    files.any(|(name, directory)| listed(&format!("{directory}/{name}"))) || listed("/etc/modules")
}

fn names(host: &dyn Host, directories: &[&'static str]) -> std::collections::BTreeMap<String, &'static str> {
    let mut found = std::collections::BTreeMap::new();
    for directory in directories {
        let names = host.list(directory).unwrap_or_default();
        for name in names.into_iter().filter(|name| name.ends_with(".conf")) {
            found.entry(name).or_insert(*directory);
        }
    }
    found
}
