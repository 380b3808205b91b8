//! Differences of counters that may wrap, be reset, or step back.

/// The growth of a counter between two readings.
///
/// `None` when it went backwards in a way that no 32-bit wrap explains: the driver was reloaded, the counter was
/// reset, or the reading is wrong. A fall from the last sixteenth of the 32-bit range to the first is a wrap; a
/// counter that grows by more than that within a window is not counted in 32 bits.
pub fn growth(first: u64, last: u64) -> Option<u64> {
    const WRAP: u64 = 1 << 32;
    const NEAR: u64 = WRAP / 16;
    if last >= first {
        return Some(last - first);
    }
    let wrapped = (WRAP - NEAR..WRAP).contains(&first) && last < NEAR;
    wrapped.then(|| last + WRAP - first)
}

/// The growth of a counter per second; `None` without a positive span of time or when [`growth`] is `None`.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
pub fn per_second(first: u64, last: u64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| growth(first, last).map(|count| count as f64 / seconds)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_wraps_at_32_bits_grows_on() {
        assert_eq!(growth(u64::from(u32::MAX) - 9, 10), Some(20));
    }

    #[test]
    fn a_counter_that_was_reset_has_no_growth() {
        assert_eq!(growth(5_000, 10), None);
        assert_eq!(growth(3 << 30, 10), None, "a counter of 64 bits may pass there");
        assert_eq!(growth(1 << 40, 10), None);
    }

    #[test]
    fn no_time_means_no_rate() {
        assert_eq!(per_second(1, 2, 0.0), None);
        assert_eq!(per_second(1, 2, -1.0), None);
        assert_eq!(per_second(1, 21, 2.0), Some(10.0));
    }
}
