//! Plans what a person wishes, for `lab/guest/hands`: no diagnosis asks for it, and all else is as `narrows plan` does it.
//!
//! Reads a JSON list of `{"what": ChangeKind, "value": "…"}`, where a file's edits need no value, and prints the plan.
//! What narrows refuses to change is printed to standard error, and the exit status is 1.

use std::io::Write;

use change::plan::{PlanOptions, plan};
use model::report::{CauseReport, HostIdentity, Report, SCHEMA, WindowSummary};
use model::{Change, ChangeKind, Derived, Remedy, Severity, Verdict};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Wish {
    what: ChangeKind,
    #[serde(default)]
    value: String,
}

fn main() -> Result<(), Error> {
    let wishes: Vec<Wish> = serde_json::from_reader(std::io::stdin().lock())?;
    let plan = plan(&report(wishes), &host::LiveHost::new(), &PlanOptions::default())?;
    for refused in &plan.refused {
        writeln!(std::io::stderr(), "refused: {}; {}", refused.because, refused.instead)?;
    }
    std::io::stdout().write_all(&serde_json::to_vec_pretty(&plan)?)?;
    if plan.refused.is_empty() { Ok(()) } else { Err("not everything can be planned".into()) }
}

/// One cause that asks for everything.
fn report(wishes: Vec<Wish>) -> Report {
    let change = |Wish { what, value }| {
        let value = Derived::new(value, "by hand");
        match what {
            ChangeKind::Sysctl { key } => Change::sysctl(&key, None, value), // it lasts only where a file is named
            what => Change::new(what, None, value),
        }
    };
    let remedy = wishes.into_iter().map(change).fold(Remedy::new("an example", "nothing"), Remedy::change);
    let cause = CauseReport {
        id: "lab.wish".to_owned(),
        layer: "lab".to_owned(),
        title: "a person wishes it".to_owned(),
        verdict: Verdict::Confirmed,
        severity: Some(Severity::Limiting),
        summary: "no numbers".to_owned(),
        observations: vec![],
        explains: vec![],
        remedies: vec![remedy],
        missing: vec![],
    };
    Report {
        schema: SCHEMA.to_owned(),
        host: HostIdentity::default(),
        window: WindowSummary::default(),
        narrows: None,
        stations: vec![],
        symptoms: vec![],
        causes: vec![cause],
        unread: vec![],
    }
}
