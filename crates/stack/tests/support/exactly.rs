//! What a program makes of a change, in one line each, as the documents state it.

use model::{ChangeKind, DirectiveEdit, Edit, Presence};

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
        Edit::PhpConstant { name, value } => format!("{name} = {}", value.as_deref().unwrap_or("nothing")),
        Edit::Systemd { section, key, value } => {
            format!("[{section}] {key}={}", value.as_deref().unwrap_or("nothing"))
        }
        Edit::Ini { section, key, value } => {
            let section = section.as_deref().map_or_else(String::new, |section| format!("[{section}] "));
            format!("{section}{key} = {}", value.as_deref().unwrap_or("nothing"))
        }
        Edit::ShellVariable { name, add_words } => format!("{name} += {}", add_words.join(" ")),
        Edit::Nginx { block, directive, first_argument, to } => {
            let place = block.iter().map(|one| format!("{one} > ")).collect::<String>();
            let first = first_argument.as_deref().map(|first| format!(" {first}")).unwrap_or_default();
            match to {
                DirectiveEdit::Arguments { arguments } => format!("{place}{directive} {arguments}"),
                DirectiveEdit::Parameter { name, value } => {
                    format!("{place}{directive}{first} {name}={value}")
                }
                DirectiveEdit::OneMore { arguments } => format!("{place}+{directive} {arguments}"),
                DirectiveEdit::Block { arguments, lines: Some(lines) } => {
                    format!("{place}{directive} {arguments} {{ {} }}", lines.join(" "))
                }
                DirectiveEdit::Block { arguments, lines: None } => {
                    format!("{place}-{directive} {arguments} {{}}")
                }
                DirectiveEdit::Removed => format!("{place}-{directive}{first}"),
            }
        }
        other => format!("{other:?}"),
    }
}
