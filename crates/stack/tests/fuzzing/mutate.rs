//! Damages bytes the way torn copies, other kernels and hostile trees do.
#![allow(clippy::ptr_arg, reason = "all mutations have the same type, also those that keep the length")]

use super::random::Random;

/// Numbers at and beyond the edges of the types that hold them.
const EXTREMES: &[&str] = &[
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "340282366920938463463374607431768211456",
    "1e400",
    "-1e400",
    "1e-400",
    "0.0000000001",
    "nan",
    "inf",
    "0x7fffffffffffffff",
    "000000000000000000000000000001",
    "",
];

/// Bytes that end words, fields, lines and strings in the formats that are read.
const SEPARATORS: &[u8] = b"\n \t:=,;/-.()[]{}\"'\\#@*\0\r%|<>\xff\x80\xc3";

/// Inputs are cut to this length, so that a case stays cheap.
const LONGEST_BYTES: usize = 128 << 10;

type Mutation = fn(&mut Vec<u8>, &[u8], &mut Random);

const MUTATIONS: &[Mutation] = &[
    flip_bit,
    replace_byte,
    insert_bytes,
    insert_separator,
    delete_range,
    truncate,
    splice,
    replace_number,
    replace_number,
    replace_number,
    replace_every_number,
    duplicate_line,
    remove_line,
    swap_lines,
    spread_invalid_text,
    lengthen,
];

/// Applies one to four mutations; `other` is what is spliced in.
pub(crate) fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        if let Some(mutation) = random.pick(MUTATIONS) {
            mutation(bytes, other, random);
        }
    }
    bytes.truncate(LONGEST_BYTES);
}

fn flip_bit(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let (at, bit) = (random.below(bytes.len()), random.below(8));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn replace_byte(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let (at, value) = (random.below(bytes.len()), random.next().to_le_bytes()[0]);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, inserted: &[u8]) {
    let at = at.min(bytes.len());
    bytes.splice(at..at, inserted.iter().copied());
}

fn insert_bytes(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let inserted = random.next().to_le_bytes();
    let (at, count) = (random.below(bytes.len() + 1), 1 + random.below(inserted.len()));
    insert(bytes, at, inserted.get(..count).unwrap_or(&inserted));
}

fn insert_separator(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    if let Some(separator) = random.pick(SEPARATORS) {
        insert(bytes, at, &[*separator]);
    }
}

fn delete_range(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let start = random.below(bytes.len());
    let most = if random.one_in(4) { bytes.len() } else { 16 };
    let end = start.saturating_add(random.below(most)).min(bytes.len());
    bytes.drain(start..end);
}

fn truncate(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    bytes.truncate(random.below(bytes.len() + 1));
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    bytes.truncate(random.below(bytes.len() + 1));
    bytes.extend_from_slice(other.get(random.below(other.len() + 1)..).unwrap_or_default());
}

/// The runs of digits, of which at most some thousands are looked at.
fn numbers(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at + start;
        let digits = bytes.get(start..).unwrap_or_default();
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        found.push((start, start + length));
        at = start + length;
        if found.len() == 4096 {
            break;
        }
    }
    found
}

fn replace_number(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let found = numbers(bytes);
    if let (Some((start, end)), Some(extreme)) = (random.pick(&found), random.pick(EXTREMES)) {
        bytes.splice(*start..*end, extreme.bytes());
    }
}

fn replace_every_number(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let Some(extreme) = random.pick(EXTREMES) else { return };
    let share = 1 + random.below(4);
    for (start, end) in numbers(bytes).into_iter().rev() {
        if random.one_in(share) {
            bytes.splice(start..end, extreme.bytes());
        }
        if bytes.len() > LONGEST_BYTES {
            return;
        }
    }
}

/// The bounds of a line, its ending included.
fn line(bytes: &[u8], random: &mut Random) -> (usize, usize) {
    let inside = random.below(bytes.len());
    let before = bytes.get(..inside).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let after = bytes.get(inside..).unwrap_or_default();
    let end = after.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| inside + at + 1);
    (start, end)
}

fn duplicate_line(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let (start, end) = line(bytes, random);
    let copy = bytes.get(start..end).unwrap_or_default().to_vec();
    let times = if random.one_in(16) { 64 } else { 1 };
    for _ in 0..times {
        insert(bytes, end, &copy);
    }
}

fn remove_line(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let (start, end) = line(bytes, random);
    bytes.drain(start..end);
}

fn swap_lines(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    let (start, end) = line(bytes, random);
    let moved: Vec<u8> = bytes.drain(start..end).collect();
    let (to, _) = line(bytes, random);
    insert(bytes, to, &moved);
}

/// Bytes that are no UTF-8, and letters whose lower or upper case has another length.
fn spread_invalid_text(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    const BROKEN: &[&[u8]] =
        &[b"\xff", b"\xc3", b"\xf0\x9f", b"\xed\xa0\x80", "é".as_bytes(), "ẞİ".as_bytes(), "🦀".as_bytes()];
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        if let Some(broken) = random.pick(BROKEN) {
            insert(bytes, at, broken);
        }
    }
}

/// A line far longer than any the kernel writes: the same byte, or the same word, again and again.
fn lengthen(bytes: &mut Vec<u8>, _: &[u8], random: &mut Random) {
    if !random.one_in(8) {
        return;
    }
    let at = random.below(bytes.len());
    let longest = if random.one_in(2) { 1 } else { 24 };
    let length = 1 + random.below(longest);
    let word = bytes.get(at..(at + length).min(bytes.len())).unwrap_or_default().to_vec();
    let repeated = word.repeat((1 << (4 + random.below(10))) / length);
    insert(bytes, at, &repeated);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_damages_the_same_way() {
        let damaged = |seed| {
            let mut bytes = b"cpu 1 2 3\nintr 4\n".to_vec();
            mutate(&mut bytes, b"MemTotal: 7 kB\n", &mut Random::seeded(seed));
            bytes
        };
        assert!((0..1000).all(|seed| damaged(seed) == damaged(seed)));
        assert!((0..1000).filter(|seed| damaged(*seed) != damaged(0)).count() > 900);
    }

    #[test]
    fn nothing_can_be_damaged_too() {
        for seed in 0..10_000 {
            mutate(&mut Vec::new(), b"", &mut Random::seeded(seed));
        }
    }
}
