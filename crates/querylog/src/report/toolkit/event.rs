//! One class in the layout of pt-query-digest's report.

use std::fmt::Write;

use super::perl::{percentage, shorten};
use super::{Ordering, flag_row, heading, label, row, time_range, underlined, values, variance_to_mean};
use crate::attribute::Attribute;
use crate::class::Class;
use crate::metric::Metric;
use crate::report::choice::Chosen;
use crate::report::{Options, facts, lossy};
use crate::texts::Texts;

/// Statements are cut behind so many characters.
const LONGEST_STATEMENT: usize = 1024;
/// The widest bar of the distribution.
const BAR: f64 = 64.0;

pub(super) fn report(
    text: &mut String,
    chosen: Chosen<'_>,
    total: &Class,
    ordering: &Ordering,
    explain: bool,
    options: &Options,
) {
    let class = chosen.class;
    title(text, chosen, options);
    if explain {
        let option = if chosen.outlier { "--outliers" } else { "--limit" };
        let _ = writeln!(text, "# This item is included in the report because it matches {option}.");
    }
    let _ = writeln!(text, "# Scores: V/M = {}", variance_to_mean(class));
    if let Some(range) = time_range(class.first(), class.last()) {
        let _ = writeln!(text, "# Time range: {range}");
    }
    heading(text, "pct", "===");
    let count = |class: &Class| class.metric(options.order_by.attribute).map_or(0, Metric::count);
    let (ours, all) = (count(class), count(total));
    let _ = writeln!(text, "# Count        {:>3} {ours:>7}", percentage(ours as f64, all as f64));
    numbers(text, class, total, &ordering.numbers);
    if !ordering.innodb.is_empty()
        && ordering.innodb.iter().any(|attribute| class.metric(*attribute).is_some())
    {
        text.push_str("# InnoDB:\n");
        numbers(text, class, total, &ordering.innodb);
    }
    flags(text, class, ordering);
    texts(text, class, ordering, ours);
    distribution(text, class);
    statements(text, class, options);
}

fn title(text: &mut String, chosen: Chosen<'_>, options: &Options) {
    let rates = facts::rates(chosen.class, options.order_by.attribute);
    let line = format!(
        "# Query {}: {} QPS, {}x concurrency, ID 0x{} at byte {} ",
        chosen.rank,
        shorten(rates.map_or(0.0, |rates| rates.per_second), 1000.0),
        shorten(rates.map_or(0.0, |rates| rates.concurrency), 1000.0),
        chosen.class.id(),
        // There, a record begins behind the `#` that separates it from the one before.
        chosen.class.worst().map_or(0, |sample| sample.offset + u64::from(sample.offset > 0))
    );
    underlined(text, &line);
}

fn numbers(text: &mut String, class: &Class, total: &Class, attributes: &[Attribute]) {
    for attribute in attributes {
        let Some(metric) = class.metric(*attribute) else { continue };
        let all = total.metric(*attribute).map_or(0.0, Metric::sum);
        row(text, &label(*attribute), &percentage(metric.sum(), all), &values(*attribute, metric));
    }
}

fn flags(text: &mut String, class: &Class, ordering: &Ordering) {
    let flags = class.flags();
    let of = |attribute: &Attribute| flags.iter().find(|(found, flag)| found == attribute && flag.yes > 0);
    let set: Vec<_> = ordering.flags.iter().filter_map(of).collect();
    if !set.is_empty() {
        text.push_str("# Boolean:\n");
    }
    for (attribute, flag) in set {
        flag_row(text, *attribute, *flag);
    }
}

fn texts(text: &mut String, class: &Class, ordering: &Ordering, count: u64) {
    let rate = facts::rate_limit(class)
        .map(|(kind, limit)| ("RATE_LIMIT".to_owned(), format!("# rate limit   {kind}:{limit}")));
    let plain =
        ordering.texts.iter().filter(|attribute| !facts::is_rate(**attribute)).filter_map(|attribute| {
            let line = format!("# {:<12} {}", label(*attribute), list(class.text(*attribute)?, count));
            Some((attribute.name().to_ascii_uppercase(), line))
        });
    let mut lines: Vec<_> = plain.chain(rate).collect();
    lines.sort();
    if !lines.is_empty() {
        text.push_str("# String:\n");
    }
    for (_, line) in lines {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// Values with how often each was met, as many as fit.
fn list(texts: &Texts, count: u64) -> String {
    let ranked: Vec<(String, u64)> =
        texts.ranked().into_iter().map(|(value, count)| (one_line(value), count)).collect();
    if let [(only, _)] = ranked.as_slice() {
        return if only.len() > 44 {
            format!("{}...", only.chars().take(44).collect::<String>())
        } else {
            only.clone()
        };
    }
    let (mut line, mut shown) = (String::new(), 0);
    for (value, times) in &ranked {
        let is_address =
            value.split('.').filter(|part| part.bytes().all(|b| b.is_ascii_digit())).count() == 4;
        let value = if value.len() > 10 && !is_address {
            format!("{}...", value.chars().take(10).collect::<String>())
        } else {
            value.clone()
        };
        let entry = format!("{value} ({times}/{}%)", percentage(*times as f64, count as f64));
        if line.len() + entry.len() > super::LINE - 27 {
            break;
        }
        line.push_str(&entry);
        line.push_str(", ");
        shown += 1;
    }
    let mut line = line.strip_suffix(", ").unwrap_or(&line).to_owned();
    let more = texts.distinct().saturating_sub(shown);
    if more > 0 {
        let _ = write!(line, "... {more} more");
    }
    line
}

fn one_line(value: &[u8]) -> String {
    lossy(value).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How many events took how long, by powers of ten.
fn distribution(text: &mut String, class: &Class) {
    let Some(metric) = class.metric(Attribute::QUERY_TIME).filter(|metric| metric.has_spread()) else {
        return;
    };
    let decades = metric.histogram().decades();
    let most = decades.into_iter().max().unwrap_or_default() as f64;
    text.push_str("# Query_time distribution\n");
    for (name, count) in
        ["1us", "10us", "100us", "1ms", "10ms", "100ms", "1s", "10s+"].into_iter().zip(decades)
    {
        let marks = (count as f64 / if most > 0.0 { most / BAR } else { 1.0 }) as usize;
        let bar = if count > 0 { format!("  {}", "#".repeat(marks.max(1))) } else { String::new() };
        let _ = writeln!(text, "# {name:>5}{bar}");
    }
}

/// Tables, and the worst statement.
fn statements(text: &mut String, class: &Class, options: &Options) {
    let tables = facts::tables(class);
    if !tables.is_empty() {
        text.push_str("# Tables\n");
    }
    for table in tables {
        let _ = writeln!(text, "#    {}", facts::status_statement(&table));
        let _ = writeln!(text, "#    {}", facts::create_statement(&table));
    }
    let sample = class.worst().map(|sample| options.statement(sample));
    let statement = sample.unwrap_or_else(|| options.fingerprint(class)).text;
    let mut shown: String = statement.chars().take(LONGEST_STATEMENT).collect();
    if shown.len() < statement.len() {
        shown.push_str("/*... omitted ...*/");
    }
    let fingerprint = class.fingerprint();
    let start = fingerprint.iter().position(|b| *b != b'(' && !b.is_ascii_whitespace()).unwrap_or_default();
    if fingerprint.get(start..).is_some_and(|rest| rest.starts_with(b"select")) {
        text.push_str("# EXPLAIN /*!50100 PARTITIONS*/\n");
    }
    let _ = writeln!(text, "{shown}\\G");
}
