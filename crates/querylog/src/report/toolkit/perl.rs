//! Numbers as Perl and pt-query-digest write them.

/// A number as Perl prints it: 15 significant digits (`%.15g`).
fn perl(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let scientific = format!("{value:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-5..15).contains(&exponent) {
        let decimals = usize::try_from(14 - exponent).unwrap_or_default();
        let plain = format!("{value:.decimals$}");
        if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').to_owned() } else { plain }
    } else {
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

/// A count with a unit: two decimals and `k`, `M` … from `divisor` on.
pub(super) fn shorten(value: f64, divisor: f64) -> String {
    const UNITS: [&str; 9] = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
    let (mut value, mut unit) = (value, 0);
    while value >= divisor && unit < UNITS.len() - 1 {
        value /= divisor;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit > 0 || perl(value).contains('.') {
        format!("{value:.2}{name}")
    } else {
        format!("{}", value.trunc())
    }
}

/// A time in seconds as `us`, `ms` or `s`, cut to six decimals first.
pub(super) fn micro_t(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let written = perl(seconds);
    let written = if written.contains('e') { format!("{seconds:.17}") } else { written };
    let cut = match written.split_once('.') {
        Some((whole, decimals)) => format!("{whole}.{}", decimals.get(..6).unwrap_or(decimals)),
        None => written,
    };
    let seconds: f64 = cut.parse().unwrap_or_default();
    if seconds > 0.0 && seconds <= 0.000_999 {
        perl(seconds * 1e6) + "us"
    } else if (0.001..=0.999_999).contains(&seconds) {
        format!("{:.0}ms", seconds * 1000.0)
    } else if seconds >= 1.0 {
        format!("{seconds:.0}s")
    } else {
        "0".to_owned()
    }
}

/// A percentage, cut to a whole number.
pub(super) fn percentage(is: f64, of: f64) -> String {
    format!("{}", (is * 100.0 / if of == 0.0 { 1.0 } else { of }).trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_perl_writes_them() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (3e-6, "3e-06"),
            (967.75, "967.75"),
            (1e15, "1e+15"),
            (123_456.0, "123456"),
            (1.0 / 3.0, "0.333333333333333"),
        ] {
            assert_eq!(perl(value), text);
        }
        assert_eq!(shorten(7884.0, 1000.0), "7.88k");
        assert_eq!(shorten(198.0, 1000.0), "198");
        assert_eq!(shorten(0.99, 1024.0), "0.99");
        assert_eq!(
            (micro_t(3e-6), micro_t(0.0427), micro_t(1007.3), micro_t(0.0)),
            ("3us".into(), "43ms".into(), "1007s".into(), "0".into())
        );
        assert_eq!(percentage(99.0, 100.0), "99");
    }
}
