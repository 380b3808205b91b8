//! Files of the kernel that hold one value: parameters below `/proc/sys`, attributes below `/sys`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::shell::quoted;
use crate::{Action, ChangeError, State};

/// Reads a file whole, without its closing newline.
///
/// # Errors
/// When it is not there, cannot be read, or holds no text.
pub(super) fn read(name: &str, path: &Path) -> Result<String, ChangeError> {
    let attempted = || format!("read {name} ({})", path.display());
    let bytes = fs::read(path).map_err(|error| explained(attempted(), &error))?;
    let mut text = String::from_utf8(bytes).map_err(|_| ChangeError::new(attempted(), "it is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Writes a value and a newline, which lets an empty value be written too.
///
/// # Errors
/// As [`write_bare`].
pub(super) fn write(name: &str, path: &Path, value: &str) -> Result<(), ChangeError> {
    put(name, path, value, &format!("{value}\n"))
}

/// Writes a value without a newline, for files that would keep it as part of the value. An empty value is written as
/// the zero byte that ends a text: the kernel is not told of a write of no bytes.
///
/// # Errors
/// When the file is not there (it is never made), or the kernel refuses the value or takes only its beginning.
pub(super) fn write_bare(name: &str, path: &Path, value: &str) -> Result<(), ChangeError> {
    put(name, path, value, if value.is_empty() { "\0" } else { value })
}

/// One write(2), because the kernel parses each call for itself.
fn put(name: &str, path: &Path, value: &str, text: &str) -> Result<(), ChangeError> {
    let shown = if value.is_empty() { "an empty value" } else { value };
    let attempted = || format!("write {shown} to {name} ({})", path.display());
    let opened = fs::File::options().write(true).open(path);
    let taken = opened
        .and_then(|mut file| file.write(text.as_bytes()))
        .map_err(|error| explained(attempted(), &error))?;
    // Some files leave the closing newline.
    if taken < value.len() {
        let why = format!("the kernel took only the first {taken} of its {} bytes", value.len());
        return Err(ChangeError::new(attempted(), why).help("it holds fewer values than that"));
    }
    Ok(())
}

fn explained(attempted: String, error: &io::Error) -> ChangeError {
    let refused = ChangeError::io(attempted, error);
    let help = match error.raw_os_error() {
        Some(libc::ENOENT) => "this kernel has none, or what it belongs to (a module, a device) is not there",
        Some(libc::EROFS) => "it is mounted read-only, as in containers: run narrows on the host",
        Some(libc::EACCES | libc::EPERM) => {
            "it needs root; where root is refused too, the kernel lets nobody do this"
        }
        _ => return refused,
    };
    refused.help(help)
}

/// Adds what an error number means where this file refuses with it.
pub(super) fn help_on(error: ChangeError, helps: &[(i32, &str)]) -> ChangeError {
    match helps.iter().find(|(errno, _)| error.errno == Some(*errno)) {
        Some((_, help)) => error.help(*help),
        None => error,
    }
}

/// The line of shell that writes a value and a newline.
pub(super) fn line(path: &Path, value: &str) -> String {
    format!(r"printf '%s\n' {} > {}", quoted(value), quoted(&path.to_string_lossy()))
}

/// The line of shell that writes a value without a newline.
pub(super) fn line_bare(path: &Path, value: &str) -> String {
    let path = quoted(&path.to_string_lossy());
    match value {
        "" => format!(r"printf '\0' > {path}"),
        value => format!("printf %s {} > {path}", quoted(value)),
    }
}

/// The value that a state holds.
///
/// # Errors
/// When it is a state of another kind, which no such file can be made to hold.
pub(super) fn value_of<'a>(name: &str, state: &'a State) -> Result<&'a str, ChangeError> {
    match state {
        State::Text { value } => Ok(value),
        State::Absent => Err(ChangeError::new(format!("take {name} away"), "it holds a value and cannot go")),
        other => Err(ChangeError::new(
            format!("write {name}"),
            format!("it holds one value, not this: {}", other.fingerprint()),
        )),
    }
}

/// The value that an action sets, blanks around it taken off.
///
/// # Errors
/// When the action is another, the value is more than one line, or `now` says that there is nothing to set it on.
pub(super) fn value_to_set<'a>(name: &str, now: &State, action: &'a Action) -> Result<&'a str, ChangeError> {
    let Action::Set { value } = action else {
        return Err(ChangeError::new(format!("change {name}"), "it can only be set to a value"));
    };
    let attempted = || format!("set {name} to {value:?}");
    if *now == State::Absent {
        return Err(ChangeError::new(attempted(), "it is not there now"));
    }
    if value.contains(['\n', '\0']) {
        return Err(ChangeError::new(attempted(), "the value is not one line of text"));
    }
    Ok(value.trim())
}

/// A path below a folder of the kernel, made of names that cannot lead out of it.
///
/// # Errors
/// When a name is empty, `.` or `..`, or holds a slash.
pub(super) fn below(folder: &str, names: &[&str]) -> Result<PathBuf, ChangeError> {
    let leads_out = |name: &&&str| matches!(**name, "" | "." | "..") || name.contains(['/', '\0']);
    match names.iter().find(leads_out) {
        Some(name) => Err(ChangeError::new(
            format!("find {} below {folder}", names.join("/")),
            format!("{name:?} is no name of a file there"),
        )),
        None => Ok(names.iter().fold(PathBuf::from(folder), |path, name| path.join(name))),
    }
}

/// Blanks at the ends gone, blanks in between single: the kernel separates by tabs what is written with spaces.
pub(super) fn single_blanks(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The least power of two that is not smaller, which is what the kernel makes of the size of a flow table.
pub(super) fn power_of_two(value: &str) -> Option<String> {
    match value.trim().parse::<u32>().ok()? {
        0 => Some("0".to_owned()),
        number => Some(number.checked_next_power_of_two()?.to_string()),
    }
}

/// A state with each of its values spelled anew.
pub(super) fn respelled(state: &State, spell: impl Fn(&str) -> String) -> State {
    match state {
        State::Text { value } => State::text(spell(value)),
        State::Values { values } => {
            State::Values { values: values.iter().map(|(key, value)| (key.clone(), spell(value))).collect() }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        let error = write("none", &path, "1").unwrap_err();
        assert_eq!(error.errno, Some(libc::ENOENT));
        assert!(error.attempted.starts_with("write 1 to none ("), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn names_cannot_lead_out_of_their_folder() {
        for name in ["", ".", "..", "a/b", "/etc/passwd", "a\0b"] {
            assert!(below("/sys/class/net", &["eth0", name]).is_err(), "{name:?}");
        }
        let path = below("/sys/block", &["cciss!c0d0", "queue"]).unwrap();
        assert_eq!(path, Path::new("/sys/block/cciss!c0d0/queue"));
    }

    #[test]
    fn only_one_line_can_be_set() {
        let set = |value: &str| Action::Set { value: value.to_owned() };
        assert_eq!(value_to_set("x", &State::text("1"), &set(" 4096 ")).unwrap(), "4096");
        assert!(value_to_set("x", &State::text("1"), &set("1\n2")).is_err());
        assert!(value_to_set("x", &State::Absent, &set("1")).is_err());
        assert!(value_to_set("x", &State::text("1"), &Action::Load).is_err());
    }

    #[test]
    fn the_line_of_shell_writes_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a file");
        for value in ["", "4096", "a b\tc", "$(reboot) 'x'", "-n", r"\n"] {
            let script = line(&path, value);
            let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
            assert!(status.success(), "{script}");
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{value}\n"), "{script}");
        }
    }
}
