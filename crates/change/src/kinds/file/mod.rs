//! A regular file or a symbolic link.
//!
//! No component of the path is followed where it is a link: what is written is the file of that name and no other,
//! also in a directory that someone else may write to. [`resolved`] gives the path to name.

mod attributes;
mod read;
mod remove;
mod resolve;
mod shell;
mod walk;
mod write;

pub use resolve::resolved;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::{Action, ChangeError, FileState, Kind, State, edit};

/// A regular file or a symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct File {
    /// Its absolute path, of which no component is a link but perhaps the last: see [`resolved`].
    pub path: String,
}

impl File {
    /// Takes away what a write that was cut short left beside a file that is as it was. Writes nothing, so that a file
    /// system that refused the write does not refuse this.
    ///
    /// # Errors
    /// When something is there that cannot be removed.
    pub(crate) fn sweep(&self, original: &State) -> Result<(), ChangeError> {
        match original {
            State::AbsentBelow { directory } => remove::sweep(&self.path, Some(directory)),
            _ => remove::sweep(&self.path, None),
        }
    }
}

impl Kind for File {
    fn name(&self) -> String {
        self.path.clone()
    }

    /// Reads [`State::Absent`], [`State::AbsentBelow`], [`State::Link`] or [`State::File`] of at most 16 MiB.
    fn read(&self) -> Result<State, ChangeError> {
        read::read(&self.path)
    }

    /// Exchanges the file as a whole (rename(2) of a new one), makes it a link, or removes it. When it returns, the
    /// disk holds it; on an error nothing that was made for it is left.
    fn write(&self, state: &State) -> Result<(), ChangeError> {
        match state {
            State::File(file) => write::write_file(&self.path, file),
            State::Link { to } => write::write_link(&self.path, to),
            State::Absent => remove::remove(&self.path, None),
            State::AbsentBelow { directory } => remove::remove(&self.path, Some(directory)),
            State::Text { .. } | State::Values { .. } | State::Qdisc(_) => {
                Err(ChangeError::new(format!("write {}", self.path), "this is not the state of a file"))
            }
        }
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let refused = |why: &str| ChangeError::new(format!("change {}", self.path), why);
        match (action, now) {
            (Action::Edit { edits }, State::File(file)) if file.links <= 1 => {
                let contents = edit::edited_by_all(&self.path, &file.contents.0, edits)?;
                if contents == file.contents.0 {
                    return Ok(now.clone());
                }
                let (contents, modified) = (crate::Contents(contents), FileState::MODIFIED_BY_WRITING);
                Ok(State::File(FileState { contents, modified, ..file.clone() }))
            }
            (Action::Edit { .. }, State::File(file)) => Err(refused(&format!(
                "the file has {} names (hard links), and a new one under this name would part it from the others",
                file.links
            ))
            .help("edit it by hand, or make it a file of its own: cp -p FILE NEW && mv NEW FILE")),
            (Action::Edit { edits }, State::Absent | State::AbsentBelow { .. }) => {
                Ok(edit::new_file(&self.path, edits)?.map_or_else(|| now.clone(), State::File))
            }
            (Action::Edit { .. }, State::Link { to }) => {
                Err(refused(&format!("it is a link to {to}")).help("edit the file that it leads to"))
            }
            (Action::Link { to }, State::Absent | State::AbsentBelow { .. } | State::Link { .. }) => {
                Ok(State::Link { to: to.clone() })
            }
            (Action::Link { .. }, State::File(_)) => {
                Err(refused("a file stands where the link would be").help("move the file away first"))
            }
            _ => Err(refused("a file can be edited or made a link, nothing else")),
        }
    }

    /// Leaves out the time of modification, the number of names, the labels of a security module, which its policy
    /// gives (restorecon(8)), and whether the directory is missing too.
    fn normal(&self, state: &State) -> State {
        match state {
            State::File(file) => {
                let mut file = FileState { modified: (0, 0), links: 0, ..file.clone() };
                file.attributes.retain(|name, _| !attributes::is_label(name));
                State::File(file)
            }
            State::AbsentBelow { .. } => State::Absent,
            other => other.clone(),
        }
    }

    /// Writes in place, which keeps what a shell cannot set. Only text of less than 16 KiB is given in full.
    fn shell(&self, to: &State) -> Vec<String> {
        shell::lines(&self.path, to)
    }

    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

/// What the system refused, and what helps against that.
fn refused(attempted: impl Into<String>, errno: Errno) -> ChangeError {
    let error = ChangeError::io(attempted, &std::io::Error::from(errno));
    let help = match errno {
        Errno::ROFS => {
            "the file system is mounted read-only: see findmnt --target DIRECTORY, and dmesg for errors"
        }
        Errno::NOSPC => "free blocks or inodes on that file system: see df and df -i",
        Errno::DQUOT => "the owner's quota on that file system is used up: see quota(1)",
        Errno::PERM | Errno::ACCESS => {
            "run it as root; for root this means an immutable file or directory (lsattr shows i or a, chattr -i or -a \
             lifts it) or a security module (dmesg, journalctl)"
        }
        Errno::BUSY => {
            "the file is a mount of its own, as container runtimes make of single files: change it where it is \
             mounted from"
        }
        Errno::LOOP | Errno::NOTDIR => {
            "a part of the path is a link or a file where a directory is expected: give the path that realpath prints"
        }
        Errno::NAMETOOLONG => {
            "a new file is first written beside the old one, under a name that is 13 bytes longer"
        }
        _ => return error,
    };
    error.help(help)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod refusal_tests;
