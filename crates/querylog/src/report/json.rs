//! A digest as JSON, by the names of pt-query-digest's `--output json`, and ours beside them.
//!
//! Values of pt-query-digest's own fields are written as it writes them: statistics are strings, counts are numbers. Fields
//! that it does not have are numbers where they are numbers. The schema is `docs/schema/digest-1.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::attribute::{Attribute, Unit};
use crate::class::{Class, Sample};
use crate::class_id::ClassId;
use crate::digest::Digest;
use crate::metric::Metric;
use crate::report::choice::{Choice, Chosen};
use crate::report::{Options, facts, lossy, numbers};

/// Fingerprints are cut behind so many characters, as there.
const LONGEST_FINGERPRINT: usize = 5_000;
/// Statements are cut behind so many characters, as there.
const LONGEST_QUERY: usize = 10_000;
/// How many values of a text attribute are listed.
const LISTED_VALUES: usize = 10;

/// The report.
#[derive(Debug, Serialize)]
pub struct Document {
    schema: &'static str,
    global: Global,
    classes: Vec<ClassEntry>,
}

#[derive(Debug, Serialize)]
struct Global {
    files: Vec<FileEntry>,
    metrics: BTreeMap<&'static str, Statistics>,
    query_count: u64,
    unique_query_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    queries_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimit>,
    ts_min: Option<String>,
    ts_max: Option<String>,
    order_by: String,
    classes_shown: usize,
    unselected: u64,
    skipped: Skipped,
}

#[derive(Debug, Serialize)]
struct FileEntry {
    name: String,
    size: u64,
    log_bytes: u64,
}

#[derive(Debug, Serialize)]
struct RateLimit {
    r#type: String,
    limit: u64,
}

#[derive(Debug, Serialize)]
struct Skipped {
    bytes: u64,
    problems: Vec<ProblemEntry>,
}

#[derive(Debug, Serialize)]
struct ProblemEntry {
    problem: crate::Problem,
    text: &'static str,
    times: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct ClassEntry {
    checksum: String,
    checksum_16: String,
    fingerprint: String,
    distillate: String,
    attribute: &'static str,
    query_count: u64,
    rank: usize,
    outlier: bool,
    /// Share of all time, from 0 to 1.
    time_share: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_examined_per_sent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Example>,
    metrics: BTreeMap<&'static str, Statistics>,
    quantiles: BTreeMap<&'static str, Quantiles>,
    values: BTreeMap<&'static str, Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts_min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts_max: Option<String>,
    histograms: Histograms,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<TableEntry>,
}

#[derive(Debug, Serialize)]
struct Example {
    query: String,
    ts: Option<String>,
    #[serde(rename = "Query_time")]
    query_time: Option<String>,
    redacted: bool,
    length: u64,
    db: String,
    user: String,
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    offset: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Statistics {
    Number(Box<NumberStatistics>),
    Yes { yes: String },
    Count { cnt: String },
    Value { value: String },
}

#[derive(Debug, Serialize)]
struct NumberStatistics {
    sum: String,
    min: String,
    max: String,
    avg: String,
    median: String,
    pct_95: String,
    stddev: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pct: Option<String>,
}

/// Quantiles in seconds or whatever is counted: edges of buckets that grow by 5 %.
#[derive(Debug, Serialize)]
struct Quantiles {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
}

#[derive(Debug, Serialize)]
struct Values {
    distinct: u64,
    exact: bool,
    most_frequent: Vec<ValueCount>,
}

#[derive(Debug, Serialize)]
struct ValueCount {
    value: String,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Histograms {
    #[serde(rename = "Query_time")]
    query_time: [u64; 8],
}

#[derive(Debug, Serialize)]
struct TableEntry {
    status: String,
    create: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    table: String,
}

/// The report of a digest.
#[must_use]
pub fn document(digest: &Digest, options: &Options) -> Document {
    let total = digest.total();
    let choice = Choice::of(digest, options.order_by, options.limit, options.outliers);
    let classes: Vec<_> =
        choice.shown.iter().map(|chosen| class_entry(digest, &total, *chosen, options)).collect();
    Document { schema: "narrows.digest/1", global: global(digest, &total, options, classes.len()), classes }
}

/// The report as text.
#[must_use]
pub fn render(digest: &Digest, options: &Options) -> String {
    // Maps of strings and numbers always serialize.
    serde_json::to_string_pretty(&document(digest, options)).unwrap_or_default() + "\n"
}

fn global(digest: &Digest, total: &Class, options: &Options, classes_shown: usize) -> Global {
    let metrics = total.metrics().into_iter().map(|(attribute, metric)| {
        (attribute.name(), Statistics::Number(Box::new(number_statistics(metric, None))))
    });
    let flags = total
        .flags()
        .into_iter()
        .map(|(attribute, flag)| (attribute.name(), Statistics::Count { cnt: flag.yes.to_string() }));
    let rates = facts::rates(total, options.order_by.attribute);
    Global {
        files: digest.files.iter().map(file_entry).collect(),
        metrics: metrics.chain(flags).collect(),
        query_count: total.metric(options.order_by.attribute).map_or(0, Metric::count),
        unique_query_count: digest.classes().len(),
        queries_per_second: rates.map(|rates| rates.per_second),
        concurrency: rates.map(|rates| rates.concurrency),
        rate_limit: facts::rate_limit(total).map(|(r#type, limit)| RateLimit { r#type, limit }),
        ts_min: total.first().map(|time| time.to_string()),
        ts_max: total.last().map(|time| time.to_string()),
        order_by: options.order_by.to_string(),
        classes_shown,
        unselected: digest.unselected,
        skipped: skipped(digest),
    }
}

fn file_entry(file: &crate::File) -> FileEntry {
    FileEntry { name: file.name.clone(), size: file.bytes, log_bytes: file.log_bytes }
}

fn skipped(digest: &Digest) -> Skipped {
    let problems = digest.problems.iter().map(|(problem, extent)| ProblemEntry {
        problem,
        text: problem.text(),
        times: extent.times,
        bytes: extent.bytes,
    });
    Skipped { bytes: digest.problems.skipped_bytes(), problems: problems.collect() }
}

fn class_entry(digest: &Digest, total: &Class, chosen: Chosen<'_>, options: &Options) -> ClassEntry {
    let class = chosen.class;
    let id = ClassId::of(class.fingerprint());
    let distillate = facts::distillate(class);
    ClassEntry {
        checksum: id.to_string(),
        checksum_16: id.short(),
        fingerprint: cut(options.fingerprint(class).text, LONGEST_FINGERPRINT),
        distillate: options.shown(&distillate).text,
        attribute: "fingerprint",
        query_count: class.count(),
        rank: chosen.rank,
        outlier: chosen.outlier,
        time_share: facts::time_share(class, total),
        rows_examined_per_sent: facts::examined_per_sent(class),
        example: class.worst().map(|sample| example(digest, sample, options)),
        metrics: statistics(class, total, &distillate),
        quantiles: class
            .metrics()
            .into_iter()
            .map(|(attribute, metric)| (attribute.name(), quantiles(metric)))
            .collect(),
        values: class
            .texts()
            .into_iter()
            .map(|(attribute, texts)| (attribute.name(), values(texts)))
            .collect(),
        ts_min: class.first().map(|time| time.to_string()),
        ts_max: class.last().map(|time| time.to_string()),
        histograms: Histograms { query_time: decades(class) },
        tables: tables(class),
    }
}

/// Every attribute of the class. What a statement that only reads affected is left out, as it is there.
fn statistics(class: &Class, total: &Class, distillate: &[u8]) -> BTreeMap<&'static str, Statistics> {
    let reads =
        [b"SELECT".as_slice(), b"SHOW", b"SET", b"ADMIN"].iter().any(|verb| distillate.starts_with(verb));
    let numbers = class
        .metrics()
        .into_iter()
        .filter(|(attribute, _)| !(reads && *attribute == Attribute::ROWS_AFFECTED));
    let numbers = numbers.map(|(attribute, metric)| {
        let all = total.metric(attribute).map_or(0, Metric::count);
        (attribute.name(), Statistics::Number(Box::new(number_statistics(metric, Some(all)))))
    });
    let flags = class
        .flags()
        .into_iter()
        .map(|(attribute, flag)| (attribute.name(), Statistics::Yes { yes: flag.yes.to_string() }));
    let texts = class.texts().into_iter().filter(|(attribute, _)| !facts::is_rate(*attribute)).map(
        |(attribute, texts)| {
            (attribute.name(), Statistics::Value { value: texts.max().map(lossy).unwrap_or_default() })
        },
    );
    let rate = facts::rate_limit(class)
        .map(|(kind, limit)| ("rate_limit", Statistics::Value { value: format!("{kind}:{limit}") }));
    numbers.chain(flags).chain(texts).chain(rate).collect()
}

/// The statistics of a number. `all` is how many events have the attribute, where that matters.
fn number_statistics(metric: &Metric, all: Option<u64>) -> NumberStatistics {
    let unit = metric.unit();
    let spread = metric.spread();
    NumberStatistics {
        sum: numbers::exact(metric.exact_sum(), unit),
        min: numbers::exact(metric.exact_min().into(), unit),
        max: numbers::exact(metric.exact_max().into(), unit),
        avg: numbers::derived(metric.average(), unit),
        median: numbers::derived(spread.median, unit),
        pct_95: numbers::derived(spread.percentile_95, unit),
        stddev: numbers::derived(spread.standard_deviation, unit),
        pct: all.filter(|all| *all > 0).map(|all| numbers::derived(metric.count() as f64 / all as f64, unit)),
    }
}

fn quantiles(metric: &Metric) -> Quantiles {
    let [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(|share| metric.quantile(share));
    Quantiles { p50, p90, p99, p999 }
}

fn values(texts: &crate::Texts) -> Values {
    let most_frequent = texts.ranked().into_iter().take(LISTED_VALUES);
    Values {
        distinct: texts.distinct(),
        exact: texts.is_complete(),
        most_frequent: most_frequent
            .map(|(value, count)| ValueCount { value: lossy(value), count })
            .collect(),
    }
}

fn decades(class: &Class) -> [u64; 8] {
    class.metric(Attribute::QUERY_TIME).map(|metric| metric.histogram().decades()).unwrap_or_default()
}

fn example(digest: &Digest, sample: &Sample, options: &Options) -> Example {
    let statement = options.statement(sample);
    Example {
        query: cut(statement.text, LONGEST_QUERY),
        ts: sample.time.map(|time| time.to_string()),
        query_time: sample.query_time_us.map(|time| numbers::exact(time.into(), Unit::Microseconds)),
        redacted: statement.redacted,
        length: sample.query_length,
        db: lossy(&sample.db),
        user: lossy(&sample.user),
        host: lossy(&sample.host),
        file: digest.files.get(sample.file as usize).map(|file| file.name.clone()),
        offset: sample.offset,
    }
}

fn tables(class: &Class) -> Vec<TableEntry> {
    facts::tables(class)
        .into_iter()
        .map(|table| TableEntry {
            status: facts::status_statement(&table),
            create: facts::create_statement(&table),
            database: table.database,
            table: table.name,
        })
        .collect()
}

/// The first so many characters.
fn cut(text: String, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}
