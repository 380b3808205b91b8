//! Advice, tried on copies of the tables.

use std::collections::BTreeSet;

use advice::trial::{Limits, Place, Sample, Stop, Trial};
use advice::{Advice, Query};
use anyhow::Context;

use super::tables::Tables;
use crate::exit::UsageError;

/// Tries each piece of advice that can be tried; what cannot is kept, and said.
pub(super) fn all(
    tables: &Tables,
    queries: &[Query],
    advice: &mut [Advice],
    unread: &mut Vec<String>,
) -> anyhow::Result<()> {
    let Some(opened) = &tables.opened else {
        return Err(UsageError("--try copies tables from a server: name it with --server".to_owned()).into());
    };
    let database = opened.database.clone().unwrap_or_default();
    let names: Vec<String> = tables
        .schema
        .tables
        .values()
        .map(|table| table.name.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if names.is_empty() || advice.is_empty() {
        return Ok(());
    }
    let stop = Stop::default();
    let interrupted = stop.clone();
    ::prove::interrupt::on_interrupt(move |_| interrupted.now())?;
    let mut trial =
        Trial::prepare(&opened.login, &database, &names, Place::ThrowAway, &Limits::default(), &stop)
            .context("prepare the trial")?;
    for one in advice.iter_mut() {
        let samples: Vec<Sample> = queries
            .iter()
            .filter(|query| one.classes.contains(&query.class) && query.statement.is_ok())
            .map(|query| Sample { class: query.class.clone(), sql: query.sql.clone() })
            .collect();
        let cures = !one.up.is_empty() || !one.rewrites.is_empty();
        if samples.is_empty() || !cures {
            continue;
        }
        match trial.of(&here(one, &database), &samples) {
            Ok(outcome) => one.trial = Some(outcome),
            Err(error) => unread.push(format!("`{}` was not tried: {error}", one.title)),
        }
    }
    trial.end().context("remove the copies of the trial")
}

/// The advice with probes that look into whatever schema the copies are in.
fn here(advice: &Advice, database: &str) -> Advice {
    let mut advice = advice.clone();
    let named = format!("table_schema = '{}'", database.replace('\'', "''"));
    for step in &mut advice.up {
        step.probe = step.probe.replace(&named, "table_schema = DATABASE()");
    }
    advice
}
