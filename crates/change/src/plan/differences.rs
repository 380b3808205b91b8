//! What the changes make of files, for the transaction and for the reader.

use similar::TextDiff;

use super::lower_files::from_the_end;
use super::states::States;
use super::{FileDifference, PlannedChange};
use crate::{Action, ChangeError, Operation, Phase, State, Target};

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "<redacted>";
/// Words in a line that say that what follows is a secret.
const SECRET_WORDS: [&str; 7] =
    ["password", "passwd", "passphrase", "secret", "token", "authorization", "credential"];
/// Mount options whose value is a secret or names a person.
const SECRET_OPTIONS: [&str; 10] =
    ["pass", "password", "password2", "passwd", "passphrase", "user", "username", "cred", "secret", "key"];

/// The operations on files, one for each file and phase: all edits that the changes make of a file together, in the
/// order of the changes, each once.
///
/// A file is written once, whatever the number of changes that edit it. Edits that name a line come first, the last line
/// first, so that none moves the line of another. An operation that makes a link is given once as well.
pub fn file_operations<'a>(changes: impl IntoIterator<Item = &'a PlannedChange>) -> Vec<Operation> {
    let mut together: Vec<Operation> = Vec::new();
    for operation in changes.into_iter().flat_map(|change| &change.operations) {
        if !matches!(operation.target, Target::File(_)) {
            continue;
        }
        let same =
            |other: &&mut Operation| other.target == operation.target && other.phase == operation.phase;
        match (together.iter_mut().find(same).map(|other| &mut other.action), &operation.action) {
            (Some(Action::Edit { edits }), Action::Edit { edits: more }) => {
                edits.extend(more.iter().filter(|edit| !edits.contains(edit)).cloned().collect::<Vec<_>>());
                *edits = from_the_end(std::mem::take(edits));
            }
            (Some(action), other) if action == other => {}
            _ => together.push(operation.clone()),
        }
    }
    together
}

/// What all changes together make of each file, secrets removed.
///
/// # Errors
/// When edits that apply one by one do not apply together.
pub(super) fn differences(
    states: &dyn States,
    changes: &[PlannedChange],
) -> Result<Vec<FileDifference>, ChangeError> {
    let mut found = Vec::new();
    for operation in file_operations(changes) {
        let Target::File(file) = &operation.target else { continue };
        if !matches!(operation.action, Action::Edit { .. }) {
            continue;
        }
        let now = states.read(&operation.target)?;
        let to = operation.target.kind().wanted(&now, &operation.action)?;
        found.push(difference(&file.path, operation.phase, &now, &to));
    }
    Ok(found)
}

fn difference(path: &str, phase: Phase, now: &State, to: &State) -> FileDifference {
    let sha256 = |state: &State| match state {
        State::File(file) => Some(file.sha256()),
        _ => None,
    };
    FileDifference {
        path: path.to_owned(),
        phase,
        difference: unified(path, now, to),
        before_sha256: sha256(now),
        after_sha256: sha256(to),
        patch: patch(path, now, to),
    }
}

fn unified(path: &str, now: &State, to: &State) -> String {
    let text = |state: &State| match state {
        State::File(file) => Some(String::from_utf8_lossy(&file.contents.0).into_owned()),
        _ => None,
    };
    let (before, after) = (text(now), text(to).unwrap_or_default());
    let name = if before.is_some() { path } else { "/dev/null" };
    let before = before.unwrap_or_default();
    let difference = TextDiff::from_lines(&before, &after);
    let difference = difference.unified_diff().context_radius(3).header(name, path).to_string();
    changed_lines(&difference, |content| without_secrets(path, content))
}

/// The difference for patch(1), without lines around it: those may hold secrets that are none of its business. `None`
/// where a changed line holds one, or something that no text holds.
fn patch(path: &str, now: &State, to: &State) -> Option<String> {
    let text = |state: &State| match state {
        State::File(file) => {
            String::from_utf8(file.contents.0.clone()).ok().filter(|text| !text.contains('\0'))
        }
        _ => Some(String::new()),
    };
    let (before, after) = (text(now)?, text(to)?);
    let name = if matches!(now, State::File(_)) { path } else { "/dev/null" };
    let difference = TextDiff::from_lines(&before, &after);
    let patch = difference.unified_diff().context_radius(0).header(name, path).to_string();
    (changed_lines(&patch, |content| without_secrets(path, content)) == patch).then_some(patch)
}

/// A unified difference with something done to each line of it: two lines of names come first, then each begins with a
/// sign. The ends of lines stay as they are.
fn changed_lines(difference: &str, to: impl Fn(&str) -> String) -> String {
    let line = |(at, line): (usize, &str)| {
        if at < 2 || line.starts_with('@') {
            return line.to_owned();
        }
        let end = line.trim_end_matches(['\r', '\n']).len();
        let sign = line.chars().next().map_or(0, char::len_utf8).min(end);
        let (line, end) = line.split_at(end);
        let (sign, content) = line.split_at(sign);
        format!("{sign}{}{end}", to(content))
    };
    difference.split_inclusive('\n').enumerate().map(line).collect()
}

/// A line without what is secret in it, or may be.
fn without_secrets(path: &str, line: &str) -> String {
    if path.ends_with("fstab") {
        return mount_without_secrets(line);
    }
    if path.ends_with(".php") && !is_harmless_php(line) {
        return REDACTED.to_owned();
    }
    let lower = line.to_lowercase();
    if lower.len() != line.len() {
        // Byte offsets of the two differ; such a line is hidden as a whole where it may hold a secret.
        return match SECRET_WORDS.iter().any(|word| lower.contains(word)) {
            true => REDACTED.to_owned(),
            false => line.to_owned(),
        };
    }
    let named = lower.split_once('=').is_some_and(|(name, _)| name.contains("key") || name.contains("pass"));
    let separator = |from: usize| {
        let rest = lower.get(from..).unwrap_or_default();
        rest.find(|letter: char| letter == '=' || letter == ':' || letter.is_whitespace()).map(|at| from + at)
    };
    let cut = match SECRET_WORDS.iter().filter_map(|word| lower.find(word)).min() {
        Some(word) => separator(word),
        None if named => lower.find('='),
        None => None,
    };
    let Some(cut) = cut else { return without_login(line) };
    // Blanks around the sign stay, so that the line still reads as what it is.
    let value = lower.get(cut..).unwrap_or_default().trim_start_matches([' ', '\t', '=', ':']);
    let kept = line.get(..line.len() - value.len()).unwrap_or_default();
    if value.is_empty() { line.to_owned() } else { format!("{kept}{REDACTED}") }
}

/// Whether a line of PHP is one that holds no secret for sure: a blank, a tag, a comment, or one whole definition of a
/// constant by whose name nobody would call a key. Anything else may be a part of one.
fn is_harmless_php(line: &str) -> bool {
    let text = line.trim();
    let comment = ["/*", "*", "//", "#"].iter().any(|start| text.starts_with(start));
    let upper = text.to_uppercase();
    if ["KEY", "SALT", "NONCE", "PASS", "SECRET", "TOKEN", "CREDENTIAL"]
        .iter()
        .any(|word| upper.contains(word))
    {
        return false;
    }
    if text.is_empty() || comment || ["<?php", "?>", "{", "}"].contains(&text) {
        return true;
    }
    let whole = conf::PhpConstants::new("line", format!("<?php {text}"));
    whole.problems().is_empty() && matches!(whole.constants(), [one] if one.alone && one.value.is_some())
}

/// A line without the user and password of a URL (`https://user:password@host/`).
fn without_login(line: &str) -> String {
    let Some((scheme, rest)) = line.split_once("://") else { return line.to_owned() };
    let authority = rest.split(['/', ' ', '"', '\'', ';']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, _)) => format!("{scheme}://{REDACTED}{}", rest.get(login.len()..).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// A comma written twice stands for one within a value of cifs (mount.cifs(8)), so what follows it is secret too.
fn mount_without_secrets(line: &str) -> String {
    const COMMA: &str = "\u{0}";
    let option = |option: &str| match option.split_once('=') {
        Some((name, _)) if SECRET_OPTIONS.contains(&name.to_lowercase().as_str()) => {
            format!("{name}={REDACTED}")
        }
        _ => option.to_owned(),
    };
    let field = |field: &str| {
        let options = field.replace(",,", COMMA);
        let options: Vec<_> = options.split(',').map(option).collect();
        options.join(",").replace(COMMA, ",,")
    };
    let words = line.split_inclusive([' ', '\t']);
    words.map(|word| without_login(&field(word))).collect()
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
