//! The same write as lines of shell.

use crate::{FileState, State};

/// The longest text that is given in full, in bytes.
const LONGEST_BYTES: usize = 16 << 10;

pub(super) fn lines(path: &str, to: &State) -> Vec<String> {
    let name = quoted(path);
    match to {
        State::File(file) => match text(file) {
            Some(text) => file_lines(path, text, file),
            None => vec![format!(
                "# {}: {} bytes, not given here (sha256 {})",
                path.escape_debug(),
                file.contents.0.len(),
                file.sha256()
            )],
        },
        State::Link { to } => vec![make_directory(path), format!("ln -sfn -- {} {name}", quoted(to))],
        State::Absent => vec![format!("rm -f -- {name}")],
        State::AbsentBelow { directory } => {
            let mut lines = vec![format!("rm -f -- {name}")];
            let above = std::iter::successors(parent(path), |above| {
                (above.len() > directory.len()).then(|| parent(above)).flatten()
            });
            lines.extend(above.map(|above| format!("rmdir -- {} 2>/dev/null || :", quoted(above))));
            lines
        }
        State::Text { .. } | State::Values { .. } | State::Qdisc(_) => vec![],
    }
}

fn text(file: &FileState) -> Option<&str> {
    let bytes = &file.contents.0;
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    (bytes.len() < LONGEST_BYTES).then_some(text)
}

fn file_lines(path: &str, text: &str, file: &FileState) -> Vec<String> {
    let name = quoted(path);
    let mut lines = vec![make_directory(path)];
    let (whole, last) = match text.rsplit_once('\n') {
        Some((whole, last)) => (Some(whole), last),
        None => (None, text),
    };
    match whole {
        Some(whole) => {
            lines.push("printf '%s\\n' \\".to_owned());
            lines.extend(whole.split('\n').map(|line| format!("  {} \\", quoted(line))));
            lines.push(format!("  > {name}"));
        }
        None => lines.push(format!(": > {name}")),
    }
    if !last.is_empty() {
        lines.push(format!("printf %s {} >> {name}", quoted(last)));
    }
    lines.push(format!("chown {}:{} -- {name}", file.uid, file.gid));
    lines.push(format!("chmod {:04o} -- {name}", file.mode));
    if file.modified != FileState::MODIFIED_BY_WRITING {
        let (seconds, nanoseconds) = file.modified;
        lines.push(format!("touch -d '@{seconds}.{nanoseconds:09}' -- {name}"));
    }
    lines
}

fn make_directory(path: &str) -> String {
    format!("mkdir -p -- {}", quoted(parent(path).unwrap_or("/")))
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())
}

/// A word as POSIX shell takes it literally.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
