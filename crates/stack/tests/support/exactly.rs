//! What a program makes of a change, in one line each, as the documents state it.

use model::{ChangeKind, Edit, Presence};

/// The typed part of a change; empty where a person must do it, or the value says all.
pub(crate) fn exactly(what: &ChangeKind) -> Vec<String> {
    match what {
        ChangeKind::File { path, edits, .. } => {
            edits.iter().map(|edit| format!("{path} {}", words(edit))).collect()
        }
        ChangeKind::Mount { mount_point, set, remove } => {
            let set = set.iter().map(|option| format!("{mount_point} +{option}"));
            set.chain(remove.iter().map(|option| format!("{mount_point} -{option}"))).collect()
        }
        ChangeKind::Unit { name, settings } => {
            settings.iter().map(|setting| format!("{name} {setting}")).collect()
        }
        _ => vec![],
    }
}

fn words(edit: &Edit) -> String {
    match edit {
        Edit::Sysctl { key, value, line } => {
            let at = line.map_or_else(String::new, |line| format!(":{line}"));
            format!("{at} {key} = {}", value.as_deref().unwrap_or("nothing")).trim_start().to_owned()
        }
        Edit::Fstab { mount_point, option, to: Presence::Removed } => format!("{mount_point} -{option}"),
        Edit::OptionFile { group, option, value } => {
            format!("[{group}] {option} = {}", value.as_deref().unwrap_or("nothing"))
        }
        Edit::ShellVariable { name, add_words } => format!("{name} += {}", add_words.join(" ")),
        other => format!("{other:?}"),
    }
}
