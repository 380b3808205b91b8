//! Members of a plan's objects.

use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// A number, also where it is written as text: `"1.60"`, `"88M"`.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => sized(text),
        _ => None,
    }
}

/// `88M`, `93KiB`, `320`.
fn sized(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let factor = match text.get(digits.len()..)?.chars().next() {
        Some('K' | 'k') => 1024.0,
        Some('M') => 1_048_576.0,
        Some('G') => 1_073_741_824.0,
        _ => 1.0,
    };
    digits.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * factor)
}

/// A count, where it is one.
pub(super) fn count(value: &Value) -> Option<u64> {
    number(value).filter(|number| (0.0..1e18).contains(number)).map(|number| number as u64)
}

/// Text, or what stands for it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The texts of a list, or the one text.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Null => Vec::new(),
        Value::String(one) => one.split(',').map(|part| part.trim().to_owned()).collect(),
        other => vec![text(other)],
    }
}

/// Whether a flag is set.
pub(super) fn flag(object: &Object, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}
