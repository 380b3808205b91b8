//! Values of options and variables.

/// A number with its unit: `16M` is 16 × 1024². Units are K, M, G, T, P and E (`eval_num_suffix` of mysys/my_getopt.c).
pub fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let power = match unit.to_ascii_uppercase().as_str() {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1024_u64.checked_pow(power)?)
}

/// Whether a switch is on; `None` where the text is no switch. An option without a value is on.
pub fn switch(text: &str) -> Option<bool> {
    match text.trim().to_ascii_uppercase().as_str() {
        "" | "ON" | "1" | "YES" | "TRUE" => Some(true),
        "OFF" | "0" | "NO" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024_and_nonsense_is_none() {
        assert_eq!(number("16M"), Some(16 << 20));
        assert_eq!(number(" 4g"), Some(4 << 30));
        assert_eq!(number("151"), Some(151));
        for wrong in ["", "M", "1.5G", "-1", "99999999999E", "1KB"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_switch_without_a_value_is_on() {
        assert_eq!((switch(""), switch("off"), switch("2")), (Some(true), Some(false), None));
    }
}
