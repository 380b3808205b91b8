//! What a plan makes of files, as lines of shell.

use crate::plan::{FileDifference, Plan};
use crate::shell::{comment, quoted};
use crate::{Action, Phase, Target};

/// Makes sure that a file is what the plan was made from.
pub(super) const UNCHANGED: &str = r#"unchanged() {
    printf '%s  %s\n' "$1" "$2" | sha256sum --check --status ||
        { echo "$2 was changed since the plan was made" >&2; exit 1; }
}
"#;

/// A line that ends the script where a file is not what the plan was made from; `None` where a person edits it.
pub(super) fn guard(file: &FileDifference) -> Option<String> {
    file.patch.as_ref()?;
    let name = quoted(&file.path);
    Some(match &file.before_sha256 {
        Some(digest) => format!("unchanged {digest} {name}"),
        None => format!("[ ! -e {name} ] || {{ echo {name} 'is there already' >&2; exit 1; }}"),
    })
}

/// Whether patch(1) is needed for a file.
pub(super) fn is_patched(file: &FileDifference) -> bool {
    file.before_sha256.is_some() && file.patch.is_some()
}

/// The lines that make or edit a file. A file that is edited keeps its owner and mode, for patch(1) sees to that; a new
/// one is root's and readable by all.
pub(super) fn lines(file: &FileDifference) -> Vec<String> {
    let name = quoted(&file.path);
    if is_patched(file) {
        return here("patch --silent --unified --", &name, file.patch.as_deref().unwrap_or_default());
    }
    let Some(contents) = new_contents(file) else { return by_hand(file) };
    let parent = file.path.rsplit_once('/').map_or("/", |(parent, _)| parent);
    let mut lines = vec![format!("mkdir -p -- {}", quoted(parent))];
    lines.extend(here("cat >", &name, &contents));
    lines.push(format!("chmod 0644 -- {name}"));
    lines
}

/// The difference as comments, for a person: it holds a secret, which no plan has.
fn by_hand(file: &FileDifference) -> Vec<String> {
    let head = format!("# By hand, for secrets are left out: edit {}:", comment(&file.path));
    let rest = file.difference.lines().map(|line| format!("#   {}", comment(line)));
    std::iter::once(head).chain(rest).collect()
}

/// What stands in a new file; `None` for one that is there already or that a person must make.
pub(super) fn new_contents(file: &FileDifference) -> Option<String> {
    if file.before_sha256.is_some() {
        return None;
    }
    let patch = file.patch.as_deref().filter(|patch| patch.ends_with('\n') && !patch.contains("\n\\ "))?;
    let lines = patch.split_inclusive('\n').skip(3);
    Some(lines.filter_map(|line| line.strip_prefix('+')).collect())
}

/// A command with a here-document in which nothing is expanded.
fn here(command: &str, name: &str, text: &str) -> Vec<String> {
    let mut end = "narrows".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    let mut lines = vec![format!("{command} {name} <<'{end}'")];
    lines.extend(text.strip_suffix('\n').unwrap_or(text).split('\n').map(str::to_owned));
    lines.push(end);
    lines
}

/// The links of a plan that are made in a phase, each once.
pub(super) fn links(plan: &Plan, phase: Phase) -> Vec<String> {
    let mut lines = Vec::new();
    for operation in plan.changes.iter().flat_map(|change| &change.operations) {
        let (Target::File(file), Action::Link { to }) = (&operation.target, &operation.action) else {
            continue;
        };
        let line = format!("ln -sfn -- {} {}", quoted(to), quoted(&file.path));
        if operation.phase == phase && !lines.contains(&line) {
            let parent = file.path.rsplit_once('/').map_or("/", |(parent, _)| parent);
            lines.push(format!("mkdir -p -- {}", quoted(parent)));
            lines.push(line);
        }
    }
    lines
}
