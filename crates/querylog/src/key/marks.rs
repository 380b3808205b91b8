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

    #[inline]
    #[target_feature(enable = "sse2")]
    fn bits(found: __m128i) -> u64 {
        u64::from(_mm_movemask_epi8(found) as u16)
    }

    #[inline]
    pub(super) fn masks(block: &[u8; BLOCK]) -> Masks {
        // SAFETY: SSE2 is part of every x86-64 processor. Nothing else is asked of the caller: no pointer is read.
        unsafe { masks_of_vectors(block) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn masks_of_vectors(block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks::default();
        let (halves, _) = block.as_chunks::<8>();
        for (place, pair) in halves.chunks_exact(2).enumerate() {
            let [low, high] = pair else { continue };
            let bytes = _mm_set_epi64x(i64::from_le_bytes(*high), i64::from_le_bytes(*low));
            let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
            let from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8));
            let digit = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
            let shift = place * 16;
            masks.single |= bits(is(b'\'')) << shift;
            masks.double |= bits(is(b'"')) << shift;
            masks.backslash |= bits(is(b'\\')) << shift;
            masks.dash |= bits(is(b'-')) << shift;
            masks.slash |= bits(is(b'/')) << shift;
            masks.star |= bits(is(b'*')) << shift;
            masks.others |= bits(_mm_or_si128(_mm_or_si128(is(b'#'), is(b'(')), digit)) << shift;
        }
        masks
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod classify {
    use super::{BLOCK, Masks};

    pub(super) fn masks(block: &[u8; BLOCK]) -> Masks {
        super::masks_by_byte(block)
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
