//! A plan for a person: what, why, from what to what, at which cost, and how it ends.

use change::Target;
use change::plan::{ByHand, FileDifference, Plan, PlannedChange, Refusal};

use super::page::{Page, bad, doubtful, faint, good, strong};
use super::wording;

/// Where the explanation of a field begins.
const INDENT: usize = 14;
/// Observations shown of a cause.
const OBSERVATIONS: usize = 3;

/// The plan as text.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut page = Page::default();
    page.line("", strong(), 0, &headline(plan));
    page.gap();
    if plan.changes.is_empty() {
        page.line(
            "  ",
            strong(),
            2,
            "Nothing to change: no confirmed cause asks for anything that narrows can do here.",
        );
    }
    for (number, change) in (1..).zip(&plan.changes) {
        planned(&mut page, number, change);
    }
    files(&mut page, &plan.files);
    refusals(&mut page, &plan.refused);
    by_hand(&mut page, &plan.by_hand);
    if !plan.changes.is_empty() {
        page.gap();
        page.line(
            "NEXT    ",
            strong(),
            8,
            "narrows apply --try 5m (undone after 5 minutes unless `narrows confirm` follows)",
        );
    }
    page.finish()
}

fn headline(plan: &Plan) -> String {
    let count = plan.changes.len();
    let restarts = plan.changes.iter().flat_map(|change| &change.reloads);
    let restarts = restarts.filter(|reload| reload.is_disruptive()).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let name = plan.host.name.as_deref().unwrap_or("unnamed host");
    let hash: String = plan.hash.chars().take("sha256:".len() + 16).collect();
    let undoable = if count == 0 { "" } else { ", each undoable" };
    format!("{name} · {}, {}{undoable} · {hash}", plural(count, "change"), plural(restarts, "restart"))
}

fn planned(page: &mut Page, number: usize, planned: &PlannedChange) {
    page.gap();
    let change = &planned.change;
    page.line(&format!("{number:>3}  "), strong(), 5, &wording::change(change));
    let mut field = |label: &str, text: &str| {
        page.line(&format!("     {label:<9}"), faint(), INDENT, text);
    };
    field("cause", &format!("{}: {}", planned.causes.join(", "), planned.why));
    for seen in planned.evidence.iter().filter(|seen| !wording::is_folded_stack(seen)).take(OBSERVATIONS) {
        field("seen", &wording::observation(seen));
    }
    if let Some(formula) = wording::formula(change) {
        field("formula", &formula);
    }
    field("promises", &planned.moves);
    field("lasts by", &change.persistence);
    if let Some(owner) = &change.owner {
        field("set by", owner);
    }
    for coupled in &change.coupled {
        field("with", coupled);
    }
    field("restart", &change.restart);
    field("risk", &change.risk);
    for line in shell(planned) {
        page.line("     shell    ", faint(), INDENT, &line);
    }
    page.line("     only this", faint(), INDENT + 1, &format!("--only {}", crate::output::word(&planned.id)));
}

/// What a reader would type for the running kernel. Files are shown as differences.
fn shell(planned: &PlannedChange) -> Vec<String> {
    let files = planned.operations.iter().take_while(|operation| matches!(operation.target, Target::File(_)));
    if files.count() > 0 { vec![] } else { planned.shell.iter().take(1).cloned().collect() }
}

fn files(page: &mut Page, files: &[FileDifference]) {
    if files.is_empty() {
        return;
    }
    page.heading("FILES");
    for line in files.iter().flat_map(|file| file.difference.lines()) {
        let style = match line.as_bytes().first() {
            Some(b'+') => good(),
            Some(b'-') => bad(),
            _ => faint(),
        };
        let line: String = line.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect();
        page.row(&format!("  {style}{line}{style:#}"));
    }
}

fn refusals(page: &mut Page, refused: &[Refusal]) {
    if refused.is_empty() {
        return;
    }
    page.heading("REFUSED");
    for refusal in refused {
        page.line("  ✘ ", bad(), 4, &wording::change(&refusal.change));
        page.line("      because ", faint(), INDENT, &refusal.because);
        if let Some(owner) = &refusal.owner {
            page.line("      owner   ", faint(), INDENT, owner);
        }
        page.line("      instead ", faint(), INDENT, &refusal.instead);
    }
}

fn by_hand(page: &mut Page, by_hand: &[ByHand]) {
    if by_hand.is_empty() {
        return;
    }
    page.heading("BY HAND");
    for hand in by_hand {
        page.line("  ● ", doubtful(), 4, &format!("{} ({})", hand.remedy, hand.cause));
        page.line("", strong(), 6, &wording::change(&hand.change));
        page.line("      ", faint(), 6, &wording::terms(&hand.change));
    }
}
