//! A plan as one unified difference: values as files of one line, then the files themselves.

use super::headline;
use crate::plan::Plan;
use crate::{Action, Operation, Target};

/// The difference that a plan makes, for a review. Values are not files that patch(1) could change; files are.
pub fn diff(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        let values = change.operations.iter().filter_map(value).collect::<String>();
        if !values.is_empty() {
            text.push_str(&format!("# {}\n{values}", crate::shell::comment(&headline(change))));
        }
    }
    for file in &plan.files {
        text.push_str(&file.difference);
        if !file.difference.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

fn value(operation: &Operation) -> Option<String> {
    if matches!(operation.target, Target::File(_)) {
        return None;
    }
    let name = operation.target.kind().name();
    let after = match &operation.action {
        Action::Set { value } => format!("+{value}\n"),
        Action::Options { set, remove } => {
            let removed = remove.iter().map(|option| format!("-{option}\n"));
            removed.chain(set.iter().map(|option| format!("+{option}\n"))).collect()
        }
        Action::Load => "+loaded\n".to_owned(),
        Action::Edit { .. } | Action::Link { .. } => return None,
    };
    let before = match (&operation.action, operation.before.split_once(' ')) {
        (Action::Set { .. }, Some(("text" | "values" | "qdisc", before))) => format!("-{before}\n"),
        _ => String::new(),
    };
    Some(format!("--- {name}\n+++ {name}\n@@ -1 +1 @@\n{before}{after}"))
}
