//! A plan as a shell script.

use std::collections::BTreeSet;

use super::{files, headline};
use crate::plan::{ActivationKind, FileDifference, Plan};
use crate::shell::{activation, comment, quoted};
use crate::{Phase, Target};

/// A POSIX shell script that makes the changes, for a reader or for a host without narrows.
///
/// It refuses to run on another host than the plan's, and where a file is not what the plan was made from; both are
/// looked at before anything is written. Services are restarted by whoever runs it, at a time of their choice. It has no journal: the way back is the commented value.
pub fn shell(plan: &Plan) -> String {
    let mut text = head(plan);
    let mut edited: Vec<&str> = Vec::new();
    for (number, change) in (1..).zip(&plan.changes) {
        text.push_str(&format!("\n# {number}. {}\n", comment(&headline(change))));
        text.push_str(&format!("# why: {}\n# promises: {}\n", comment(&change.why), comment(&change.moves)));
        add(&mut text, &change.shell);
        for operation in change.operations.iter().filter(|operation| operation.phase == Phase::Now) {
            let Target::File(file) = &operation.target else { continue };
            let found = plan.files.iter().find(|found| found.path == file.path);
            if let Some(found) = found.filter(|found| !edited.contains(&found.path.as_str())) {
                edited.push(&found.path);
                add(&mut text, &files::lines(found));
            }
        }
    }
    lasting(&mut text, plan);
    let reloads: BTreeSet<_> = plan.changes.iter().flat_map(|change| &change.reloads).collect();
    for reload in reloads {
        let (unit, line) = (comment(&reload.unit), activation(reload));
        text.push_str(&match reload.how {
            ActivationKind::Restart => {
                format!("\n# {unit} takes its files up when it is restarted:\n# {line}\n")
            }
            _ => format!("\n# {unit} takes its files up\n{line}\n"),
        });
    }
    by_hand(&mut text, plan);
    text
}

fn head(plan: &Plan) -> String {
    let name = plan.host.name.as_deref().unwrap_or("an unnamed host");
    let mut text = format!(
        "#!/bin/sh\n# narrows plan {} for {}\n\
         # The same changes as `narrows apply`, without its journal, its checks and its undo.\n\
         set -eu\n",
        comment(&plan.hash),
        comment(name)
    );
    let here = match (&plan.host.machine_id, &plan.host.name) {
        (Some(id), _) => Some(("cat /etc/machine-id", id)),
        (None, Some(name)) => Some(("cat /proc/sys/kernel/hostname", name)),
        (None, None) => None,
    };
    if let Some((command, expected)) = here {
        text.push_str(&format!(
            "[ \"$({command})\" = {} ] || {{ echo 'this plan is for another host' >&2; exit 1; }}\n",
            quoted(expected)
        ));
    }
    if plan.files.iter().any(files::is_patched) {
        text.push_str("command -v patch > /dev/null || { echo 'patch(1) is not installed' >&2; exit 1; }\n");
        text.push_str(files::UNCHANGED);
    }
    add(&mut text, &plan.files.iter().filter_map(files::guard).collect::<Vec<_>>());
    text
}

/// What makes the changes last over a boot comes after all of them, as with `narrows apply`.
fn lasting(text: &mut String, plan: &Plan) {
    let is_lasting = |file: &&FileDifference| file.phase == Phase::Lasting;
    let mut lines: Vec<_> = plan.files.iter().filter(is_lasting).flat_map(files::lines).collect();
    lines.extend(files::links(plan, Phase::Lasting));
    if !lines.is_empty() {
        text.push_str("\n# What makes it last over a boot\n");
        add(text, &lines);
    }
}

fn add(text: &mut String, lines: &[String]) {
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
}

fn by_hand(text: &mut String, plan: &Plan) {
    if plan.by_hand.is_empty() {
        return;
    }
    text.push_str("\n# By hand:\n");
    for hand in &plan.by_hand {
        text.push_str(&format!("# - {}: {}\n", comment(&hand.remedy), comment(&hand.change.target.value)));
    }
}
