//! From one start of a job to the next: crontab(5), systemd.time(7).

const DAY_S: u32 = 86_400;
const WEEK_S: f64 = 604_800.0;

/// Seconds from one start to the next of the five fields of a crontab, or of a word such as `@hourly`; `None` where the
/// starts are not equally far apart.
pub(super) fn crontab_period_s(schedule: &str) -> Option<f64> {
    match schedule {
        "@hourly" => return Some(3600.0),
        "@daily" | "@midnight" => return Some(f64::from(DAY_S)),
        "@weekly" => return Some(WEEK_S),
        _ => {}
    }
    let fields: Vec<_> = schedule.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return None };
    let minutes = numbers(minute, 0, 59, '-')?;
    let hours = numbers(hour, 0, 23, '-')?;
    let starts = starts(&hours, &minutes, &[0]);
    match (day, month, weekday) {
        ("*", "*", "*") => even_s(&starts),
        ("*", "*", one) if one.len() == 1 && starts.len() == 1 => Some(WEEK_S),
        _ => None,
    }
}

/// Seconds from one start to the next of `OnCalendar=`; `None` where the starts are not equally far apart.
pub(super) fn calendar_period_s(schedule: &str) -> Option<f64> {
    match schedule.trim() {
        "minutely" => return Some(60.0),
        "hourly" => return Some(3600.0),
        "daily" => return Some(f64::from(DAY_S)),
        "weekly" => return Some(WEEK_S),
        _ => {}
    }
    let mut time = None;
    let mut weekly = false;
    for part in schedule.split_whitespace() {
        if part.contains(':') {
            time = Some(part);
        } else if part.starts_with(|first: char| first.is_ascii_alphabetic()) {
            // A time zone comes last and moves all starts alike; a weekday comes first.
            weekly |= time.is_none();
            if weekly && part.contains([',', '.']) {
                return None;
            }
        } else if part.split('-').any(|field| field != "*") {
            return None;
        }
    }
    let fields: Vec<_> = time.unwrap_or("00:00:00").split(':').collect();
    let (hour, minute, second) = match fields[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let starts = starts(
        &numbers(hour, 0, 23, '.')?,
        &numbers(minute, 0, 59, '.')?,
        &numbers(second.split('.').next()?, 0, 59, '.')?,
    );
    if weekly { (starts.len() == 1).then_some(WEEK_S) } else { even_s(&starts) }
}

/// A time span of systemd.time(7), such as `5min` or `1h 30m`, in seconds. Without a unit it counts seconds.
pub(super) fn span_s(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let unit_s = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "us" | "µs" | "usec" => 1e-6,
            "ms" | "msec" => 1e-3,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => WEEK_S,
            _ => return None,
        };
        total += number * unit_s;
        rest = tail.trim_start();
    }
    Some(total)
}

/// The numbers of a field: `*`, `*/5`, `1,2`, `1-5` (or `1..5`), `1-5/2`, `0/5`.
fn numbers(field: &str, least: u32, most: u32, range: char) -> Option<Vec<u32>> {
    let mut found = vec![false; usize::try_from(most).ok()? + 1];
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(step.parse::<u32>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let ends = span.split_once(range).map(|(first, last)| (first, last.trim_start_matches('.')));
        let (first, last) = match ends {
            _ if span == "*" => (least, most),
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            None => {
                let one = span.parse().ok()?;
                (one, if step.is_some() { most } else { one })
            }
        };
        if last > most {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        for number in (first..=last).step_by(step) {
            *found.get_mut(usize::try_from(number).ok()?)? = true;
        }
    }
    let numbers = found.iter().zip(0_u32..).filter(|(is, _)| **is).map(|(_, number)| number);
    Some(numbers.collect())
}

/// Seconds of a day at which a job starts, in order.
fn starts(hours: &[u32], minutes: &[u32], seconds: &[u32]) -> Vec<u32> {
    let of = |hour: u32| minutes.iter().map(move |minute| hour * 3600 + minute * 60);
    hours
        .iter()
        .flat_map(|hour| of(*hour))
        .flat_map(|at| seconds.iter().map(move |second| at + second))
        .collect()
}

/// The distance of starts that are equally far apart, over midnight too.
fn even_s(starts: &[u32]) -> Option<f64> {
    let (first, last) = (starts.first()?, starts.last()?);
    let gap = first + DAY_S - last;
    let even = starts.windows(2).all(|pair| matches!(pair, [one, next] if next - one == gap));
    even.then(|| f64::from(gap))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn regular_crontabs_have_a_period() {
        for (schedule, period) in [
            ("* * * * *", Some(60.0)),
            ("*/5 * * * *", Some(300.0)),
            ("2-59/15 * * * *", Some(900.0)),
            ("0,30 * * * *", Some(1800.0)),
            ("7 3 * * *", Some(86_400.0)),
            ("0 4 * * 0", Some(604_800.0)),
            ("*/7 * * * *", None),
            ("0 9-17 * * *", None),
            ("0 0 1 * *", None),
            ("@hourly", Some(3600.0)),
            ("@reboot", None),
            ("61 * * * *", None),
            ("*/0 * * * *", None),
        ] {
            assert_eq!(crontab_period_s(schedule), period, "{schedule}");
        }
    }

    #[test]
    fn regular_calendars_have_a_period() {
        for (schedule, period) in [
            ("*:0/5", Some(300.0)),
            ("*-*-* *:00/10:00", Some(600.0)),
            ("*-*-* *:*:00/30", Some(30.0)),
            ("minutely", Some(60.0)),
            ("*:*", Some(60.0)),
            ("03:15", Some(86_400.0)),
            ("Mon *-*-* 04:00:00", Some(604_800.0)),
            ("Mon..Fri 04:00", None),
            ("*-*-01 04:00:00", None),
            ("daily", Some(86_400.0)),
            ("*:0/5 Europe/Berlin", Some(300.0)),
            ("9..17:00", None),
        ] {
            assert_eq!(calendar_period_s(schedule), period, "{schedule}");
        }
        let spans = ["5min", "300", "1h 30min", "1m30s", "90sec", "x"].map(span_s);
        assert_eq!(spans, [Some(300.0), Some(300.0), Some(5400.0), Some(90.0), Some(90.0), None]);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in "[0-9*,./: a-z@-]{0,30}") {
            let _ = (crontab_period_s(&text), calendar_period_s(&text), span_s(&text));
        }
    }
}
