//! A digest for people: the answer first, then the table, then what is not in it. Lines have at most 100 columns.

use std::fmt::Write;

use anstyle::Style;

use super::choice::{Choice, Chosen};
use super::wording::{count, cut, grouped, line, percent, span, wrap};
use super::{Options, facts};
use crate::attribute::Attribute;
use crate::class::Class;
use crate::class_id::ClassId;
use crate::digest::Digest;
use crate::metric::Metric;

const COLUMNS: usize = 100;
/// How much of a fingerprint is shown, in lines.
const FINGERPRINT_LINES: usize = 4;

/// The report. It holds styles of ANSI terminals, which the caller takes out where they are not wanted.
#[must_use]
pub fn render(digest: &Digest, options: &Options) -> String {
    let total = digest.total();
    let choice = Choice::of(digest, options.order_by, options.limit, options.outliers);
    let mut text = String::new();
    answer(&mut text, &choice, &total, options);
    overall(&mut text, digest, &total);
    if !choice.shown.is_empty() {
        table(&mut text, &choice, &total, options);
        fingerprints(&mut text, &choice, options);
    }
    left_out(&mut text, digest, options);
    text
}

fn bold(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

fn paragraph(text: &mut String, indent: usize, words: &str) {
    for row in wrap(words, COLUMNS - indent) {
        let _ = writeln!(text, "{:indent$}{row}", "");
    }
}

fn metric(class: &Class, attribute: Attribute) -> Option<&Metric> {
    class.metric(attribute)
}

/// The class that comes first, and what makes it so.
fn answer(text: &mut String, choice: &Choice<'_>, total: &Class, options: &Options) {
    let Some(first) = choice.shown.first() else {
        text.push_str("No query was selected.\n");
        return;
    };
    let class = first.class;
    let does = options.doing(class);
    let share = facts::time_share(class, total);
    let time = metric(class, Attribute::QUERY_TIME);
    let head = if options.order_by == super::OrderBy::default() && share > 0.0 {
        format!("{} of the time goes to one class: {}", percent(share), cut(&does, 60))
    } else {
        format!("First by {}: {}", options.order_by, cut(&does, 60))
    };
    for row in wrap(&head, COLUMNS) {
        let _ = writeln!(text, "{}", bold(&row));
    }
    if let Some(time) = time {
        let calls = format!("{} queries take {}", grouped(time.count().into()), span(time.sum()));
        let each = format!(
            "{} each, 95 % at most {}, the worst {}",
            span(time.average()),
            span(time.spread().percentile_95),
            span(time.max())
        );
        paragraph(text, 0, &format!("{calls}: {each}.{}", rows(class)));
    }
    if let Some(place) = worst_place(class) {
        paragraph(text, 0, &place);
    }
}

/// What it examines for what it sends.
fn rows(class: &Class) -> String {
    let examined = metric(class, Attribute::ROWS_EXAMINED).map_or(0.0, Metric::average);
    match facts::examined_per_sent(class) {
        Some(ratio) if ratio >= 10.0 => {
            format!(" It examines {} rows for each row that it sends.", count(ratio))
        }
        None if examined >= 1000.0 => {
            format!(" It examines {} rows each time, and sends none.", count(examined))
        }
        _ => String::new(),
    }
}

fn worst_place(class: &Class) -> Option<String> {
    let sample = class.worst()?;
    let mut words = "The worst".to_owned();
    if let Some(time) = sample.time {
        let _ = write!(words, " was at {}", time.to_string().replace('T', " "));
    } else {
        words.push_str(" was");
    }
    for (what, value) in [("in schema", &sample.db), ("by", &sample.user), ("from", &sample.host)] {
        if !value.is_empty() {
            let _ = write!(words, " {what} {}", cut(&line(&String::from_utf8_lossy(value)), 40));
        }
    }
    let _ = write!(words, ", at byte {} of the log.", grouped(sample.offset.into()));
    Some(words)
}

fn overall(text: &mut String, digest: &Digest, total: &Class) {
    let mut words = format!(
        "\n{} queries of {} classes",
        grouped(digest.events.into()),
        grouped(digest.classes().len() as u128)
    );
    if let (Some(first), Some(last)) = (total.first(), total.last()) {
        let shown = |time: crate::Time| time.to_string().replace('T', " ");
        let _ = write!(words, " from {} to {}", shown(first), shown(last));
    }
    if let Some(time) = metric(total, Attribute::QUERY_TIME) {
        let _ = write!(words, ": {} in the server", span(time.sum()));
    }
    if let Some(rates) = facts::rates(total, Attribute::QUERY_TIME) {
        let _ = write!(
            words,
            ", {} queries a second, {} at a time",
            count(rates.per_second),
            count(rates.concurrency)
        );
    }
    words.push('.');
    paragraph(text, 0, &words);
    let bytes: u64 = digest.files.iter().map(|file| file.log_bytes).sum();
    if let [file] = digest.files.as_slice() {
        paragraph(text, 0, &format!("Log: {} ({} bytes)", line(&file.name), grouped(bytes.into())));
    } else if !digest.files.is_empty() {
        paragraph(text, 0, &format!("{} logs ({} bytes)", digest.files.len(), grouped(bytes.into())));
    }
    if let Some((kind, limit)) = facts::rate_limit(total) {
        paragraph(
            text,
            0,
            &format!("The server logged one {} of {limit} only: multiply counts and times.", line(&kind)),
        );
    }
}

fn table(text: &mut String, choice: &Choice<'_>, total: &Class, options: &Options) {
    let head = format!(
        "{:>4}  {:>7}  {:>9}  {:>9}  {:>8}  {:>8}  {:>10}  {}",
        "rank", "time %", "time", "queries", "mean", "95 %", "rows/sent", "what it does"
    );
    let _ = writeln!(text, "\n{}", bold(&head));
    for chosen in &choice.shown {
        let class = chosen.class;
        let time = metric(class, Attribute::QUERY_TIME);
        let of = |value: fn(&Metric) -> f64| time.map_or_else(|| "–".to_owned(), |time| span(value(time)));
        let per_sent = facts::examined_per_sent(class).map_or_else(|| "–".to_owned(), count);
        let row = format!(
            "{:>4}  {:>7}  {:>9}  {:>9}  {:>8}  {:>8}  {per_sent:>10}  ",
            chosen.rank,
            percent(facts::time_share(class, total)),
            of(Metric::sum),
            count(class.count() as f64),
            of(Metric::average),
            of(|time| time.spread().percentile_95),
        );
        let room = COLUMNS.saturating_sub(row.chars().count());
        let does = options.doing(class);
        let _ = writeln!(text, "{row}{}", cut(&does, room));
    }
    if !choice.others.is_empty() {
        let time: f64 = choice
            .others
            .iter()
            .filter_map(|class| metric(class, Attribute::QUERY_TIME))
            .map(Metric::sum)
            .sum();
        let queries: u64 = choice.others.iter().map(|class| class.count()).sum();
        let share: f64 = choice.others.iter().map(|class| facts::time_share(class, total)).sum();
        let row =
            format!("{:>4}  {:>7}  {:>9}  {:>9}", "", percent(share), span(time), count(queries as f64));
        let _ = writeln!(text, "{row}{:34}{} more classes", "", grouped(choice.others.len() as u128));
    }
}

fn fingerprints(text: &mut String, choice: &Choice<'_>, options: &Options) {
    for Chosen { class, rank, .. } in &choice.shown {
        let _ = writeln!(text, "\n{}", bold(&format!("{rank:>4}  {}", ClassId::of(class.fingerprint()))));
        let shown = match class.worst().filter(|_| options.show_literals) {
            Some(sample) => options.statement(sample).text,
            None => options.fingerprint(class).text,
        };
        let rows = wrap(&cut(&line(&shown), 20_000), COLUMNS - 6);
        for row in rows.iter().take(FINGERPRINT_LINES) {
            let _ = writeln!(text, "      {row}");
        }
        if rows.len() > FINGERPRINT_LINES {
            let _ = writeln!(text, "      … {} more lines", rows.len() - FINGERPRINT_LINES);
        }
    }
}

/// What is not in the figures, and what is not shown.
fn left_out(text: &mut String, digest: &Digest, options: &Options) {
    let mut rows = Vec::new();
    if digest.unselected > 0 {
        rows.push(format!("{} queries were not selected.", grouped(digest.unselected.into())));
    }
    for (problem, extent) in digest.problems.iter() {
        let bytes = if extent.bytes > 0 {
            format!(", {} bytes", grouped(extent.bytes.into()))
        } else {
            String::new()
        };
        rows.push(format!("{} {}{bytes}", grouped(extent.times.into()), problem.text()));
    }
    for file in &digest.files {
        if let Some(error) = &file.error {
            rows.push(format!("{}: {}", line(&file.name), line(error)));
        }
    }
    if !options.show_literals {
        rows.push("Literals are not shown; --show-literals shows them.".to_owned());
    }
    if !rows.is_empty() {
        text.push('\n');
    }
    for row in rows {
        paragraph(text, 0, &row);
    }
}
