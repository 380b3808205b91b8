//! Small pure helpers for the kernel's text files. They skip what they do not understand and never panic.

/// The lines of a file, with their number from 1 and the byte they begin at.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, usize, &[u8])> {
    let mut at = 0;
    bytes.split(|byte| *byte == b'\n').enumerate().map(move |(index, line)| {
        let start = at;
        at += line.len() + 1;
        (index + 1, start, line)
    })
}

/// The words of a line, split at blanks and tabs.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number that fills the whole word; `None` for anything else, or beyond 64 bits.
pub fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |value, byte| {
        byte.is_ascii_digit().then_some(())?;
        value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}

/// A hexadecimal number that fills the whole word, without a prefix.
pub fn hexadecimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 16 {
        return None;
    }
    word.iter().try_fold(0u64, |value, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(value << 4 | u64::from(digit))
    })
}

/// A word as text; invalid UTF-8 is replaced.
pub fn string(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

/// The CPUs of a kernel list such as `0-3,8,10-11`; parts that are no numbers are left out, and no more than
/// 8192 CPUs are listed.
pub fn cpu_list(text: &str) -> Vec<u32> {
    const MOST: u32 = 8192;
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else { continue };
        let room = (MOST as usize).saturating_sub(cpus.len());
        cpus.extend((first..=last.min(MOST)).take(room));
    }
    cpus
}

/// The CPUs of a kernel mask such as `ff` or `1,00000000` (32-bit groups, most significant first).
pub fn cpu_mask(text: &str) -> Vec<u32> {
    let mut cpus = Vec::new();
    for (group, digits) in text.trim().split(',').rev().enumerate() {
        let Ok(bits) = u32::from_str_radix(digits, 16) else { continue };
        let base = u32::try_from(group).unwrap_or(u32::MAX).saturating_mul(32);
        cpus.extend((0..32).filter(|bit| bits & (1 << bit) != 0).map(|bit| base.saturating_add(bit)));
    }
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_begin() {
        let found: Vec<_> = lines(b"ab\n\nc").collect();
        assert_eq!(found, vec![(1, 0, &b"ab"[..]), (2, 3, &b""[..]), (3, 4, &b"c"[..])]);
    }

    #[test]
    fn numbers_fill_their_word_or_are_none() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b"12x"), None);
        assert_eq!(hexadecimal(b"0000002a"), Some(42));
        assert_eq!(hexadecimal(b"g"), None);
    }

    #[test]
    fn cpu_lists_and_masks_agree() {
        assert_eq!(cpu_list("0-2,33\n"), vec![0, 1, 2, 33]);
        assert_eq!(cpu_mask("2,00000007\n"), vec![0, 1, 2, 33]);
        assert_eq!(cpu_list("garbage,4-x"), Vec::<u32>::new());
    }
}
