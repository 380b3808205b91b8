//! A digest as Markdown, for tickets and wikis.

use std::fmt::Write;

use super::choice::Choice;
use super::wording::{count, cut, grouped, line, percent, span};
use super::{Options, facts};
use crate::attribute::Attribute;
use crate::class::Class;
use crate::class_id::ClassId;
use crate::digest::Digest;
use crate::metric::Metric;

/// The report.
#[must_use]
pub fn render(digest: &Digest, options: &Options) -> String {
    let total = digest.total();
    let choice = Choice::of(digest, options.order_by, options.limit, options.outliers);
    let mut text = String::from("# Digest of queries\n\n");
    overall(&mut text, digest, &total);
    if !choice.shown.is_empty() {
        text.push_str(
            "\n| rank | time % | time | queries | mean | 95 % | rows examined / sent | what it does | class |\n\
             |---:|---:|---:|---:|---:|---:|---:|---|---|\n",
        );
    }
    for chosen in &choice.shown {
        row(&mut text, chosen.rank, chosen.class, &total, options);
    }
    if !choice.others.is_empty() {
        let _ = writeln!(text, "\n{} more classes are not shown.", grouped(choice.others.len() as u128));
    }
    for chosen in &choice.shown {
        let shown = match chosen.class.worst().filter(|_| options.show_literals) {
            Some(sample) => options.statement(sample).text,
            None => options.fingerprint(chosen.class).text,
        };
        let _ = writeln!(text, "\n## {}. `{}`\n", chosen.rank, ClassId::of(chosen.class.fingerprint()));
        fenced(&mut text, &shown);
    }
    left_out(&mut text, digest, options);
    text
}

fn overall(text: &mut String, digest: &Digest, total: &Class) {
    let _ = write!(
        text,
        "{} queries of {} classes",
        grouped(digest.events.into()),
        grouped(digest.classes().len() as u128)
    );
    if let (Some(first), Some(last)) = (total.first(), total.last()) {
        let _ = write!(text, " from {first} to {last}");
    }
    let time = total.metric(Attribute::QUERY_TIME).map_or(0.0, Metric::sum);
    let _ = writeln!(text, ", {} in the server.", span(time));
}

fn row(text: &mut String, rank: usize, class: &Class, total: &Class, options: &Options) {
    let time = class.metric(Attribute::QUERY_TIME);
    let of = |value: fn(&Metric) -> f64| time.map_or_else(|| "–".to_owned(), |time| span(value(time)));
    let _ = writeln!(
        text,
        "| {rank} | {} | {} | {} | {} | {} | {} | {} | `{}` |",
        percent(facts::time_share(class, total)),
        of(Metric::sum),
        count(class.count() as f64),
        of(Metric::average),
        of(|time| time.spread().percentile_95),
        facts::examined_per_sent(class).map_or_else(|| "–".to_owned(), count),
        escaped(&cut(&options.doing(class), 100)),
        ClassId::of(class.fingerprint())
    );
}

/// Text that no renderer takes for markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if matches!(
            letter,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '('
                | ')'
                | '#'
                | '+'
                | '-'
                | '.'
                | '!'
                | '|'
                | '&'
                | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A block of code, by a fence that is longer than any in it.
fn fenced(text: &mut String, code: &str) {
    let code: String = code.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "{fence}sql\n{code}\n{fence}");
}

fn left_out(text: &mut String, digest: &Digest, options: &Options) {
    text.push_str("\n## Not in these figures\n\n");
    let _ = writeln!(text, "- {} queries that were not selected", grouped(digest.unselected.into()));
    for (problem, extent) in digest.problems.iter() {
        let _ = writeln!(
            text,
            "- {} {} ({} bytes)",
            grouped(extent.times.into()),
            problem.text(),
            grouped(extent.bytes.into())
        );
    }
    for file in digest.files.iter().filter(|file| file.error.is_some()) {
        let error = file.error.as_deref().unwrap_or_default();
        let _ = writeln!(text, "- {}: {}", escaped(&line(&file.name)), escaped(&line(error)));
    }
    if !options.show_literals {
        text.push_str("- literals, for which `?` stands\n");
    }
}
