//! Numbers and text for people.

/// A time in seconds with three digits: `14.6 s`, `230 ms`, `43 µs`, `2.1 h`.
pub(super) fn span(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s <= 0.0 => return "0".to_owned(),
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s if s < 1000.0 => (s, "s"),
        s if s < 36_000.0 => (s / 60.0, "min"),
        s => (s / 3600.0, "h"),
    };
    format!("{} {unit}", digits(value))
}

/// Three digits of a number, and all in front of its point.
fn digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => grouped(v.round() as u128),
    }
}

/// A count: whole with commas below a million, else with three digits and `M`, `G`, `T`.
pub(super) fn count(value: f64) -> String {
    match value {
        v if v < 10.0 && v.fract() > 0.0 => format!("{v:.1}"),
        v if v < 999_999.5 => grouped(v.round() as u128),
        v if v < 1e9 => format!("{} M", digits(v / 1e6)),
        v if v < 1e12 => format!("{} G", digits(v / 1e9)),
        v => format!("{} T", digits(v / 1e12)),
    }
}

/// A whole number with commas.
pub(super) fn grouped(value: u128) -> String {
    let plain = value.to_string();
    let mut text = String::new();
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share from 0 to 1 in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Text on one line, without what could steer a terminal.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The first so many characters; `…` says that there are more.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Lines of at most `width` characters, broken at blanks where there are any.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let mut rest = word;
        let length = |text: &str| text.chars().count();
        if let Some(last) = lines.last_mut().filter(|last| length(last) + 1 + length(rest) <= width) {
            last.push(' ');
            last.push_str(rest);
            continue;
        }
        while let Some((end, _)) = rest.char_indices().nth(width) {
            let (head, tail) = rest.split_at(end);
            lines.push(head.to_owned());
            rest = tail;
        }
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_plain() {
        let spans: Vec<String> = [0.0, 4.3e-5, 0.2304, 14.62, 467.77, 1846.0, 720_000.0].map(span).into();
        assert_eq!(spans, ["0", "43.0 µs", "230 ms", "14.6 s", "468 s", "30.8 min", "200 h"]);
        let counts: Vec<String> = [0.0, 1.5, 12_345.0, 999_999.0, 2_500_000.0, 3.2e9].map(count).into();
        assert_eq!(counts, ["0", "1.5", "12,345", "999,999", "2.50 M", "3.20 G"]);
    }

    #[test]
    fn text_fits_its_lines() {
        assert_eq!(wrap("select a from b", 8), ["select a", "from b"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(line("a\n\tb\x1b[31m"), "a b [31m");
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
