//! The times in logs.

use super::format::{Field, Format, Values};

/// Days from 1970 to a day of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A number of digits only.
fn number(digits: Option<&[u8]>) -> Option<i64> {
    let add = |sum: i64, digit: &u8| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'));
    digits.filter(|digits| !digits.is_empty() && digits.len() <= 12)?.iter().try_fold(0, add)
}

/// Seconds since 1970 of a day and a time of day, where both exist.
fn seconds(date: (i64, i64, i64), clock: &[u8]) -> Option<i64> {
    let part = |from: usize| number(clock.get(from..from + 2));
    let (hour, minute, second) = (part(0)?, part(3)?, part(6)?);
    let sane =
        (1..=12).contains(&date.1) && (1..=31).contains(&date.2) && hour < 24 && minute < 60 && second < 61;
    (sane && clock.get(2) == Some(&b':') && clock.get(5) == Some(&b':'))
        .then(|| days(date.0, date.1, date.2) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Seconds east of Greenwich: `+0200`, `+02:00`.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = zone.split_first()?;
    let minutes_at = if rest.len() == 5 { 3 } else { 2 };
    let east = number(rest.get(..2))? * 3600 + number(rest.get(minutes_at..minutes_at + 2))? * 60;
    match sign {
        b'+' => Some(east),
        b'-' => Some(-east),
        _ => None,
    }
}

/// Seconds since 1970, and the seconds that the writer's clock was ahead of Greenwich.
type Time = (i64, i64);

fn zoned(local_s: i64, zone: &[u8]) -> Option<Time> {
    let east = offset(zone)?;
    Some((local_s - east, east))
}

/// `21/Nov/2026:21:20:12 +0000` (`$time_local`).
fn local(text: &[u8]) -> Option<Time> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = text.get(3..6)?;
    let month = MONTHS.chunks_exact(3).position(|month| month == name)?;
    let date = (number(text.get(7..11))?, i64::try_from(month).ok()? + 1, number(text.get(..2))?);
    zoned(seconds(date, text.get(12..20)?)?, text.get(21..)?)
}

/// `2026-11-21T21:20:12+00:00` (`$time_iso8601`).
fn iso8601(text: &[u8]) -> Option<Time> {
    zoned(date_and_time(text.get(..19)?)?, text.get(19..)?)
}

/// `2026/11/21 21:20:12`, or with other signs between: a local time as if it were that of Greenwich.
pub(super) fn date_and_time(text: &[u8]) -> Option<i64> {
    let date = (number(text.get(..4))?, number(text.get(5..7))?, number(text.get(8..10))?);
    seconds(date, text.get(11..)?)
}

/// `1700000000.123` (`$msec`), in milliseconds.
fn msec(text: &[u8]) -> Option<i64> {
    let (whole, fraction) = text.split_at(text.iter().position(|byte| *byte == b'.')?);
    Some(number(Some(whole))?.checked_mul(1000)? + number(fraction.get(1..4))?)
}

/// Reads the times of lines. Many lines carry the same second, so that the last text is kept with what it means.
#[derive(Debug, Default)]
pub(super) struct Clock {
    text: [u8; 32],
    length: usize,
    unix_ms: Option<i64>,
    zone_s: Option<i64>,
}

impl Clock {
    /// Milliseconds since 1970, by the most exact time that the format has.
    pub(super) fn unix_ms(&mut self, format: &Format, values: &Values<'_>) -> Option<i64> {
        if format.has(Field::Msec) {
            return msec(values.of(Field::Msec));
        }
        let is_local = format.has(Field::TimeLocal);
        let field = if is_local { Field::TimeLocal } else { Field::TimeIso8601 };
        let text = values.of(field);
        if self.length == 0 || self.text.get(..self.length) != Some(text) {
            let time = if is_local { local(text) } else { iso8601(text) };
            self.unix_ms = time.map(|(seconds, _)| seconds * 1000);
            self.zone_s = time.map_or(self.zone_s, |(_, zone)| Some(zone));
            self.length = 0;
            if let Some(kept) = self.text.get_mut(..text.len()) {
                kept.copy_from_slice(text);
                self.length = text.len();
            }
        }
        self.unix_ms
    }

    /// How many seconds the writer's clock was ahead of Greenwich, where lines say so.
    pub(super) fn zone_s(&self) -> Option<i32> {
        self.zone_s.and_then(|seconds| i32::try_from(seconds).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_times_of_a_line_mean_the_same() {
        assert_eq!(local(b"21/Nov/2026:22:20:12 +0100"), Some((1_795_296_012, 3600)));
        assert_eq!(iso8601(b"2026-11-21T16:20:12-05:00"), Some((1_795_296_012, -18_000)));
        assert_eq!(msec(b"1795296012.345"), Some(1_795_296_012_345));
        assert_eq!(date_and_time(b"2026/11/21 21:20:12"), Some(1_795_296_012));
        assert_eq!(local(b"29/Feb/2024:00:00:00 +0000"), Some((1_709_164_800, 0)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "-", "21/Nvm/2026:21:20:12 +0000", "21/Nov/2026:25:20:12 +0000", "21/Nov/2026:21:20:12"]
        {
            assert_eq!(local(text.as_bytes()), None, "{text}");
        }
        assert_eq!(msec(b"99999999999999999999.123"), None);
        assert_eq!(msec(b"1795296012."), None);
        assert_eq!(iso8601(b"2026-13-21T16:20:12-05:00"), None);
    }
}
