//! The report for an issue or a chat.

use std::fmt::Write;

use model::report::{CauseReport, Report};
use model::{Severity, Verdict};

use super::wording;

/// Renders a report.
pub(crate) fn report(report: &Report) -> String {
    let mut text = format!("# {}\n\n", inline(&wording::headline(&report.host, &report.window)));
    if let Some(cause) = report.causes.iter().find(|cause| wording::is_felt(cause)) {
        let _ = writeln!(text, "**Felt now:** {}\n", inline(&wording::felt(cause)));
    }
    if let Some(narrows) = &report.narrows {
        let _ = writeln!(text, "**The narrows:** {}\n", inline(&narrows.sentence));
    }
    symptoms(&mut text, report);
    findings(&mut text, report);
    stations(&mut text, report);
    if !report.unread.is_empty() {
        text.push_str("## Not read\n\n");
        for unread in &report.unread {
            let _ = writeln!(
                text,
                "- {}: {} · to enable: {}",
                unread.layer,
                inline(&unread.why),
                unread.how_to_enable
            );
        }
    }
    text
}

/// Text of the host inside a line of Markdown: nothing in it may act as markup.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if "|`*_<>[]".contains(letter) {
            safe.push('\\');
        }
        safe.push(letter);
    }
    safe
}

fn symptoms(text: &mut String, report: &Report) {
    text.push_str("## Symptoms\n\n");
    let mut none = true;
    for symptom in report.symptoms.iter().filter(|symptom| symptom.present == Some(true)) {
        none = false;
        let _ = writeln!(text, "- **{}**: {}", inline(&symptom.title), inline(&symptom.summary));
        for row in &symptom.differential {
            let _ = writeln!(text, "  - {} `{}`: {}", row.verdict.name(), row.cause, inline(&row.summary));
        }
    }
    if none {
        let _ = writeln!(text, "None of the {} that were looked for.", report.symptoms.len());
    }
    text.push('\n');
}

fn findings(text: &mut String, report: &Report) {
    text.push_str("## Findings\n\n");
    let confirmed = report.causes.iter().filter(|cause| cause.verdict == Verdict::Confirmed);
    confirmed.for_each(|cause| finding(text, cause));
    text.push('\n');
}

fn finding(text: &mut String, cause: &CauseReport) {
    let severity = cause.severity.unwrap_or(Severity::Hygiene).name();
    let _ = writeln!(
        text,
        "- **{severity}** `{}` {}: {}",
        cause.id,
        inline(&cause.title),
        inline(&cause.summary)
    );
    for seen in &cause.observations {
        let _ = writeln!(text, "  - seen: {}", inline(&wording::observation(seen)));
    }
    for remedy in &cause.remedies {
        let _ = writeln!(text, "  - remedy: {} ({})", inline(&remedy.title), inline(&remedy.moves));
        for change in &remedy.changes {
            let _ = writeln!(text, "    - {}", inline(&wording::change(change)));
            if let Some(formula) = wording::formula(change) {
                let _ = writeln!(text, "    - {}", inline(&formula));
            }
            let _ = writeln!(text, "    - {}", inline(&wording::terms(change)));
        }
    }
}

fn stations(text: &mut String, report: &Report) {
    let known = report.window.requests_per_s.is_some();
    let requests = |cell: &str| if known { format!(" {cell} |") } else { String::new() };
    let _ = writeln!(
        text,
        "## Stations\n\n| station | busy | of | use | waiting | breaks at |{}\n|---|--:|--:|--:|--:|--:|{}",
        requests("requests/s"),
        if known { "--:|" } else { "" }
    );
    for station in &report.stations {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |{}",
            inline(&station.station.what),
            wording::figure(station.station.busy),
            wording::figure(station.station.servers),
            wording::percent(station.utilization),
            wording::figure(station.station.waiting),
            wording::breaks_at(station),
            requests(&wording::requests_per_s(station))
        );
    }
    text.push('\n');
}
