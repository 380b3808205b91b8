//! The checks shared by all models: what counts as a valid number.

use super::MAX_STATES;

/// Returns `value` if it is finite and at least zero.
pub(super) fn non_negative(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// Returns `value` if it is finite and above zero.
pub(super) fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

/// Returns the count of servers if there is at least one and no more than [`MAX_STATES`].
pub(super) fn server_count(servers: u32) -> Option<f64> {
    (1..=MAX_STATES).contains(&servers).then_some(f64::from(servers))
}

/// Rounds up to a whole number, forgiving the rounding error of the arithmetic that produced `value`.
///
/// `3 × 0.1 / 0.1` is `3.0000000000000004` in binary floating point. Plain `ceil` would make it 4.
/// Returns `None` if the result does not fit.
pub(super) fn ceil_to_u32(value: f64) -> Option<u32> {
    const ROUNDING_ERRORS: f64 = 8.0;
    let value = non_negative(value)?;
    let nearest = value.round();
    let is_whole = (value - nearest).abs() <= nearest * ROUNDING_ERRORS * f64::EPSILON;
    let rounded = if is_whole { nearest } else { value.ceil() };
    (rounded <= f64::from(u32::MAX)).then_some(rounded as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_not_a_level() {
        for value in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(non_negative(value), None, "{value}");
            assert_eq!(positive(value), None, "{value}");
        }
        assert_eq!(non_negative(0.0), Some(0.0));
        assert_eq!(positive(0.0), None);
    }

    #[test]
    fn limits_the_number_of_servers() {
        assert_eq!(server_count(0), None);
        assert_eq!(server_count(MAX_STATES), Some(f64::from(MAX_STATES)));
        assert_eq!(server_count(MAX_STATES + 1), None);
    }

    #[test]
    fn rounds_up_without_counting_rounding_errors() {
        assert_eq!(ceil_to_u32(3.0 * 0.1 / 0.1), Some(3));
        assert_eq!(ceil_to_u32(3.0001), Some(4));
        assert_eq!(ceil_to_u32(1e-12), Some(1));
        assert_eq!(ceil_to_u32(0.0), Some(0));
        assert_eq!(ceil_to_u32(f64::from(u32::MAX)), Some(u32::MAX));
        assert_eq!(ceil_to_u32(f64::from(u32::MAX) + 1.0), None);
    }
}
