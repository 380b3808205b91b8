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
    /// The cause or symptom that decides it, `tests`, or `open`.
    decided_by: String,
    /// The cases in its document that show it; tests of the code as `FILE::NAME`.
    #[serde(default)]
    cases: Vec<String>,
}

/// What stands in place of a cause where tests of the code decide a claim: those of the digest and of advice have no causes.
const TESTS: &str = "tests";

const VERDICTS: &[&str] = &["right", "right-if", "wrong", "dangerous", "unverifiable"];

/// Checks the ledger against the documents of causes and prints the counts.
pub(crate) fn run() -> anyhow::Result<()> {
    let path = crate::root().join("docs/claims.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let ledger: Ledger = toml::from_str(&text).context("docs/claims.toml is not well-formed")?;
    let mut claims: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    ledger.claim.iter().for_each(|claim| claims.entry(&claim.id).or_default().push(claim));
    print(&claims);
    let entries = ledger.claim.iter().filter_map(problem);
    let wrong: Vec<_> = entries.chain(claims.values().filter_map(|entries| one_sided(entries))).collect();
    if !wrong.is_empty() {
        bail!("docs/claims.toml does not hold:\n{}", wrong.join("\n"));
    }
    Ok(())
}

fn print(claims: &BTreeMap<&str, Vec<&Claim>>) {
    println!("claims decided by a cause or symptom, and shown by cases of its document, or by tests:");
    let verdict_of = |entries: &[&Claim], verdict: &str| entries.iter().any(|claim| claim.verdict == verdict);
    let row = |name: &str, wanted: &dyn Fn(&[&Claim]) -> bool| {
        let all = claims.values().filter(|entries| wanted(entries));
        let decided = all.clone().filter(|entries| is_decided(entries)).count();
        println!("  {name:<13} {decided:>3} of {}", all.count());
    };
    for verdict in VERDICTS {
        row(verdict, &|entries| verdict_of(entries, verdict));
    }
    row("all", &|_| true);
}

fn is_decided(entries: &[&Claim]) -> bool {
    entries.iter().any(|claim| claim.decided_by != "open")
}

/// A claim that is right under a condition is shown by a case on either side of it.
fn one_sided(entries: &Vec<&Claim>) -> Option<String> {
    let first = entries.first()?;
    let cases: usize = entries.iter().map(|claim| claim.cases.len()).sum();
    let one_sided = first.verdict == "right-if" && is_decided(entries) && cases < 2;
    one_sided
        .then(|| format!("{}: it is right under a condition, and only one side of it has a case", first.id))
}

/// What is wrong with a claim's entry.
fn problem(claim: &Claim) -> Option<String> {
    if !VERDICTS.contains(&claim.verdict.as_str()) {
        return Some(format!("{}: “{}” is no verdict", claim.id, claim.verdict));
    }
    if claim.decided_by == "open" {
        return None;
    }
    if claim.decided_by == TESTS {
        return untested(claim);
    }
    let causes = layers::causes().map(|(_, cause)| (cause.id, cause.document));
    let symptoms = layers::symptoms().map(|(_, symptom)| (symptom.id, symptom.document));
    let found = causes.chain(symptoms).find(|(id, _)| *id == claim.decided_by);
    let Some((_, text)) = found else {
        return Some(format!("{}: no cause or symptom is named {}", claim.id, claim.decided_by));
    };
    let document = document::parse(text);
    let shown = |wanted: &String| document.cases.iter().any(|case| case.name == wanted);
    if claim.cases.is_empty() {
        return Some(format!("{}: it names no case", claim.id));
    }
    let unknown = claim.cases.iter().find(|wanted| !shown(wanted))?;
    Some(format!("{}: {} has no case “{unknown}”", claim.id, claim.decided_by))
}

/// What is wrong with a claim that tests decide: each must stand in the file that is named.
fn untested(claim: &Claim) -> Option<String> {
    if claim.cases.is_empty() {
        return Some(format!("{}: it names no test", claim.id));
    }
    let stands = |case: &String| {
        let (file, name) = case.split_once("::")?;
        let text = std::fs::read_to_string(crate::root().join(file)).ok()?;
        text.contains(&format!("#[test]\nfn {name}("))
            .then_some(())
            .or_else(|| text.contains(&format!("#[test]\n    fn {name}(")).then_some(()))
    };
    let absent = claim.cases.iter().find(|case| stands(case).is_none())?;
    Some(format!("{}: there is no test “{absent}”", claim.id))
}
