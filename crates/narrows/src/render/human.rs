//! The report for a person at a terminal: the answer first, then what proves it.

use anstyle::Style;
use model::report::{CauseReport, DifferentialRow, Report, SymptomReport};
use model::{Remedy, Severity, Verdict};
use stack::Evidence;

use super::page::{Page, bad, doubtful, faint, good, strong};
use super::wording;

/// How many stations are shown when nothing is near its limit.
const STATIONS: usize = 12;
/// From this distance on the nearest limit itself is the answer: the load of one burst fills the rest.
const FULL_AT_TIMES: f64 = 1.25;
/// How many observations of a finding are shown; JSON has all.
const OBSERVATIONS: usize = 6;

/// Renders a report. With `all`, causes that were ruled out or unknown are listed too. `plan` is the command that plans
/// for the same host, where there is one.
pub(crate) fn report(report: &Report, evidence: &Evidence, all: bool, plan: Option<&str>) -> String {
    let mut page = Page::default();
    page.line("", strong(), 0, &wording::headline(&report.host, &report.window));
    page.gap();
    answer(&mut page, report);
    symptoms(&mut page, report);
    findings(&mut page, report);
    waits(&mut page, evidence);
    stations(&mut page, report, all);
    if all {
        others(&mut page, report);
    }
    unread(&mut page, report);
    summary(&mut page, report, all);
    next(&mut page, report, plan);
    page.finish()
}

/// What holds back now, then what would next. A proved cause of what is felt comes first, unless the narrows itself is
/// full: then that is the answer.
fn answer(page: &mut Page, report: &Report) {
    let felt = report.causes.iter().find(|cause| wording::is_felt(cause));
    let full = report.narrows.as_ref().is_some_and(|narrows| narrows.breaks_at_times <= FULL_AT_TIMES);
    if let Some(cause) = felt.filter(|_| !full) {
        page.line("  Felt now:    ", bad(), 15, &wording::felt(cause));
    }
    match &report.narrows {
        Some(narrows) if narrows.breaks_at_times <= 2.0 => {
            let (label, style) = if full || felt.is_none() {
                ("  The narrows: ", bad())
            } else {
                ("  Breaks next: ", strong())
            };
            page.line(label, style, 15, &narrows.sentence);
        }
        Some(narrows) => page.line("  ", strong(), 2, &narrows.sentence),
        None => {
            page.line("  ", strong(), 2, "No limit was measured: rates need two readings of a live host.");
        }
    }
}

fn symptoms(page: &mut Page, report: &Report) {
    let shown: Vec<_> = report.symptoms.iter().filter(|symptom| symptom.present == Some(true)).collect();
    page.heading("SYMPTOMS");
    if shown.is_empty() {
        page.line("  ", strong(), 2, &format!("none of the {} that were looked for", report.symptoms.len()));
    }
    for symptom in shown {
        page.line("  ● ", bad(), 4, &format!("{}: {}", symptom.title, symptom.summary));
        differential(page, symptom);
    }
}

fn differential(page: &mut Page, symptom: &SymptomReport) {
    for row in &symptom.differential {
        let (mark, style) = mark(row.verdict);
        page.line(&format!("      {mark} {}", pad(row)), style, 56, &row.summary);
    }
}

fn pad(row: &DifferentialRow) -> String {
    format!("{:<36} {:<10} ", row.cause, row.verdict.name())
}

fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Confirmed => ("✔", bad()),
        Verdict::Consistent => ("~", doubtful()),
        Verdict::RuledOut => ("✘", good()),
        Verdict::Unknown => ("?", faint()),
    }
}

fn findings(page: &mut Page, report: &Report) {
    let confirmed = report.causes.iter().filter(|cause| cause.verdict == Verdict::Confirmed);
    let confirmed: Vec<_> = confirmed.collect();
    if confirmed.is_empty() {
        return;
    }
    page.heading("FINDINGS");
    for cause in confirmed {
        finding(page, cause);
    }
}

fn finding(page: &mut Page, cause: &CauseReport) {
    let severity = cause.severity.unwrap_or(Severity::Hygiene);
    let style = if severity >= Severity::Limiting { bad() } else { doubtful() };
    page.line(&format!("  {:<10}", severity.name()), style, 12, &format!("{}: {}", cause.id, cause.title));
    page.line("", strong(), 12, &cause.summary);
    let folded = cause.observations.iter().any(wording::is_folded_stack);
    if folded {
        page.line("            seen", faint(), 20, "where they wait: below, among the waiting tasks");
    }
    let seen = cause.observations.iter().filter(|seen| !wording::is_folded_stack(seen));
    for seen in seen.take(OBSERVATIONS) {
        page.line("            seen", faint(), 20, &wording::observation(seen));
    }
    for remedy in &cause.remedies {
        page.line("            remedy", good(), 20, &format!("{} ({})", remedy.title, remedy.moves));
        changes(page, remedy);
    }
}

/// The changes of a remedy. What is true of several in a row is said once, at the first.
fn changes(page: &mut Page, remedy: &Remedy) {
    let mut said = None;
    for change in &remedy.changes {
        page.line("              set", good(), 20, &wording::change(change));
        let same = (change.target.formula.as_str(), wording::terms(change));
        if said.as_ref() == Some(&same) {
            continue;
        }
        if let Some(formula) = wording::formula(change) {
            page.line("", strong(), 22, &formula);
        }
        page.line("", faint(), 22, &same.1);
        said = Some(same);
    }
}

/// The off-CPU profile: where tasks waited, as folded stacks.
fn waits(page: &mut Page, evidence: &Evidence) {
    let samples = &evidence.samples;
    let often = samples.waits.iter().filter(|wait| wait.samples * 4 >= u64::from(samples.task_passes));
    let often: Vec<_> = often.take(5).collect();
    if often.is_empty() || samples.task_passes == 0 {
        return;
    }
    page.heading(&format!("WAITING TASKS, sampled {} times", samples.task_passes));
    for wait in often {
        let mean = wait.samples as f64 / f64::from(samples.task_passes);
        let call = wait.syscall.as_deref().map(|call| format!(" in {call}()")).unwrap_or_default();
        let line = format!("{} × {}{call}, state {}", wording::figure(Some(mean)), wait.command, wait.state);
        page.line("  ", strong(), 2, &line);
        let known = !wait.stack.is_empty() || wait.wchan.is_some();
        let stack =
            if known { wait.folded().replace(';', " ; ") } else { "it had just been woken".to_owned() };
        page.line("", faint(), 6, &stack);
    }
}

fn stations(page: &mut Page, report: &Report, all: bool) {
    if report.stations.is_empty() {
        return;
    }
    let known = report.window.requests_per_s.is_some();
    let requests = |text: &str| if known { format!(" {text:>10}") } else { String::new() };
    let width = if known { 42 } else { 50 };
    page.heading(&format!(
        "{:<named$} {:>8} {:>8} {:>6} {:>8} {:>10}{}",
        "STATIONS",
        "busy",
        "of",
        "use",
        "waiting",
        "breaks at",
        requests("requests/s"),
        named = width + 2,
    ));
    let most = if all { usize::MAX } else { STATIONS };
    for station in report.stations.iter().take(most) {
        let mut what: String = station.station.what.chars().filter(|letter| !letter.is_control()).collect();
        if what.chars().count() >= width {
            what = what.chars().take(width - 2).chain(['…']).collect();
        }
        let row = format!(
            "  {what:<width$} {:>8} {:>8} {:>6} {:>8} {:>10}{}",
            wording::figure(station.station.busy),
            wording::figure(station.station.servers),
            wording::percent(station.utilization),
            wording::figure(station.station.waiting),
            wording::breaks_at(station),
            requests(&wording::requests_per_s(station)),
        );
        page.row(&row);
    }
    let left = report.stations.len().saturating_sub(most);
    if left > 0 {
        page.line("  ", faint(), 2, &format!("and {left} further from their limits (--all)"));
    }
}

fn others(page: &mut Page, report: &Report) {
    page.heading("ALSO TESTED");
    for cause in report.causes.iter().filter(|cause| cause.verdict != Verdict::Confirmed) {
        let (mark, style) = mark(cause.verdict);
        let label = format!("  {mark} {:<36} {:<10} ", cause.id, cause.verdict.name());
        page.line(&label, style, 52, &cause.summary);
    }
}

fn unread(page: &mut Page, report: &Report) {
    if report.unread.is_empty() {
        return;
    }
    page.heading("NOT READ");
    for unread in &report.unread {
        let text = format!("{} · to enable: {}", unread.why, unread.how_to_enable);
        page.line(&format!("  {:<10}", unread.layer), doubtful(), 12, &text);
    }
}

fn summary(page: &mut Page, report: &Report, all: bool) {
    page.gap();
    let tested = report.causes.len();
    let count = |verdict| report.causes.iter().filter(|cause| cause.verdict == verdict).count();
    let summary = format!(
        "{tested} causes tested: {} confirmed, {} consistent, {} ruled out, {} unknown{}",
        count(Verdict::Confirmed),
        count(Verdict::Consistent),
        count(Verdict::RuledOut),
        count(Verdict::Unknown),
        if all { "" } else { " (--all lists them)" },
    );
    page.line("", faint(), 0, &summary);
}

fn next(page: &mut Page, report: &Report, plan: Option<&str>) {
    let plan = plan.filter(|_| change::plan::asks_for_changes(report));
    let plan = plan.map(|command| (command.to_owned(), "what narrows can change, each undoable"));
    let first = report.causes.first().filter(|cause| cause.verdict == Verdict::Confirmed);
    let explain =
        first.map(|first| (format!("narrows explain {}", first.id), "what it means, how it is proved"));
    page.commands(&plan.into_iter().chain(explain).collect::<Vec<_>>());
}
