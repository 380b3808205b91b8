//! `cargo xtask claims`: the ledger of claims that narrows was built to judge.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;
use stack::{document, layers};

#[derive(Debug, Deserialize)]
struct Ledger {
    claim: Vec<Claim>,
}

/// One claim of an incident report, and what decides it.
#[derive(Debug, Deserialize)]
struct Claim {
    id: String,
    verdict: String,
    /// The cause that decides it, or `open`.
    decided_by: String,
    /// The case in the cause's document that shows it.
    #[serde(default)]
    case: Option<String>,
}

const VERDICTS: &[&str] = &["right", "right-if", "wrong", "dangerous", "unverifiable"];

/// Checks the ledger against the documents of causes and prints the counts.
pub(crate) fn run() -> anyhow::Result<()> {
    let path = crate::root().join("docs/claims.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let ledger: Ledger = toml::from_str(&text).context("docs/claims.toml is not well-formed")?;
    let wrong: Vec<_> = ledger.claim.iter().filter_map(problem).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for claim in &ledger.claim {
        let (decided, all) = counts.entry(&claim.verdict).or_default();
        *decided += usize::from(claim.decided_by != "open");
        *all += 1;
    }
    println!("claims decided by a cause and shown by a case of its document:");
    for verdict in VERDICTS {
        let (decided, all) = counts.get(verdict).copied().unwrap_or_default();
        println!("  {verdict:<13} {decided:>3} of {all}");
    }
    let decided: usize = counts.values().map(|(decided, _)| decided).sum();
    println!("  {:<13} {decided:>3} of {}", "all", ledger.claim.len());
    if !wrong.is_empty() {
        bail!("docs/claims.toml does not hold:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// What is wrong with a claim's entry.
fn problem(claim: &Claim) -> Option<String> {
    if !VERDICTS.contains(&claim.verdict.as_str()) {
        return Some(format!("{}: “{}” is no verdict", claim.id, claim.verdict));
    }
    if claim.decided_by == "open" {
        return None;
    }
    let causes = layers::causes().map(|(_, cause)| (cause.id, cause.document));
    let symptoms = layers::symptoms().map(|(_, symptom)| (symptom.id, symptom.document));
    let found = causes.chain(symptoms).find(|(id, _)| *id == claim.decided_by);
    let Some((_, text)) = found else {
        return Some(format!("{}: no cause or symptom is named {}", claim.id, claim.decided_by));
    };
    let Some(wanted) = &claim.case else {
        return Some(format!("{}: it names no case", claim.id));
    };
    let document = document::parse(text);
    let shown = document.cases.iter().any(|case| case.name == wanted);
    (!shown).then(|| format!("{}: {} has no case “{wanted}”", claim.id, claim.decided_by))
}
