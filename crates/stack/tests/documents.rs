//! Runs every case in the documents beside causes and symptoms.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{ChangeKind, Outcome, Verdict};
use stack::document::{self, Block, Case, Document};
use stack::{Cause, Evidence, Symptom, layers};

mod support {
    pub(super) mod cases;
    pub(super) mod exactly;
}

use support::cases::evidence;
use support::exactly::exactly;

fn expectation<'a>(case: &Case<'a>, kind: &str) -> Option<Block<'a>> {
    case.blocks.iter().find(|block| block.kind == kind).cloned()
}

fn outcome(cause: &Cause, evidence: &Evidence) -> Outcome {
    (cause.test)(evidence).unwrap_or_else(Outcome::unknown)
}

fn shown(outcome: &Outcome) -> String {
    let mut text = format!("{} {}\n{}\n", outcome.verdict.name(), outcome.severity.name(), outcome.summary);
    for seen in &outcome.observations {
        let _ = writeln!(text, "seen {} {} = {}", seen.source, seen.field, seen.text());
    }
    for missing in &outcome.missing {
        let _ = writeln!(text, "lacks {}: {}", missing.what, missing.how);
    }
    for remedy in &outcome.remedies {
        let _ = writeln!(text, "remedy {} -> {}", remedy.title, remedy.moves);
        for change in &remedy.changes {
            let _ = writeln!(text, "remedy {} = {}", target(&change.what), change.target.value);
            for line in exactly(&change.what) {
                let _ = writeln!(text, "remedy exactly {line}");
            }
        }
    }
    text
}

fn target(what: &ChangeKind) -> String {
    match what {
        ChangeKind::Sysctl { key } => format!("sysctl {key}"),
        ChangeKind::IrqAffinity { irq, .. } => format!("irq {irq}"),
        ChangeKind::PacketSteering { path } => format!("steering {path}"),
        ChangeKind::Ring { interface, side } => format!("ring {interface} {side}"),
        ChangeKind::Channels { interface } => format!("channels {interface}"),
        ChangeKind::Qdisc { interface } => format!("qdisc {interface}"),
        ChangeKind::Mount { mount_point, .. } => format!("mount {mount_point}"),
        ChangeKind::File { path, .. } => format!("file {path}"),
        ChangeKind::ModuleParameter { name } => format!("module {name}"),
        ChangeKind::Unit { name, .. } => format!("unit {name}"),
        ChangeKind::Module { name } => format!("load {name}"),
        ChangeKind::BlockQueue { device, attribute } => format!("queue {device} {attribute}"),
        ChangeKind::SqlVariable { name, .. } => format!("variable {name}"),
        ChangeKind::SqlStatement { up, .. } => format!("statement {up}"),
        ChangeKind::Elsewhere { place } => format!("elsewhere {place}"),
    }
}

/// Compares `text` with the statements of an expectation; returns what does not hold.
fn unmet(statements: &str, text: &str) -> Vec<String> {
    let quoted = |line: &str| line.split_once('"').map(|(_, rest)| rest.trim_end_matches('"').to_owned());
    let mut failures = Vec::new();
    for line in statements.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let word = line.split_whitespace().next().unwrap_or_default();
        let holds = match (word, quoted(line)) {
            ("instants", _) => true,
            ("says", Some(wanted)) => text.contains(&wanted),
            ("never-says", Some(wanted)) => !text.contains(&wanted),
            ("lacks", Some(wanted)) => text.lines().any(|l| l.starts_with("lacks ") && l.contains(&wanted)),
            ("remedy", Some(wanted)) => text.lines().any(|l| l.starts_with("remedy ") && l.contains(&wanted)),
            ("no", None) => !text.lines().any(|l| l.starts_with("remedy ")),
            (_, None) => text.lines().next().is_some_and(|first| {
                let first = first.replace("ruled out", "ruled-out");
                line.split_whitespace().zip(first.split_whitespace()).all(|(wanted, found)| wanted == found)
            }),
            _ => false,
        };
        if !holds {
            failures.push(line.to_owned());
        }
    }
    failures
}

fn check_case(id: &str, case: &Case, kind: &str, text: &str, failures: &mut Vec<String>) {
    let Some(expected) = expectation(case, kind) else {
        failures.push(format!("{id}: case “{}” has no `{kind}` block", case.name));
        return;
    };
    for statement in unmet(expected.text, text) {
        failures
            .push(format!("{id}, line {}: “{}” wants `{statement}`, got:\n{text}", expected.line, case.name));
    }
}

fn check_prose(id: &str, title: &str, document: &Document, wanted: &[&str], failures: &mut Vec<String>) {
    if document.title != title {
        failures.push(format!("{id}: the document is titled “{}”, the code says “{title}”", document.title));
    }
    for heading in wanted {
        if !document.prose.contains(&format!("\n## {heading}\n")) {
            failures.push(format!("{id}: the document has no section “{heading}”"));
        }
    }
}

fn check_cause(cause: &Cause, failures: &mut Vec<String>) {
    let document = document::parse(cause.document);
    let headings =
        ["What it checks", "Why it matters", "Evidence", "What it changes", "Risk and undo", "Sources"];
    check_prose(cause.id, cause.title, &document, &headings, failures);
    let mut verdicts = BTreeMap::new();
    for case in &document.cases {
        let found = outcome(cause, &evidence(&document, case));
        *verdicts.entry(found.verdict.name()).or_insert(0) += 1;
        check_case(cause.id, case, "verdict", &shown(&found), failures);
    }
    let must = [Verdict::Confirmed, Verdict::RuledOut, Verdict::Unknown];
    for verdict in must.iter().filter(|verdict| !verdicts.contains_key(verdict.name())) {
        failures.push(format!("{}: no case ends {}", cause.id, verdict.name()));
    }
}

fn check_symptom(symptom: &Symptom, failures: &mut Vec<String>) {
    let document = document::parse(symptom.document);
    check_prose(
        symptom.id,
        symptom.title,
        &document,
        &["What it checks", "Why it matters", "Sources"],
        failures,
    );
    for case in &document.cases {
        let text = match (symptom.test)(&evidence(&document, case)) {
            Ok(presence) => {
                let state = if presence.present { "present" } else { "absent" };
                format!("{state}\n{}\n", presence.summary)
            }
            Err(missing) => format!("unknown\nlacks {}: {}\n", missing.what, missing.how),
        };
        check_case(symptom.id, case, "presence", &text, failures);
    }
}

#[test]
fn every_cause_ends_as_its_document_says() {
    let mut failures = Vec::new();
    layers::causes().for_each(|(_, cause)| check_cause(cause, &mut failures));
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[test]
fn every_symptom_is_present_as_its_document_says() {
    let mut failures = Vec::new();
    layers::symptoms().for_each(|(_, symptom)| check_symptom(symptom, &mut failures));
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[test]
fn identities_are_unique_and_begin_with_their_layer() {
    let causes = layers::causes().map(|(layer, cause)| (layer.id, cause.id));
    let symptoms = layers::symptoms().map(|(layer, symptom)| (layer.id, symptom.id));
    let mut seen = std::collections::BTreeSet::new();
    for (layer, id) in causes.chain(symptoms) {
        assert!(id.starts_with(&format!("{layer}.")), "{id} is listed in layer {layer}");
        assert!(seen.insert(id), "{id} is listed twice");
    }
}

#[test]
fn causes_name_symptoms_that_exist() {
    let known: Vec<_> = layers::symptoms().map(|(_, symptom)| symptom.id).collect();
    for (_, cause) in layers::causes() {
        for symptom in cause.explains.iter().chain(cause.refutes.iter().map(|r| &r.symptom)) {
            assert!(known.contains(symptom), "{} names {symptom}", cause.id);
        }
    }
}
