//! What all reports say of a class.

use crate::attribute::Attribute;
use crate::class::Class;
use crate::metric::Metric;
use crate::report::lossy;
use crate::tables::{Table, tables as named_tables};

/// What the class does to which tables, by its worst statement.
pub(super) fn distillate(class: &Class) -> Vec<u8> {
    crate::distill(class.worst().map_or(class.fingerprint(), |sample| &sample.query))
}

/// The schema that was in use: the sample's, or one that the class has.
pub(super) fn database(class: &Class) -> Option<String> {
    let sample = class.worst().map(|sample| lossy(&sample.db)).filter(|db| !db.is_empty());
    let seen = || {
        class
            .text(Attribute::DB)
            .map(|seen| seen.max().map(lossy).unwrap_or_default())
            .filter(|db| !db.is_empty())
    };
    sample.or_else(seen)
}

/// The tables of the worst statement.
pub(super) fn tables(class: &Class) -> Vec<Table> {
    let query = class.worst().map_or(class.fingerprint(), |sample| &sample.query);
    named_tables(query, database(class).as_deref())
}

/// The statement that says how large a table is.
pub(super) fn status_statement(table: &Table) -> String {
    let from = table.database.as_ref().map(|database| format!(" FROM `{database}`")).unwrap_or_default();
    format!("SHOW TABLE STATUS{from} LIKE '{}'\\G", table.name)
}

/// The statement that says how a table is made.
pub(super) fn create_statement(table: &Table) -> String {
    let parts =
        [table.database.as_deref(), Some(&*table.name)].into_iter().flatten().filter(|part| !part.is_empty());
    let quoted: Vec<String> = parts.map(|part| format!("`{}`", part.replace('`', "``"))).collect();
    format!("SHOW CREATE TABLE {}\\G", quoted.join("."))
}

/// The class's share of all time, from 0 to 1.
pub(super) fn time_share(class: &Class, total: &Class) -> f64 {
    let sum = |class: &Class| class.metric(Attribute::QUERY_TIME).map_or(0.0, Metric::sum);
    let all = sum(total);
    if all > 0.0 { sum(class) / all } else { 0.0 }
}

/// Below which 95 % of the times lie, in seconds, where that is known.
pub(super) fn percentile_95(class: &Class) -> Option<f64> {
    let time = class.metric(Attribute::QUERY_TIME).filter(|time| time.has_spread())?;
    Some(time.spread().percentile_95)
}

/// Rows examined for each row sent.
pub(super) fn examined_per_sent(class: &Class) -> Option<f64> {
    let sum = |attribute| class.metric(attribute).map(Metric::sum);
    let sent = sum(Attribute::ROWS_SENT).filter(|sent| *sent > 0.0)?;
    Some(sum(Attribute::ROWS_EXAMINED)? / sent)
}

/// How often, and how many at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// Events a second.
    pub(super) per_second: f64,
    /// Seconds of the attribute a second: how many run at a time, if it is a time.
    pub(super) concurrency: f64,
}

/// Rates between the first and the last event, whose times are known to the second; none where that is no time.
pub(super) fn rates(class: &Class, attribute: Attribute) -> Option<Rates> {
    let seconds = class.last()?.civil_s() - class.first()?.civil_s();
    let metric = class.metric(attribute)?;
    (seconds > 0).then(|| Rates {
        per_second: metric.count() as f64 / seconds as f64,
        concurrency: metric.sum() / seconds as f64,
    })
}

/// Whether it is one of the two attributes that say which events the server left out.
pub(super) fn is_rate(attribute: Attribute) -> bool {
    matches!(attribute.name(), "Log_slow_rate_type" | "Log_slow_rate_limit")
}

/// What the server logged only a part of: `query` or `session`, and one of how many.
pub(super) fn rate_limit(class: &Class) -> Option<(String, u64)> {
    let value =
        |name| class.text(Attribute::find(name)?).map(|texts| texts.max().map(lossy).unwrap_or_default());
    let limit = value("Log_slow_rate_limit")?.parse().ok()?;
    Some((value("Log_slow_rate_type").unwrap_or_else(|| "session".to_owned()), limit))
}
