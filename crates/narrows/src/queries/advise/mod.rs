//! `narrows queries advise`.

mod asked;
mod planned;
mod tables;
mod tried;

use advice::{Advice, Case, Query, RULES, Schema};
use serde::Serialize;

use crate::arguments::Format;
use crate::arguments::queries::advise::Advise;
use crate::exit::{Exit, UsageError};
use crate::{output, render};

/// What was found, as it is printed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Found {
    /// What the tables were read from.
    pub(crate) source: String,
    /// How many queries, or classes of them, were looked at.
    pub(crate) queries: usize,
    /// Seconds that they took, where a log counts them.
    pub(crate) time_s: f64,
    /// Advice, that for which most time is at stake first.
    pub(crate) advice: Vec<Weighed>,
    /// Advice that did not help in its trial.
    pub(crate) withdrawn: Vec<Weighed>,
    /// What could not be looked at, and why.
    pub(crate) unread: Vec<String>,
}

/// A piece of advice, and the time it is about.
#[derive(Debug, Serialize)]
pub(crate) struct Weighed {
    /// Seconds that its queries took, where a log counts them.
    pub(crate) time_at_stake_s: f64,
    /// The advice.
    #[serde(flatten)]
    pub(crate) advice: Advice,
}

/// Advises, prints, and writes a plan where one is asked for.
pub(crate) fn run(arguments: &Advise) -> anyhow::Result<Exit> {
    let asked = asked::queries(arguments)?;
    if asked.is_empty() {
        return Err(UsageError("name a log or digest, or a query with --query".to_owned()).into());
    }
    let mut tables = tables::read(arguments, &asked)?;
    let queries: Vec<Query> = asked
        .into_iter()
        .map(|asked| Query::new(asked.class, asked.sql, &tables.schema, asked.figures))
        .collect();
    let (typed, mut unread) = tables.restructured(&queries);
    let case = Case { queries: &queries, schema: &tables.schema };
    let mut advice = advice::advise(&case, RULES);
    // A typed table does what the advice to keep a value apart only asks for.
    let served = |advice: &Advice| {
        typed.iter().any(|typed| advice.classes.iter().all(|class| typed.classes.contains(class)))
    };
    advice.retain(|one| one.id != "query.leading-wildcard" || !one.up.is_empty() || !served(one));
    advice.extend(typed);
    advice.sort_by(|a, b| case.time_at_stake(b).total_cmp(&case.time_at_stake(a)));
    unread.extend(unparsed(&queries));
    unread.extend(unknown(&queries, &tables.schema));
    if arguments.try_it {
        tried::all(&tables, &queries, &mut advice, &mut unread)?;
    }
    let weighed = |advice: Advice| Weighed { time_at_stake_s: case.time_at_stake(&advice), advice };
    let (withdrawn, kept): (Vec<Advice>, Vec<Advice>) =
        advice.into_iter().partition(|advice| advice.trial.as_ref().is_some_and(|trial| !trial.helps));
    let found = Found {
        source: tables.source(),
        queries: queries.len(),
        time_s: queries.iter().map(|query| query.figures.time_s).sum(),
        advice: kept.into_iter().map(weighed).collect(),
        withdrawn: withdrawn.into_iter().map(weighed).collect(),
        unread,
    };
    if let Some(path) = &arguments.plan {
        planned::write(&found, &tables, &arguments.server, path)?;
    }
    output::print(&match arguments.format {
        Format::Human => render::advice::human(&found, arguments.plan.as_deref()),
        Format::Markdown => render::advice::markdown(&found),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&found)?),
    })?;
    Ok(if found.advice.is_empty() { Exit::Clear } else { Exit::Findings })
}

/// Statements that the parser does not know.
fn unparsed(queries: &[Query]) -> impl Iterator<Item = String> {
    queries.iter().filter_map(|query| {
        let error = query.statement.as_ref().err()?;
        let beginning: String =
            query.sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
        Some(format!("{error}: `{beginning}…` (class {}) is known by its fingerprint only", query.class))
    })
}

/// Tables that queries read and the schema lacks, without which most rules say nothing.
fn unknown(queries: &[Query], schema: &Schema) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    for statement in queries.iter().filter_map(|query| query.statement.as_ref().ok()) {
        for place in statement.places().filter(|place| statement.definition(schema, *place).is_none()) {
            names.extend(statement.table(place).map(|table| table.name.clone()));
        }
    }
    names
        .into_iter()
        .map(|name| format!("the table `{name}` is not known: nothing is said of its indexes"))
        .collect()
}
