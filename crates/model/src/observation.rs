//! What was seen, where, so that a reader can look again.

use serde::{Deserialize, Serialize};

/// A value as the host gave it, or as narrows computed it from what the host gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A measured or computed number, in the unit of its observation.
    Number(f64),
    /// Anything that is not a number: a state, a name, a stack.
    Text(String),
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value {
    #[expect(clippy::cast_precision_loss, reason = "counters beyond 2^53 are shown, not computed with")]
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// One piece of evidence: a field of a source, its value, and when it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Where it was read: a file, a kernel query, or a formula over other observations.
    pub source: String,
    /// The field within the source, in the source's own terms.
    pub field: String,
    /// What it was.
    pub value: Value,
    /// The unit of a number (`%`, `/s`, `ms`, `bytes`), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Seconds after the first reading of the window at which it was read; `None` for a value over the whole window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_s: Option<f64>,
}

impl Observation {
    /// Makes an observation over the whole window, without a unit.
    pub fn new(source: impl Into<String>, field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { source: source.into(), field: field.into(), value: value.into(), unit: None, at_s: None }
    }

    /// Names the unit of the value.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// Says when within the window, in seconds after its start, the value was read.
    #[must_use]
    pub fn at(mut self, seconds: f64) -> Self {
        self.at_s = Some(seconds);
        self
    }

    /// The value with its unit, as a person reads it.
    pub fn text(&self) -> String {
        let value = match &self.value {
            Value::Number(number) => number_text(*number),
            Value::Text(text) => text.clone(),
        };
        match self.unit.as_deref() {
            None => value,
            Some(unit) if unit.starts_with('/') => format!("{value}{unit}"),
            Some(unit) => format!("{value} {unit}"),
        }
    }
}

/// A number with as many digits as it carries: three significant ones, whole numbers in full with separators.
pub fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    if number.fract() == 0.0 || number.abs() >= 1000.0 {
        return grouped(number.round());
    }
    let digits = match number.abs() {
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        x if x >= 0.01 => 3,
        _ => 5,
    };
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_the_digits_they_carry() {
        for (number, text) in
            [(0.0, "0"), (129.0, "129"), (1_062.0, "1,062"), (24.94, "24.9"), (0.0512, "0.051"), (1.5, "1.5")]
        {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn a_rate_is_written_without_a_space() {
        assert_eq!(Observation::new("a", "b", 212.0).unit("/s").text(), "212/s");
        assert_eq!(Observation::new("a", "b", 40.0).unit("%").text(), "40 %");
    }
}
