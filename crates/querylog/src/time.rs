//! When an event was logged, as the log says it.

use std::fmt;

/// A moment as a log writes it: civil time, and the zone where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970 as if the civil time were UTC.
    civil_s: i64,
    microseconds: u32,
    /// Minutes east of Greenwich, where the log says so.
    zone_minutes: Option<i16>,
    /// Whether it is written as ISO 8601 with a `T`, as MySQL has it since 5.7.
    iso: bool,
}

impl Time {
    /// A moment from a civil date and time; `None` where there is no such date.
    #[must_use]
    pub fn from_civil(date: (i64, u32, u32), clock: (u32, u32, u32)) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second) = clock;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        // Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let civil_s = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        Some(Self { civil_s, microseconds: 0, zone_minutes: None, iso: false })
    }

    /// A moment from seconds since 1970, UTC.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self { civil_s: seconds, microseconds: 0, zone_minutes: Some(0), iso: true }
    }

    pub(crate) fn with_microseconds(self, microseconds: u32) -> Self {
        Self { microseconds, ..self }
    }

    pub(crate) fn with_zone(self, zone_minutes: Option<i16>) -> Self {
        Self { zone_minutes, ..self }
    }

    pub(crate) fn with_iso(self, iso: bool) -> Self {
        Self { iso, ..self }
    }

    /// Microseconds since 1970: UTC where the log says its zone, else as if its civil time were UTC.
    #[must_use]
    pub fn unix_us(self) -> i64 {
        let utc_s = self.civil_s - i64::from(self.zone_minutes.unwrap_or(0)) * 60;
        utc_s.saturating_mul(1_000_000).saturating_add(i64::from(self.microseconds))
    }

    /// Civil seconds since 1970, as the log writes them.
    #[must_use]
    pub fn civil_s(self) -> i64 {
        self.civil_s
    }

    /// Microseconds of the second.
    #[must_use]
    pub fn microseconds(self) -> u32 {
        self.microseconds
    }

    /// Minutes east of Greenwich, where the log says its zone.
    #[must_use]
    pub fn zone_minutes(self) -> Option<i16> {
        self.zone_minutes
    }

    /// Whether the log writes it with a `T` between date and time.
    #[must_use]
    pub fn is_iso(self) -> bool {
        self.iso
    }

    fn date(self) -> (i64, u32, u32) {
        let days = self.civil_s.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month as u32, day as u32)
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |time: &Self| (time.unix_us(), time.civil_s, time.zone_minutes, time.iso);
        key(self).cmp(&key(other))
    }
}

/// As pt-query-digest shows it: the civil time to the second, with the log's own separator.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let clock = self.civil_s.rem_euclid(86_400);
        let separator = if self.iso { 'T' } else { ' ' };
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        write!(f, "{year:04}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_it_was_written_and_ordered_by_the_instant() {
        let time = Time::from_civil((2024, 2, 29), (23, 59, 58)).unwrap().with_iso(true);
        assert_eq!(time.to_string(), "2024-02-29T23:59:58");
        assert_eq!(time.unix_us(), 1_709_251_198_000_000);
        let east = time.with_zone(Some(120));
        assert!(east < time);
        assert_eq!(Time::from_civil((1969, 12, 31), (0, 0, 1)).unwrap().to_string(), "1969-12-31 00:00:01");
        assert_eq!(Time::from_civil((2024, 13, 1), (0, 0, 0)), None);
    }
}
