//! A plan of the advice, for `narrows apply`.

use std::path::Path;

use change::plan::{AskedFor, PlanOptions, of_remedies};
use host::LiveHost;
use model::{Change, Observation, Remedy, Severity};

use super::tables::Tables;
use super::{Found, Weighed};
use crate::arguments::databases::Databases;
use crate::arguments::queries::server::Server;
use crate::exit::UsageError;

/// Writes the plan of all advice that has statements.
pub(super) fn write(found: &Found, tables: &Tables, how: &Server, path: &Path) -> anyhow::Result<()> {
    let Some(opened) = &tables.opened else {
        return Err(UsageError("--plan needs the server that it is for".to_owned()).into());
    };
    let server = opened.address.to_string();
    let asked: Vec<AskedFor> = found
        .advice
        .iter()
        .filter(|one| !one.advice.up.is_empty())
        .map(|one| asked_for(one, &server))
        .collect();
    let named = format!("{}@{server}", opened.login.user);
    let databases = Databases { database: vec![named], defaults_file: how.defaults_file.clone() };
    let databases = change::kinds::Databases { schema: opened.database.clone(), ..databases.of_plan() };
    let options = PlanOptions { databases, ..PlanOptions::default() };
    let plan = of_remedies(&LiveHost::new(), &asked, &options)?;
    host::write_local(path, format!("{}\n", serde_json::to_string_pretty(&plan)?).as_bytes())?;
    Ok(())
}

fn asked_for(one: &Weighed, server: &str) -> AskedFor {
    let advice = &one.advice;
    let mut remedy = Remedy::new(advice.title.clone(), "rows examined by its queries");
    remedy.changes = advice
        .up
        .iter()
        .map(|step| {
            let undo = step.undo.as_deref().unwrap_or_default();
            let change = Change::sql_statement(server, &step.sql, undo, &step.probe);
            if step.until_no_rows { change.until_no_rows() } else { change }
        })
        .collect();
    let evidence =
        advice.why.iter().map(|why| Observation::new("narrows queries advise", "why", why.as_str()));
    AskedFor {
        id: advice.id.clone(),
        severity: if advice.classes.is_empty() { Severity::Hygiene } else { Severity::Latent },
        why: advice.why.first().cloned().unwrap_or_default(),
        evidence: evidence.collect(),
        remedy,
    }
}
