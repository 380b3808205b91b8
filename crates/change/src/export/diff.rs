//! A plan as one unified difference: values as comments, then the files.

use super::headline;
use crate::plan::{Plan, REDACTED};
use crate::shell::comment;
use crate::{Action, Operation, Target};

/// The difference that a plan makes, for a review. Values, which are no files that patch(1) could change, are comments;
/// the rest is for `patch -p1 -d /`, unless a secret was left out.
pub fn diff(plan: &Plan) -> String {
    let mut text = format!("# narrows plan {}\n", comment(&plan.hash));
    for change in &plan.changes {
        text.push_str(&format!("# {}\n", comment(&headline(change))));
        text.extend(change.operations.iter().filter_map(value));
    }
    for file in &plan.files {
        if file.difference.contains(REDACTED) {
            let path = comment(&file.path);
            text.push_str(&format!(
                "# Secrets of {path} are left out, so that patch(1) does not apply this:\n"
            ));
        }
        text.push_str(&file.difference);
    }
    text
}

fn value(operation: &Operation) -> Option<String> {
    if matches!(operation.target, Target::File(_)) {
        return None;
    }
    let name = operation.target.kind().name();
    let before = match (&operation.action, operation.before.split_once(' ')) {
        (Action::Set { .. }, Some(("text" | "values" | "qdisc", before))) => vec![('-', before)],
        _ => vec![],
    };
    let after: Vec<(char, &str)> = match &operation.action {
        Action::Set { value } => vec![('+', value)],
        Action::Options { set, remove } => {
            let removed = remove.iter().map(|option| ('-', option.as_str()));
            removed.chain(set.iter().map(|option| ('+', option.as_str()))).collect()
        }
        Action::Load => vec![('+', "loaded")],
        Action::Run => vec![('+', "done")],
        Action::Edit { .. } | Action::Link { .. } => return None,
    };
    let lines = before.into_iter().chain(after);
    Some(lines.map(|(sign, value)| format!("#   {sign} {}: {}\n", comment(&name), comment(value))).collect())
}
