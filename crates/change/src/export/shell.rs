//! A plan as a shell script.

use super::headline;
use crate::plan::Plan;
use crate::shell::{activation, comment};

/// A POSIX shell script that makes the changes, for a reader or for a host without narrows.
///
/// It refuses to run on another host than the plan's. It has no journal: the way back is the commented value.
pub fn shell(plan: &Plan) -> String {
    let name = plan.host.name.as_deref().unwrap_or("an unnamed host");
    let mut text = format!(
        "#!/bin/sh\n# narrows plan {} for {}\n\
         # The same changes as `narrows apply`, without its journal, its checks and its undo.\n\
         set -eu\n",
        comment(&plan.hash),
        comment(name)
    );
    if let Some(id) = &plan.host.machine_id {
        let id = crate::shell::quoted(id);
        text.push_str(&format!(
            "[ \"$(cat /etc/machine-id)\" = {id} ] || {{ echo 'this plan is for another host' >&2; exit 1; }}\n"
        ));
    }
    let mut reloads = Vec::new();
    for change in &plan.changes {
        text.push_str(&format!("\n# {}\n# why: {}\n", comment(&headline(change)), comment(&change.why)));
        text.push_str(&format!("# promises: {}\n", comment(&change.moves)));
        for line in &change.shell {
            text.push_str(&format!("{line}\n"));
        }
        reloads.extend(change.reloads.iter().filter(|reload| !reloads.contains(reload)).collect::<Vec<_>>());
    }
    for reload in reloads {
        text.push_str(&format!("\n# {} takes its files up\n{}\n", comment(&reload.unit), activation(reload)));
    }
    by_hand(&mut text, plan);
    text
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
