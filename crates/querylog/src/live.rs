//! Digests of what a server itself counted: the difference of two readings of
//! `performance_schema.events_statements_summary_by_digest`.
//!
//! The server keeps count and sums for each normalized statement. How they spread over the events of a span of time is not
//! known: its least and largest values are those since it started, so a digest of two readings has none.

use std::collections::HashMap;

use crate::attribute::{Attribute, Unit};
use crate::digest::Digest;
use crate::fingerprint::{Options, fingerprint_with};
use crate::metric::Metric;
use crate::time::Time;

/// What the table sums up, by the names of its columns, and what a slow log calls it. Times are picoseconds.
pub const SUMS: [(&str, &str); 12] = [
    ("SUM_TIMER_WAIT", "Query_time"),
    ("SUM_LOCK_TIME", "Lock_time"),
    ("SUM_ROWS_SENT", "Rows_sent"),
    ("SUM_ROWS_EXAMINED", "Rows_examined"),
    ("SUM_ROWS_AFFECTED", "Rows_affected"),
    ("SUM_CREATED_TMP_TABLES", "Tmp_tables"),
    ("SUM_CREATED_TMP_DISK_TABLES", "Tmp_disk_tables"),
    ("SUM_SORT_MERGE_PASSES", "Merge_passes"),
    ("SUM_SELECT_FULL_JOIN", "Select_full_join"),
    ("SUM_NO_INDEX_USED", "No_index_used"),
    ("SUM_ERRORS", "Errors"),
    ("SUM_WARNINGS", "Warnings"),
];
/// Picoseconds of a microsecond.
const PICOSECONDS: u128 = 1_000_000;
/// A text that the server cut ends so.
const CUT: &[u8] = b"...";

/// A row of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The default schema.
    pub schema: Vec<u8>,
    /// The server's name of the normalized statement; none in the row of those for which the table had no room.
    pub digest: Option<Vec<u8>>,
    /// The normalized statement.
    pub text: Vec<u8>,
    /// A statement as it was sent, where the server keeps one (MySQL since 8.0.3).
    pub sample: Option<Vec<u8>>,
    /// When it was first met, as the server writes it: another time says that the row was made anew.
    pub first_seen: Vec<u8>,
    /// How many statements.
    pub count: u64,
    /// By the place in [`SUMS`].
    pub sums: [u64; SUMS.len()],
}

/// The table at a moment.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Its rows.
    pub rows: Vec<Row>,
    /// When it was read, in microseconds since 1970, UTC.
    pub at_us: i64,
}

/// What a class gathers before it is rounded.
#[derive(Default)]
struct Gathered {
    count: u64,
    sums: [u128; SUMS.len()],
    schemas: Vec<(Vec<u8>, u64)>,
}

/// What was met on the way.
#[derive(Default)]
struct Met {
    by_sample: u64,
    by_text: u64,
    lost: u64,
    lost_time_ps: u64,
    anew: u64,
}

/// The digest of what ran between two readings. `server` is named in its notes; `keep` says which schemas count.
#[must_use]
pub fn between(
    before: &Reading,
    after: &Reading,
    server: &str,
    options: &Options,
    keep: &dyn Fn(&[u8]) -> bool,
) -> Digest {
    let known: HashMap<_, _> = before.rows.iter().map(|row| ((&row.schema, &row.digest), row)).collect();
    let (mut digest, mut met) = (Digest::default(), Met::default());
    let mut classes: HashMap<Vec<u8>, Gathered> = HashMap::new();
    for row in &after.rows {
        let Some(delta) = delta(row, known.get(&(&row.schema, &row.digest)).copied(), &mut met) else {
            continue;
        };
        if row.digest.is_none() {
            met.lost += delta.count;
            met.lost_time_ps = met.lost_time_ps.wrapping_add(delta.sums[0]);
            continue;
        }
        if !keep(&row.schema) {
            digest.unselected += delta.count;
            continue;
        }
        let gathered = classes.entry(class_of(row, options, &mut met)).or_default();
        gathered.count += delta.count;
        for (sum, more) in gathered.sums.iter_mut().zip(delta.sums) {
            *sum += u128::from(more);
        }
        gathered.schemas.push((row.schema.clone(), delta.count));
    }
    let seconds = (after.at_us - before.at_us + 500_000) / 1_000_000;
    let first = Time::from_unix(before.at_us.div_euclid(1_000_000));
    let last = Time::from_unix(first.civil_s() + seconds.max(1));
    for (fingerprint, gathered) in classes {
        digest.events += gathered.count;
        put(&mut digest, fingerprint, &gathered, (first, last));
    }
    digest.notes = notes(&met, server, (after.at_us - before.at_us) as f64 / 1e6);
    digest
}

/// What was added to a row; `None` where nothing was. Sums of picoseconds wrap around after 213 days.
fn delta(after: &Row, before: Option<&Row>, met: &mut Met) -> Option<Row> {
    let same = before.filter(|before| before.first_seen == after.first_seen && before.count <= after.count);
    met.anew += u64::from(before.is_some() && same.is_none());
    let mut delta = Row { count: after.count, sums: after.sums, ..Row::default() };
    if let Some(before) = same {
        delta.count -= before.count;
        for (sum, earlier) in delta.sums.iter_mut().zip(before.sums) {
            *sum = sum.wrapping_sub(earlier);
        }
    }
    (delta.count > 0).then_some(delta)
}

/// The fingerprint, of a whole statement if there is one.
fn class_of(row: &Row, options: &Options, met: &mut Met) -> Vec<u8> {
    let whole = row.sample.as_ref().filter(|sample| !sample.is_empty() && !sample.ends_with(CUT));
    *if whole.is_some() { &mut met.by_sample } else { &mut met.by_text } += 1;
    fingerprint_with(whole.unwrap_or(&row.text), options)
}

fn put(digest: &mut Digest, fingerprint: Vec<u8>, gathered: &Gathered, (first, last): (Time, Time)) {
    let place = digest.place_of(fingerprint);
    let Some(class) = digest.classes.get_mut(place as usize) else { return };
    class.count = gathered.count;
    for ((_, name), sum) in SUMS.iter().zip(gathered.sums) {
        let Some(attribute) = Attribute::of(name) else { continue };
        let unit = attribute.unit();
        let sum = if unit == Unit::Microseconds { (sum + PICOSECONDS / 2) / PICOSECONDS } else { sum };
        *class.metric_mut(attribute) = Metric::of_sum(unit, gathered.count, sum);
    }
    for (schema, count) in gathered.schemas.iter().filter(|(schema, _)| !schema.is_empty()) {
        class.texts_mut(Attribute::DB).add_many(crate::texts::hash(schema), schema, *count);
    }
    (class.first, class.last) = (Some(first), Some(last));
}

fn notes(met: &Met, server: &str, seconds: f64) -> Vec<String> {
    let mut notes = vec![format!(
        "Counted by the server {server} (performance_schema) between two readings {seconds:.1} s apart; times are those of the \
         readings. Sums only: least and largest values and quantiles of such a span are not known."
    )];
    if met.by_text > 0 {
        notes.push(format!(
            "{} of {} normalized statements are known by DIGEST_TEXT only: the IDs of their classes are not those of a log.",
            met.by_text,
            met.by_text + met.by_sample
        ));
    } else if met.by_sample > 0 {
        notes.push(
            "Fingerprints are those of QUERY_SAMPLE_TEXT: IDs of classes are those of a log.".to_owned(),
        );
    }
    if met.lost > 0 {
        notes.push(format!(
            "{} more statements ({:.6} s) are in no class: the server's table is full (performance_schema_digests_size; TRUNCATE \
             empties it).",
            met.lost,
            met.lost_time_ps as f64 / 1e12
        ));
    }
    if met.anew > 0 {
        notes.push("The table was emptied between the readings: what ran before that is missing.".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests;
