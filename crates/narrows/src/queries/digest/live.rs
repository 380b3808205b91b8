//! `narrows queries digest --live`: what a server counts itself.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use querylog::fingerprint::Options;
use querylog::live::{Reading, Row, SUMS, between};
use querylog::report::Aggregate;

use super::super::server::{self, Opened};
use crate::arguments::queries::digest::Digest;
use crate::arguments::queries::server::Server;
use crate::exit::UsageError;

/// The shortest span: rates are by the second.
const LEAST: Duration = Duration::from_secs(1);
/// The name that only our own statement gives a column, by which it is left out.
const OWN: &str = "narrows_reading_of_digests";
/// What must be on for the server to count, in its order of precedence.
const CONSUMERS: [&str; 2] = ["global_instrumentation", "statements_digest"];

/// Reads twice, and takes the difference.
pub(super) fn digest(arguments: &Digest, options: &Options) -> anyhow::Result<querylog::Digest> {
    check(arguments)?;
    let live = &arguments.live;
    let mut opened = server::open(&Server {
        server: live.server.clone(),
        user: arguments.select.user.first().cloned(),
        defaults_file: live.defaults_file.clone(),
        database: None,
    })?;
    counts(&mut opened)?;
    let statement = statement(&mut opened)?;
    let patience = live.time.as_secs() + 600;
    opened.connection.execute(&format!("SET SESSION wait_timeout = {patience}"))?;
    let (start, start_us) = (Instant::now(), Timestamp::now().as_microsecond());
    let before = Reading { rows: rows(&mut opened, &statement)?, at_us: start_us };
    std::thread::sleep(live.time.saturating_sub(start.elapsed()));
    let passed_us = i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX);
    let after = Reading { rows: rows(&mut opened, &statement)?, at_us: start_us.saturating_add(passed_us) };
    let wanted = &arguments.select.db;
    let keep = |schema: &[u8]| wanted.is_empty() || wanted.iter().any(|name| name.as_bytes() == schema);
    let server = format!("{} ({})", opened.address, opened.version);
    Ok(between(&before, &after, &server, options, &keep))
}

fn check(arguments: &Digest) -> Result<(), UsageError> {
    let wrong = |why: &str| Err(UsageError(why.to_owned()));
    if arguments.live.time < LEAST {
        return wrong("--live --for takes at least a second");
    }
    if arguments.select.user.len() > 1 {
        return wrong("with --live, --user is the user who asks the server: name one");
    }
    match arguments.order_by.aggregate {
        Aggregate::Min | Aggregate::Max => {
            wrong("--live knows sums only, and no least or largest values: rank by sum, avg or cnt")
        }
        _ => Ok(()),
    }
}

/// Whether the server counts at all.
fn counts(opened: &mut Opened) -> anyhow::Result<()> {
    let address = opened.address.clone();
    let on = opened.connection.query("SELECT @@GLOBAL.performance_schema")?;
    if on.first() != Some("1") {
        bail!(
            "{address} counts no statements: its performance_schema is off. Put `performance_schema=ON` below [mysqld] in \
             my.cnf and restart the server"
        );
    }
    let consumers = "SELECT NAME FROM performance_schema.setup_consumers WHERE ENABLED = 'YES'";
    let enabled = opened.connection.query(consumers).with_context(grant)?;
    for consumer in CONSUMERS {
        if !enabled.values("NAME").any(|name| name == consumer) {
            bail!(
                "{address} counts no statements: its consumer {consumer} is off. Turn it on: UPDATE \
                 performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = '{consumer}'"
            );
        }
    }
    Ok(())
}

fn grant() -> String {
    "read performance_schema, which takes GRANT SELECT ON performance_schema.*".to_owned()
}

/// The statement that reads the table; servers before MySQL 8.0.3 and all MariaDB keep no sample.
fn statement(opened: &mut Opened) -> anyhow::Result<String> {
    let known = opened.connection.query(
        "SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_SCHEMA = 'performance_schema' \
         AND TABLE_NAME = 'events_statements_summary_by_digest'",
    )?;
    let has =
        |column: &str| known.rows.iter().flatten().flatten().any(|name| name.eq_ignore_ascii_case(column));
    let sample = if has("QUERY_SAMPLE_TEXT") { "QUERY_SAMPLE_TEXT" } else { "NULL" };
    let sums: Vec<&str> = SUMS.iter().map(|(column, _)| if has(column) { column } else { "0" }).collect();
    Ok(format!(
        "SELECT SCHEMA_NAME AS {OWN}, DIGEST, DIGEST_TEXT, {sample}, FIRST_SEEN, COUNT_STAR, {} \
         FROM performance_schema.events_statements_summary_by_digest",
        sums.join(", ")
    ))
}

fn rows(opened: &mut Opened, statement: &str) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    opened.connection.each_row(statement, |cells| rows.push(row(cells))).with_context(grant)?;
    rows.retain(|row: &Row| !String::from_utf8_lossy(&row.text).contains(OWN));
    Ok(rows)
}

fn row(cells: Vec<Option<Vec<u8>>>) -> Row {
    let mut cells = cells.into_iter();
    let mut next = || cells.next().flatten();
    let mut row = Row {
        schema: next().unwrap_or_default(),
        digest: next(),
        text: next().unwrap_or_default(),
        sample: next(),
        first_seen: next().unwrap_or_default(),
        ..Row::default()
    };
    let mut number = || {
        let cell = next()?;
        std::str::from_utf8(&cell).ok()?.parse::<u64>().ok()
    };
    row.count = number().unwrap_or_default();
    row.sums = std::array::from_fn(|_| number().unwrap_or_default());
    row
}
