//! The lines that head a record.

use crate::attribute::{Attribute, Kind, Unit};
use crate::event::Value;
use crate::time::Time;

/// Splits a text after its first line, whose line feed belongs to neither.
pub(super) fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', text) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default()),
        None => (text, &[]),
    }
}

/// The user, host and address of a line `# User@Host: user[priv] @ host [address]  Id: 5`, after its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Client<'a> {
    pub(super) user: &'a [u8],
    /// The address where there is no host.
    pub(super) host: &'a [u8],
    pub(super) ip: &'a [u8],
    pub(super) connection: Option<u64>,
}

pub(super) fn client(line: &[u8]) -> Option<Client<'_>> {
    // A name may be in brackets as a whole, as those of the server's own threads are.
    let skip = usize::from(line.first() == Some(&b'['));
    let open = skip + memchr::memchr(b'[', line.get(skip..)?)?;
    let user = line.get(..open)?;
    let user = if skip == 1 { user.get(..memchr::memchr(b']', user)? + 1)? } else { user };
    let rest = line.get(user.len()..)?;
    let at = memchr::memchr_iter(b'@', rest).find(|at| rest.get(at + 1) == Some(&b' '))?;
    let rest = rest.get(at + 2..)?;
    let end = memchr::memchr(b' ', rest)?;
    let host = rest.get(..end)?;
    let rest = rest.get(end + 1..)?.strip_prefix(b"[")?;
    let close = memchr::memrchr(b']', rest)?;
    let ip = rest.get(..close)?;
    let after = rest.get(close + 1..)?.trim_ascii_start();
    let connection = after.strip_prefix(b"Id:").and_then(|id| whole_number(id.trim_ascii()));
    Some(Client { user, host: if host.is_empty() { ip } else { host }, ip, connection })
}

/// A whole number that takes up all of a text; the largest there is where it is larger.
pub(super) fn whole_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

/// The whole number that a text begins with, of at most 18 digits, and how many those are.
pub(super) fn leading_number(text: &[u8]) -> Option<(u64, usize)> {
    let (mut number, mut length) = (0, 0);
    for byte in text.iter().take(19) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number * 10 + u64::from(digit);
        length += 1;
    }
    (1..19).contains(&length).then_some((number, length))
}

/// The seconds that a text begins with, in microseconds, and how long they are: digits, a point and six digits.
pub(super) fn leading_seconds(text: &[u8]) -> Option<(u64, usize)> {
    let (seconds, length) = leading_number(text)?;
    let fraction = text.get(length..)?.strip_prefix(b".")?;
    let (microseconds, 6) = leading_number(fraction)? else { return None };
    Some((seconds.checked_mul(1_000_000)?.checked_add(microseconds)?, length + 7))
}

/// A decimal number in microseconds; what is beyond six digits is cut.
pub(super) fn microseconds(text: &[u8]) -> Option<u64> {
    let point = text.iter().position(|byte| *byte == b'.');
    let Some(point) = point else { return Some(whole_number(text)?.saturating_mul(1_000_000)) };
    let seconds = whole_number(text.get(..point)?)?;
    let fraction = text.get(point + 1..)?;
    let mut rest = 0;
    for place in 0..6 {
        let digit = match fraction.get(place) {
            Some(byte) if byte.is_ascii_digit() => u64::from(byte - b'0'),
            Some(_) => return None,
            None => 0,
        };
        rest = rest * 10 + digit;
    }
    let clean = fraction.get(6..).is_none_or(|rest| rest.iter().all(u8::is_ascii_digit));
    clean.then(|| seconds.saturating_mul(1_000_000).saturating_add(rest))
}

/// A value as its attribute's kind has it; `None` where it is not what the name promises.
pub(super) fn value(attribute: Attribute, kind: Kind, text: &[u8]) -> Option<Value<'_>> {
    match kind {
        Kind::Number(Unit::Microseconds) => Some(Value::Number(microseconds(text)?, Unit::Microseconds)),
        Kind::Number(Unit::Count) => count(text).map(|count| Value::Number(count, Unit::Count)),
        Kind::Milliseconds => Some(Value::Number(microseconds(text)? / 1000, Unit::Microseconds)),
        Kind::Flag => match text {
            b"Yes" | b"1" => Some(Value::Flag(true)),
            b"No" | b"0" => Some(Value::Flag(false)),
            _ => whole_number(text).map(|_| Value::Flag(true)),
        },
        Kind::Text => Some(Value::Text(text)),
        Kind::Open => open_value(attribute, text),
        Kind::Ignored => None,
    }
}

/// A count; of one with decimals, the whole part.
fn count(text: &[u8]) -> Option<u64> {
    whole_number(text).or_else(|| {
        let point = memchr::memchr(b'.', text)?;
        microseconds(text)?;
        whole_number(text.get(..point)?)
    })
}

fn open_value(attribute: Attribute, text: &[u8]) -> Option<Value<'_>> {
    match text {
        b"Yes" => return Some(Value::Flag(true)),
        b"No" => return Some(Value::Flag(false)),
        _ => {}
    }
    let number = match attribute.unit() {
        Unit::Microseconds => microseconds(text),
        Unit::Count => count(text),
    };
    Some(number.map_or(Value::Text(text), |number| Value::Number(number, attribute.unit())))
}

/// Reads the moments of lines `# Time: `, which are mostly the same to the second as the one before.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    text: [u8; 19],
    time: Option<Time>,
}

impl Clock {
    /// The moment of a line, after its name: `2024-03-01T10:00:00.123456Z` or `240301 10:00:00`.
    pub(crate) fn read(&mut self, line: &[u8]) -> Option<Time> {
        let Some((second, rest)) = line.split_first_chunk::<19>() else { return short_time(line) };
        if *second != self.text || self.time.is_none() {
            let Some(time) = long_time(second) else { return short_time(line) };
            (self.text, self.time) = (*second, Some(time));
        }
        let (fraction, zone) = match rest.strip_prefix(b".") {
            Some(rest) => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                rest.split_at_checked(digits)?
            }
            None => (&[][..], rest),
        };
        let mut microseconds = 0;
        for place in 0..6 {
            microseconds = microseconds * 10 + fraction.get(place).map_or(0, |digit| u32::from(digit - b'0'));
        }
        Some(self.time?.with_microseconds(microseconds).with_zone(zone_minutes(zone)))
    }
}

fn two_digits(text: &[u8], from: usize) -> Option<u32> {
    let number = whole_number(text.get(from..from + 2)?.trim_ascii_start())?;
    u32::try_from(number).ok()
}

fn clock_of(text: &[u8], from: usize) -> Option<(u32, u32, u32)> {
    let colons = [from + 2, from + 5].iter().all(|place| text.get(*place) == Some(&b':'));
    colons.then_some(())?;
    Some((two_digits(text, from)?, two_digits(text, from + 3)?, two_digits(text, from + 6)?))
}

/// `2024-03-01T10:00:00`, or with a blank in between.
fn long_time(text: &[u8; 19]) -> Option<Time> {
    if (text[4], text[7]) != (b'-', b'-') || !matches!(text[10], b'T' | b' ') {
        return None;
    }
    let year = i64::try_from(whole_number(&text[..4])?).ok()?;
    let date = (year, two_digits(text, 5)?, two_digits(text, 8)?);
    Some(Time::from_civil(date, clock_of(text, 11)?)?.with_iso(text[10] == b'T'))
}

/// `240301 10:00:00`; the hour may have a blank for its first digit. Years from 70 on are of the last century.
fn short_time(text: &[u8]) -> Option<Time> {
    let year = two_digits(text, 0)?;
    let century = if year < 70 { 2000 } else { 1900 };
    let date = (century + i64::from(year), two_digits(text, 2)?, two_digits(text, 4)?);
    (text.get(6) == Some(&b' ')).then_some(())?;
    Time::from_civil(date, clock_of(text, 7)?)
}

/// `Z`, `+02:00` or nothing.
fn zone_minutes(text: &[u8]) -> Option<i16> {
    let (sign, rest) = match text.split_first()? {
        (b'Z', _) => return Some(0),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let minutes = two_digits(rest, 0)? * 60 + two_digits(rest, 3)?;
    Some(sign * i16::try_from(minutes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_all_servers_are_read() {
        let read = |line: &'static str| {
            let client = client(line.as_bytes()).unwrap();
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            (text(client.user), text(client.host), text(client.ip), client.connection)
        };
        assert_eq!(read("root[root] @ localhost []  Id:     8"), ("root", "localhost", "", Some(8)));
        assert_eq!(read("shop[shop] @  [10.0.0.5]"), ("shop", "10.0.0.5", "10.0.0.5", None));
        assert_eq!(read("[SQL_SLAVE] @  []"), ("[SQL_SLAVE]", "", "", None));
        assert_eq!(
            read("skip-grants user[] @ web [2001:db8::17]  Id: 3"),
            ("skip-grants user", "web", "2001:db8::17", Some(3))
        );
        assert_eq!(client(b"garbage"), None);
    }

    #[test]
    fn times_of_all_servers_are_read() {
        let mut clock = Clock::default();
        let mut read = |line: &str| {
            clock
                .read(line.as_bytes())
                .map(|time| (time.to_string(), time.microseconds(), time.zone_minutes()))
        };
        let expect = |text: &str, us, zone| Some((text.to_owned(), us, zone));
        assert_eq!(read("2024-03-01T10:00:00.123456Z"), expect("2024-03-01T10:00:00", 123_456, Some(0)));
        assert_eq!(read("2024-03-01T10:00:00.5+02:00"), expect("2024-03-01T10:00:00", 500_000, Some(120)));
        assert_eq!(read("2024-03-01T10:00:01-00:30"), expect("2024-03-01T10:00:01", 0, Some(-30)));
        assert_eq!(read("240301  9:05:01"), expect("2024-03-01 09:05:01", 0, None));
        assert_eq!(read("071231 23:59:59"), expect("2007-12-31 23:59:59", 0, None));
        assert_eq!(read("24030"), None);
        assert_eq!(read("2024-99-01T10:00:00"), None);
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        assert_eq!(microseconds(b"0.000123"), Some(123));
        assert_eq!(microseconds(b"12"), Some(12_000_000));
        assert_eq!(microseconds(b"1.5"), Some(1_500_000));
        assert_eq!(microseconds(b"1.1234567"), Some(1_123_456));
        assert_eq!(microseconds(b"1.x"), None);
        assert_eq!(whole_number(b"99999999999999999999999"), Some(u64::MAX));
        assert_eq!(whole_number(b"-1"), None);
        assert_eq!(count(b"3.00"), Some(3));
        assert_eq!(leading_seconds(b"12.000345 x"), Some((12_000_345, 9)));
        assert_eq!(leading_seconds(b"12.34"), None);
        assert_eq!(leading_number(b"1234567890123456789"), None);
        assert_eq!(
            value(Attribute::of("Engine_time").unwrap(), Kind::Milliseconds, b"0.0122"),
            Some(Value::Number(12, Unit::Microseconds))
        );
    }
}
