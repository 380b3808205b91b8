//! Numbers as pt-query-digest writes them.

use crate::attribute::Unit;

/// A sum of whole microseconds as seconds with six decimals, or the count: exact.
pub(super) fn exact(value: u128, unit: Unit) -> String {
    match unit {
        Unit::Microseconds => format!("{}.{:06}", value / 1_000_000, value % 1_000_000),
        Unit::Count => value.to_string(),
    }
}

/// A derived value: six decimals for times, cut to a whole number for anything else.
pub(super) fn derived(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Microseconds => format!("{value:.6}"),
        Unit::Count => format!("{}", value.trunc()),
    }
}
