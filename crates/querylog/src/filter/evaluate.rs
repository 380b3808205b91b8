//! Conditions over events. `None` is unknown: the event does not have what is asked for.

use super::typing::{Calculation, Comparison, Condition, Number, Text};
use crate::attribute::Attribute;
use crate::event::{Event, Value};

pub(super) fn condition(asked: &Condition, event: &Event<'_>) -> Option<bool> {
    match asked {
        Condition::And(left, right) => match condition(left, event) {
            Some(false) => Some(false),
            Some(true) => condition(right, event),
            None => condition(right, event).filter(|right| !right),
        },
        Condition::Or(left, right) => match condition(left, event) {
            Some(true) => Some(true),
            Some(false) => condition(right, event),
            None => condition(right, event).filter(|right| *right),
        },
        Condition::Not(inner) => condition(inner, event).map(|inner| !inner),
        Condition::Compare(left, comparison, right) => {
            Some(compare(number(left, event)?, *comparison, number(right, event)?))
        }
        Condition::Equal(of, wanted) => text(*of, event).map(|text| text == &**wanted),
        Condition::Match(of, pattern) => text(*of, event).map(|text| matches(text, pattern)),
        Condition::Set(attribute) => value(*attribute, event)?.number().map(|number| number != 0.0),
    }
}

/// Equal is what is written the same to within the rounding of a microsecond.
fn compare(left: f64, comparison: Comparison, right: f64) -> bool {
    let equal = (left - right).abs() <= 1e-9 * left.abs().max(right.abs());
    match comparison {
        Comparison::Less => left < right && !equal,
        Comparison::LessOrEqual => left < right || equal,
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::GreaterOrEqual => left > right || equal,
        Comparison::Greater => left > right && !equal,
    }
}

fn value<'a>(attribute: Attribute, event: &Event<'a>) -> Option<Value<'a>> {
    event.attributes.iter().rev().find(|(found, _)| *found == attribute).map(|(_, value)| *value)
}

fn number(asked: &Number, event: &Event<'_>) -> Option<f64> {
    match asked {
        Number::Constant(number) => Some(*number),
        Number::Attribute(attribute) => value(*attribute, event)?.number(),
        Number::QueryLength => Some(event.query_length as f64),
        Number::Connection => event.connection.map(|id| id as f64),
        Number::Timestamp => event.timestamp.map(|seconds| seconds as f64),
        Number::Negative(inner) => number(inner, event).map(|number| -number),
        Number::Calculated(left, calculation, right) => {
            let (left, right) = (number(left, event)?, number(right, event)?);
            let result = match calculation {
                Calculation::Plus => left + right,
                Calculation::Minus => left - right,
                Calculation::Times => left * right,
                Calculation::Over => left / right,
                Calculation::Remainder => left % right,
            };
            // Nothing can be said of what was divided by 0.
            Some(result).filter(|result| result.is_finite())
        }
    }
}

fn text<'a>(of: Text, event: &Event<'a>) -> Option<&'a [u8]> {
    let known = |text: &'a [u8]| Some(text).filter(|text| !text.is_empty());
    match of {
        Text::Query => Some(event.query),
        Text::Db => known(event.db),
        Text::User => known(event.user),
        Text::Host => known(event.host),
        Text::Ip => known(event.ip),
        Text::Attribute(attribute) => match value(attribute, event)? {
            Value::Text(text) => Some(text),
            _ => None,
        },
    }
}

/// Whatever the case: a pattern with `*` or `?` is for the whole text, any other for a part of it.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    if pattern.iter().any(|b| matches!(b, b'*' | b'?')) {
        matches_glob(text, pattern)
    } else {
        contains(text, pattern)
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return true };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .any(|at| text.get(at..at + part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part)))
}

/// Goes back to the last `*` only, which suffices: an earlier one never has to take more.
fn matches_glob(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(place) {
            Some(b'*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star_place, star_at)) = star else { return false };
                star = Some((star_place, star_at + 1));
                at = star_at + 1;
                place = star_place + 1;
            }
        }
    }
    pattern.get(place..).unwrap_or_default().iter().all(|b| *b == b'*')
}
