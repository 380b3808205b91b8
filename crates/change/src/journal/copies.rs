//! Byte copies and a readable script beside each applied plan, for a person without narrows.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{NewTransaction, Step};
use crate::kinds::File as FileKind;
use crate::shell::{comment, quoted};
use crate::{ChangeError, Kind, State, Target};

/// Where the copies and the script of a transaction lie.
pub(super) fn folder(directory: &Path, id: i64) -> PathBuf {
    directory.join("applied").join(id.to_string())
}

/// Makes a directory for its owner alone, with its parents, and sees that every new name reaches the disk.
pub(super) fn make_directory(path: &Path) -> Result<(), ChangeError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another narrows made it this instant.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.map_err(|error| {
            ChangeError::io(format!("make the directory {}", path.display()), &error)
                .help("run it as root, with a state directory that can be written to")
        })?,
    }
    path.parent().map_or(Ok(()), sync_directory)
}

/// Sees that the names in a directory reach the disk.
pub(super) fn sync_directory(path: &Path) -> Result<(), ChangeError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| ChangeError::io(format!("flush the directory {}", path.display()), &error))
}

/// Writes the plan, a copy of each file it replaces, and `undo.sh`. What a crash left under this number, which was
/// never committed, is replaced.
pub(super) fn write(directory: &Path, id: i64, new: &NewTransaction) -> Result<(), ChangeError> {
    let folder = folder(directory, id);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| ChangeError::io(format!("remove {}", folder.display()), &error))?;
    }
    make_directory(&folder.join("files"))?;
    write_file(&folder.join("plan.json"), new.plan_json, 0o600)?;
    for step in new.steps {
        if let (Target::File(_), original @ State::File(_)) = (&step.target, &step.original) {
            let copy = folder.join("files").join(copy_name(step));
            FileKind { path: copy.display().to_string() }.write(original)?;
        }
    }
    write_file(&folder.join("undo.sh"), script(id, new).as_bytes(), 0o700)?;
    sync_directory(&folder.join("files"))?;
    sync_directory(&folder)?;
    sync_directory(&directory.join("applied"))?;
    sync_directory(directory)
}

fn write_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ChangeError> {
    let opened = File::options().write(true).create_new(true).mode(mode).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| ChangeError::io(format!("write {}", path.display()), &error))
}

fn copy_name(step: &Step) -> String {
    let name = match &step.target {
        Target::File(file) => file.path.rsplit('/').next().unwrap_or_default(),
        _ => "",
    };
    format!("{}-{name}", step.sequence)
}

/// The script that puts everything back, the last write first.
fn script(id: i64, new: &NewTransaction) -> String {
    let mut text = format!(
        "#!/bin/sh\n\
         # Puts back what narrows changed in transaction {id}, without narrows.\n\
         # It overwrites what was changed since. `narrows undo {id}` does the same and looks first.\n\
         # Each line stands alone: read it, and run what you need.\n\
         here=$(CDPATH= cd -- \"$(dirname -- \"$0\")\" && pwd) || exit 1\n\
         failed=0\n"
    );
    for step in new.steps.iter().rev() {
        text.push_str(&format!("\n# {}\n", comment(&describe(step))));
        for line in lines(step) {
            text.push_str(&format!("{line} || failed=1\n"));
        }
    }
    for reload in new.reloads {
        text.push_str(&format!("\n# {} takes the files up\n", comment(&reload.unit)));
        text.push_str(&format!("{} || failed=1\n", crate::shell::activation(reload)));
    }
    text.push_str("\nexit $failed\n");
    text
}

fn describe(step: &Step) -> String {
    let shown = |state: &State| match state {
        State::Absent | State::AbsentBelow { .. } => "absent".to_owned(),
        State::Text { value } => value.clone(),
        State::File(file) => format!("sha256 {}", file.sha256()),
        other => other.fingerprint(),
    };
    format!("{}: {}, was {}", step.target.kind().name(), shown(&step.wanted), shown(&step.original))
}

fn lines(step: &Step) -> Vec<String> {
    let (Target::File(file), State::File(_)) = (&step.target, &step.original) else {
        return step.target.kind().shell(&step.original);
    };
    let (copy, path) = (quoted(&copy_name(step)), quoted(&file.path));
    let beside = quoted(&format!("{}.narrows-undo", file.path));
    vec![format!("cp -a -- \"$here\"/files/{copy} {beside} && mv -f -- {beside} {path}")]
}
