//! A plan for a person: what, why, from what to what, at which cost, and how it ends.

use change::plan::{ActivationKind, ByHand, FileDifference, Plan, PlannedChange, Refusal};
use change::{Action, Operation, Phase, Target};

use super::page::{Page, bad, doubtful, faint, good, strong};
use super::wording;

/// Observations shown of a cause; JSON has all.
const OBSERVATIONS: usize = 3;
/// Lines shown of a file's difference; `--format diff` shows it as a whole.
const LINES_OF_A_FILE: usize = 30;

/// The plan as text. `apply` is the command that carries it out, for the end of the page.
pub(crate) fn plan(plan: &Plan, apply: Option<&str>) -> String {
    let mut page = Page::default();
    page.line("", strong(), 0, &headline(plan));
    if plan.changes.is_empty() {
        page.gap();
        let text = "Nothing to change: no confirmed cause asks for anything that narrows can do here.";
        page.line("  ", strong(), 2, text);
    }
    for (first, group) in groups(plan) {
        reasons(&mut page, first);
        changes(&mut page, &group);
    }
    files(&mut page, &plan.files);
    refusals(&mut page, &plan.refused);
    by_hand(&mut page, &plan.by_hand);
    if let Some(apply) = apply.filter(|_| !plan.changes.is_empty()) {
        page.gap();
        let trial = "undone after 5 minutes, unless `narrows confirm` follows";
        let only = "makes one of them; ID is what its line begins with, or a cause";
        page.commands(&[(format!("{apply} --try 5m"), trial), (format!("{apply} --only ID"), only)]);
    }
    page.finish()
}

fn headline(plan: &Plan) -> String {
    let restarts = plan.changes.iter().flat_map(|change| &change.reloads);
    let mut restarts: Vec<_> = restarts.filter(|reload| reload.how == ActivationKind::Restart).collect();
    restarts.sort();
    restarts.dedup();
    let count = plan.changes.len();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let name = plan.host.name.as_deref().unwrap_or("unnamed host");
    let hash: String = plan.hash.chars().take("sha256:".len() + 16).collect();
    let undoable = if count == 0 { "" } else { ", each undoable" };
    let restarts = plural(restarts.len(), "restart");
    let rest = [(plan.refused.len(), "refused"), (plan.by_hand.len(), "by hand")];
    let rest: String = rest
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!(" · {count} {what}"))
        .collect();
    format!("{name} · {}, {restarts}{undoable}{rest} · {hash}", plural(count, "change"))
}

/// The changes of each remedy together, with their numbers in the order in which they are made.
fn groups(plan: &Plan) -> Vec<(&PlannedChange, Vec<(usize, &PlannedChange)>)> {
    let mut groups: Vec<(&PlannedChange, Vec<_>)> = Vec::new();
    for (number, change) in (1..).zip(&plan.changes) {
        let same = |first: &PlannedChange| first.causes == change.causes && first.remedy == change.remedy;
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, group)) => group.push((number, change)),
            None => groups.push((change, vec![(number, change)])),
        }
    }
    groups
}

/// What is true of all changes of a remedy.
fn reasons(page: &mut Page, change: &PlannedChange) {
    let severity = change.severity.map(|severity| format!(" · {}", severity.name())).unwrap_or_default();
    page.heading(&format!("{}{severity}", change.causes.join(", ")));
    let mut field = |label: &str, text: &str| page.line(&format!("  {label:<9} "), faint(), 12, text);
    field("because", &change.why);
    for seen in change.evidence.iter().filter(|seen| !wording::is_folded_stack(seen)).take(OBSERVATIONS) {
        field("seen", &wording::observation(seen));
    }
    field("remedy", &change.remedy);
    field("promises", &change.moves);
    if let Some(cause) = change.causes.first() {
        for other in &change.alternatives {
            let (number, title) = other.split_once(": ").unwrap_or((other, ""));
            field("otherwise", &format!("{title} (--remedy {cause}={number})"));
        }
    }
}

/// The changes of a remedy. What is true of several in a row is said once, at the first.
fn changes(page: &mut Page, group: &[(usize, &PlannedChange)]) {
    let mut said = None;
    for (number, change) in group {
        let terms = terms(change);
        let new = said.as_ref() != Some(&terms);
        if new {
            page.gap();
        }
        page.line(&format!("{number:>4}  "), strong(), 6, &title(change));
        if new {
            let formula = wording::formula(&change.change).map(|formula| ("formula", formula));
            for (label, text) in formula.iter().chain(&terms.0) {
                page.line(&format!("      {label:<8} "), faint(), 15, text);
            }
        }
        said = Some(terms);
    }
}

/// A change in one line that begins with its identity, by which `--only` chooses it.
fn title(planned: &PlannedChange) -> String {
    let words = wording::change(&planned.change);
    if words.starts_with(&planned.id) { words } else { format!("{} · {words}", planned.id) }
}

/// What has to be known before a change is made, and the formula that made its value.
type Terms<'a> = (Vec<(&'static str, String)>, &'a str);

fn terms(planned: &PlannedChange) -> Terms<'_> {
    let change = &planned.change;
    let mut terms = vec![("lasts by", lasting(planned))];
    terms.extend(change.owner.iter().map(|owner| ("set by", owner.clone())));
    terms.extend(change.coupled.iter().map(|coupled| ("with", coupled.clone())));
    terms.extend(Some(("restart", change.restart.clone())).filter(|(_, text)| text != "none"));
    terms.extend(Some(("risk", change.risk.clone())).filter(|(_, text)| text != "none known"));
    (terms, &change.target.formula)
}

/// The files that make a change last, where it has some of its own; else what the cause says.
fn lasting(planned: &PlannedChange) -> String {
    let path = |operation: &Operation| match (&operation.target, &operation.action) {
        (Target::File(file), Action::Edit { .. }) if operation.phase == Phase::Lasting => {
            Some(file.path.clone())
        }
        _ => None,
    };
    let paths: Vec<_> = planned.operations.iter().filter_map(path).collect();
    if paths.is_empty() { planned.change.persistence.clone() } else { paths.join(", ") }
}

fn files(page: &mut Page, files: &[FileDifference]) {
    if files.is_empty() {
        return;
    }
    page.heading("FILES");
    for file in files {
        let lines: Vec<_> = file.difference.lines().collect();
        for line in lines.iter().take(LINES_OF_A_FILE) {
            let style = match line.as_bytes().first() {
                Some(b'+') => good(),
                Some(b'-') => bad(),
                _ => faint(),
            };
            page.cut("  ", style, line);
        }
        let left = lines.len().saturating_sub(LINES_OF_A_FILE);
        if left > 0 {
            page.line("  ", faint(), 2, &format!("… {left} more lines: narrows plan --format diff"));
        }
    }
}

fn refusals(page: &mut Page, refused: &[Refusal]) {
    if refused.is_empty() {
        return;
    }
    page.heading("REFUSED");
    for refusal in refused {
        let title = format!("{} ({})", wording::change(&refusal.change), refusal.causes.join(", "));
        page.line("  ✘ ", bad(), 4, &title);
        page.line("    because ", faint(), 12, &refusal.because);
        if let Some(owner) = &refusal.owner {
            page.line("    owner   ", faint(), 12, owner);
        }
        page.line("    instead ", faint(), 12, &refusal.instead);
    }
}

fn by_hand(page: &mut Page, by_hand: &[ByHand]) {
    if by_hand.is_empty() {
        return;
    }
    page.heading("BY HAND");
    let mut said = None;
    for hand in by_hand {
        let title = format!("{} ({})", hand.remedy, hand.cause);
        if said.as_ref() != Some(&title) {
            page.line("  ● ", doubtful(), 4, &title);
        }
        page.line("    ", faint(), 4, &wording::change(&hand.change));
        said = Some(title);
    }
}
