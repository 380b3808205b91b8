//! From when and until when.
//!
//! MySQL since 5.7 writes UTC with a `Z`, or local time with its offset; MariaDB writes local time and no zone. So a time is
//! compared in one of two ways. One without a zone means the clock as the log writes it, whatever that is. One with a zone, and
//! one that is relative to now, means an instant: where the log says its zone the instants are compared, and where it does not
//! the log's clock is taken for that of this machine.

use crate::event::Event;
use crate::select::Select;
use crate::time::Time;

/// A moment that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// What the log's clock shows, in microseconds since 1970 as if it were UTC.
    Clock(i64),
    /// An instant.
    Instant {
        /// Microseconds since 1970.
        utc_us: i64,
        /// What a clock of this machine shows then, in microseconds since 1970 as if it were UTC.
        local_us: i64,
    },
}

const SECOND_US: i64 = 1_000_000;

impl Moment {
    /// Reads `2024-03-01 10:00:00`, `2024-03-01`, `2024-03-01T10:00:00Z`, `…+02:00`, `240301 10:00:00`, seconds since 1970, or a
    /// span before now such as `-90m`, `1h`, `2d`. `now_us` is now; `offset_s` says how far local time is ahead of UTC at an instant.
    ///
    /// # Errors
    /// When the text is none of these; the error says what would do.
    pub fn parse(text: &str, now_us: i64, offset_s: impl Fn(i64) -> i64) -> Result<Moment, String> {
        let text = text.trim();
        let instant = |utc_us: i64| {
            let ahead_us = offset_s(utc_us.div_euclid(SECOND_US)).saturating_mul(SECOND_US);
            Moment::Instant { utc_us, local_us: utc_us.saturating_add(ahead_us) }
        };
        if let Some(ago_us) = span_us(text) {
            return Ok(instant(now_us.saturating_sub(ago_us)));
        }
        if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            let seconds: i64 = text.parse().map_err(|_| wrong(text))?;
            return Ok(instant(seconds.saturating_mul(SECOND_US)));
        }
        let (civil, zone_s) = zone(text).ok_or_else(|| wrong(text))?;
        let clock_us = clock(civil).ok_or_else(|| wrong(text))?;
        Ok(match zone_s {
            Some(zone_s) => instant(clock_us.saturating_sub(zone_s * SECOND_US)),
            None => Moment::Clock(clock_us),
        })
    }

    /// Whether an event's time is at this moment or later.
    fn is_reached_by(self, time: Time) -> bool {
        let clock_us = || time.civil_s().saturating_mul(SECOND_US).saturating_add(time.microseconds().into());
        match self {
            Moment::Clock(wanted) => clock_us() >= wanted,
            Moment::Instant { utc_us, .. } if time.zone_minutes().is_some() => time.unix_us() >= utc_us,
            Moment::Instant { local_us, .. } => clock_us() >= local_us,
        }
    }
}

fn wrong(text: &str) -> String {
    format!(
        "`{text}` is no time; write 2024-03-01 10:00:00 (as the log's clock shows it), 2024-03-01T10:00:00Z, or -1h for an hour ago"
    )
}

/// `-90m`, `1h`, `2d`, `30s`.
fn span_us(text: &str) -> Option<i64> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(SECOND_US)
}

/// Splits the zone off: how far it is ahead of UTC, in seconds; nothing where there is none.
fn zone(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(civil) = text.strip_suffix(['Z', 'z']) {
        return Some((civil, Some(0)));
    }
    // A date has two hyphens, a zone comes behind a colon.
    let sign = text.find(':').and_then(|colon| text.get(colon..)?.find(['+', '-']).map(|at| colon + at));
    let Some(sign) = sign else { return Some((text, None)) };
    let (civil, zone) = text.split_at(sign);
    let (sign, digits) = zone.split_at(1);
    let (hours, minutes) =
        digits.split_once(':').unwrap_or_else(|| digits.split_at_checked(2).unwrap_or((digits, "")));
    let minutes =
        if minutes.is_empty() { 0 } else { minutes.parse::<i64>().ok().filter(|minutes| *minutes < 60)? };
    let ahead = hours.parse::<i64>().ok().filter(|hours| (0..=14).contains(hours))? * 3600 + minutes * 60;
    Some((civil, Some(if sign == "-" { -ahead } else { ahead })))
}

/// A date, and a time if there is one, in microseconds.
fn clock(civil: &str) -> Option<i64> {
    let (date, time) = civil.split_once(['T', ' ']).unwrap_or((civil, "00:00:00"));
    let date = match date.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, day] => {
            let year = year.parse::<i64>().ok().filter(|year| (1..=9999).contains(year))?;
            (year, month.parse().ok()?, day.parse().ok()?)
        }
        [short] if short.len() == 6 && short.is_ascii() => {
            let part = |from: usize| short.get(from..from + 2)?.parse::<u32>().ok();
            (2000 + i64::from(part(0)?), part(2)?, part(4)?)
        }
        _ => return None,
    };
    let (time, fraction) = time.trim().split_once('.').unwrap_or((time.trim(), ""));
    let clock = match time.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute] => (hour.parse().ok()?, minute.parse().ok()?, 0),
        [hour, minute, second] => (hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?),
        _ => return None,
    };
    let fraction = format!("{fraction:0<6}");
    let microseconds: i64 = fraction.get(..6)?.parse().ok()?;
    let civil_s = Time::from_civil(date, clock)?.civil_s();
    civil_s.checked_mul(SECOND_US)?.checked_add(microseconds)
}

/// Events from one moment on, and before another. Events without a time are left out where there is either.
#[derive(Debug, Clone, Copy, Default)]
pub struct Within {
    /// The first moment.
    pub since: Option<Moment>,
    /// The first moment that is too late.
    pub until: Option<Moment>,
}

impl Select for Within {
    fn keep(&self, event: &Event<'_>) -> bool {
        let reached = |moment: Moment| event.time.map(|time| moment.is_reached_by(time));
        self.since.is_none_or(|since| reached(since) == Some(true))
            && self.until.is_none_or(|until| reached(until) == Some(false))
    }
}
