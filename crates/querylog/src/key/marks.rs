//! Finds the bytes of a statement at which something begins or ends, 64 bytes at a time.

/// Bytes in a block.
const BLOCK: usize = 64;

/// Where the bytes of a block are that matter; bit `n` is its byte `n`.
#[derive(Debug, Clone, Copy, Default)]
struct Masks {
    /// `'`
    single: u64,
    /// `"`
    double: u64,
    backslash: u64,
    dash: u64,
    slash: u64,
    star: u64,
    /// Digits, `#` and `(`.
    others: u64,
}

#[cfg(target_arch = "x86_64")]
mod classify {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8, _mm_sub_epi8,
    };

    use super::{BLOCK, Masks};

    /// Calls that only compare registers. They are unsafe where a processor may lack SSE2; every x86-64 processor has it.
    macro_rules! sse2 {
        ($call:expr) => {
            // SAFETY: SSE2 is part of x86-64, and no pointer is read.
            unsafe { $call }
        };
    }

    #[inline(always)]
    fn vector(bytes: &[u8; 16]) -> __m128i {
        let all = i128::from_le_bytes(*bytes);
        sse2!(_mm_set_epi64x((all >> 64) as i64, all as i64))
    }

    #[inline(always)]
    fn is(bytes: __m128i, byte: u8) -> __m128i {
        sse2!(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8)))
    }

    #[inline(always)]
    fn is_digit(bytes: __m128i) -> __m128i {
        sse2!({
            let from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8));
            _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero)
        })
    }

    #[inline(always)]
    fn or(left: __m128i, right: __m128i) -> __m128i {
        sse2!(_mm_or_si128(left, right))
    }

    #[inline(always)]
    fn bits(found: __m128i) -> u64 {
        u64::from(sse2!(_mm_movemask_epi8(found)) as u16)
    }

    #[inline(always)]
    pub(super) fn masks(block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks::default();
        let (quarters, _) = block.as_chunks::<16>();
        for (place, quarter) in quarters.iter().enumerate() {
            let bytes = vector(quarter);
            let shift = place * 16;
            masks.single |= bits(is(bytes, b'\'')) << shift;
            masks.double |= bits(is(bytes, b'"')) << shift;
            masks.backslash |= bits(is(bytes, b'\\')) << shift;
            masks.dash |= bits(is(bytes, b'-')) << shift;
            masks.slash |= bits(is(bytes, b'/')) << shift;
            masks.star |= bits(is(bytes, b'*')) << shift;
            masks.others |= bits(or(or(is(bytes, b'#'), is(bytes, b'(')), is_digit(bytes))) << shift;
        }
        masks
    }

    /// How many bytes from the first on are digits, commas and spaces.
    #[inline(always)]
    pub(super) fn listed(bytes: &[u8; 16]) -> usize {
        let bytes = vector(bytes);
        let in_list = bits(or(or(is(bytes, b','), is(bytes, b' ')), is_digit(bytes)));
        in_list.trailing_ones() as usize
    }
}

/// The first place, from one on, that is no digit, comma or blank: where a list of numbers ends.
pub(super) fn list_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
            let count = classify::listed(chunk);
            at += count;
            if count < 16 {
                break;
            }
        }
        match text.get(at) {
            Some(b'0'..=b'9' | b',' | b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            _ => return at,
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod classify {
    use super::{BLOCK, Masks};

    pub(super) fn masks(block: &[u8; BLOCK]) -> Masks {
        super::masks_by_byte(block)
    }

    pub(super) fn listed(bytes: &[u8; 16]) -> usize {
        bytes.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b',' | b' ')).count()
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn masks_by_byte(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks::default();
    for (place, byte) in block.iter().enumerate() {
        let bit = 1 << place;
        match byte {
            b'\'' => masks.single |= bit,
            b'"' => masks.double |= bit,
            b'\\' => masks.backslash |= bit,
            b'-' => masks.dash |= bit,
            b'/' => masks.slash |= bit,
            b'*' => masks.star |= bit,
            b'0'..=b'9' | b'#' | b'(' => masks.others |= bit,
            _ => {}
        }
    }
    masks
}

/// A place that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// A `'` that no backslash escapes.
    Single,
    /// A `"` that no backslash escapes.
    Double,
    /// `/*`
    Comment,
}

/// The places of a statement that matter, looked up from the left to the right.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    text: &'a [u8],
    /// Which block the masks are of.
    block: usize,
    /// Where something may begin outside of strings.
    stops: u64,
    single: u64,
    double: u64,
    /// Where a `/*` may begin.
    opens: u64,
    /// Whether the first byte of the next block is escaped by the last of this one.
    escapes_next: bool,
}

impl<'a> Marks<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut marks =
            Self { text, block: 0, stops: 0, single: 0, double: 0, opens: 0, escapes_next: false };
        marks.load(0, false);
        marks
    }

    fn load(&mut self, block: usize, first_is_escaped: bool) {
        self.block = block;
        let rest = self.text.get(block * BLOCK..).unwrap_or_default();
        let masks = match rest.first_chunk::<BLOCK>() {
            Some(whole) => classify::masks(whole),
            None => {
                let mut padded = [0; BLOCK];
                for (to, from) in padded.iter_mut().zip(rest) {
                    *to = *from;
                }
                classify::masks(&padded)
            }
        };
        let escaped = self.escaped(masks.backslash, first_is_escaped);
        // What the next block begins with is not known here: the last byte is taken for the first of a pair.
        let pair = |first: u64, second: u64| first & (second >> 1 | 1 << 63);
        self.single = masks.single & !escaped;
        self.double = masks.double & !escaped;
        self.opens = pair(masks.slash, masks.star);
        self.stops = masks.single
            | masks.double
            | masks.backslash
            | masks.others
            | pair(masks.dash, masks.dash)
            | self.opens;
    }

    /// Which bytes follow a backslash that is not itself escaped.
    fn escaped(&mut self, backslashes: u64, first_is_escaped: bool) -> u64 {
        let carried = u64::from(first_is_escaped);
        let mut open = backslashes & !carried;
        if open == 0 {
            self.escapes_next = false;
            return carried;
        }
        let mut escaped = carried;
        while open != 0 {
            let place = open.trailing_zeros();
            let next = if place == 63 { 0 } else { 2_u64 << place };
            if place == 63 {
                self.escapes_next = true;
                return escaped;
            }
            escaped |= next;
            open &= !(next | (1 << place));
        }
        self.escapes_next = false;
        escaped
    }

    /// Makes the masks those of the block of a place, and says which bits are not before it.
    fn seek(&mut self, from: usize) -> u64 {
        let block = from / BLOCK;
        if block != self.block {
            // After a leap the byte before the place is no backslash, so nothing at or after it is escaped from before.
            let follows = block == self.block + 1 && self.escapes_next;
            self.load(block, follows);
        }
        u64::MAX << (from % BLOCK)
    }

    /// The first place, from one on, at which something may begin outside of strings.
    pub(super) fn stop(&mut self, from: usize) -> Option<usize> {
        let mut from = from;
        while from < self.text.len() {
            let found = self.seek(from) & self.stops;
            if found != 0 {
                return Some(self.block * BLOCK + found.trailing_zeros() as usize);
            }
            from = (self.block + 1) * BLOCK;
        }
        None
    }

    /// The first quote that is not escaped, or `/*`, from a place on, within a string.
    pub(super) fn quote(&mut self, from: usize, with_single: bool) -> Option<(usize, Quote)> {
        let mut from = from;
        while from < self.text.len() {
            let singles = if with_single {
                self.seek(from);
                self.single
            } else {
                0
            };
            let found = self.seek(from) & (singles | self.double | self.opens);
            if found != 0 {
                let bit = found.trailing_zeros();
                let place = self.block * BLOCK + bit as usize;
                let is = |mask: u64| mask >> bit & 1 == 1;
                if is(self.opens) {
                    if self.text.get(place + 1) == Some(&b'*') {
                        return Some((place, Quote::Comment));
                    }
                    from = place + 1;
                    continue;
                }
                return Some((place, if is(self.double) { Quote::Double } else { Quote::Single }));
            }
            from = (self.block + 1) * BLOCK;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_end_of_a_list_is_where_a_loop_finds_it(text in "[0-9, \t\n)]{0,80}", from in 0_usize..20) {
            let text = text.as_bytes();
            let from = from.min(text.len());
            let count = text[from..].iter().take_while(|byte| **byte != b')').count();
            prop_assert_eq!(list_end(text, from), from + count);
        }

        #[test]
        fn vectors_and_bytes_say_the_same(block: [u8; 32], more: [u8; 32]) {
            let mut whole = [0; BLOCK];
            whole[..32].copy_from_slice(&block);
            whole[32..].copy_from_slice(&more.map(|byte| b"'\"\\-/*#(5a"[byte as usize % 10]));
            prop_assert_eq!(format!("{:?}", classify::masks(&whole)), format!("{:?}", masks_by_byte(&whole)));
        }

        #[test]
        fn quotes_are_found_as_a_loop_over_bytes_finds_them(text in "[ab'\"\\\\]{0,200}") {
            let text = text.as_bytes();
            let mut marks = Marks::new(text);
            let (mut from, mut escaped) = (0, false);
            for (place, byte) in text.iter().enumerate() {
                let is_quote = matches!(byte, b'\'' | b'"') && !escaped;
                escaped = *byte == b'\\' && !escaped;
                if is_quote {
                    let kind = if *byte == b'"' { Quote::Double } else { Quote::Single };
                    prop_assert_eq!(marks.quote(from, true), Some((place, kind)));
                    from = place + 1;
                }
            }
            prop_assert_eq!(marks.quote(from, true), None);
        }
    }
}
