//! Sets of CPUs and other numbers, as the kernel spells them: lists `0-3,8` and masks `ff,00000000`.

use std::fmt::Write;

/// A list of numbers and ranges in its one spelling: sorted, without overlaps, neighbours joined. An empty list is
/// a list. `None` where the text is no list. (bitmap_parselist in the kernel's lib/bitmap-str.c, without its strides.)
pub(super) fn list(text: &str) -> Option<String> {
    let mut ranges = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        ranges.push(range(part)?);
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    let spelled = joined.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    Some(spelled.collect::<Vec<_>>().join(","))
}

fn range(part: &str) -> Option<(u32, u32)> {
    let (first, last) = match part.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(part)?, number(part)?),
    };
    (first <= last).then_some((first, last))
}

/// Decimal digits alone: `parse` would take a plus sign.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// A mask in its one spelling: groups of 32 bits in lower case, all but the first with eight digits, none of them zero
/// in front. `None` where the text is no mask. (bitmap_parse in the kernel's lib/bitmap-str.c.)
pub(super) fn mask(text: &str) -> Option<String> {
    let mut groups = Vec::new();
    for group in text.trim().split(',') {
        if group.len() > 8 || !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        groups.push(u32::from_str_radix(group, 16).ok()?);
    }
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len().saturating_sub(1));
    let mut spelled = format!("{:x}", groups.get(first)?);
    for group in groups.iter().skip(first + 1) {
        // Writing to a String does not fail.
        let _ = write!(spelled, ",{group:08x}");
    }
    Some(spelled)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_that_mean_the_same_are_spelled_the_same() {
        for same in ["0-3,8", "8,0,1,2,3", "0-2,2-3,8-8", " 0-3 , 8 ", "3,2,0-1,8,8"] {
            assert_eq!(list(same).as_deref(), Some("0-3,8"), "{same}");
        }
        assert_eq!(list("").as_deref(), Some(""));
        assert_eq!(list("0-4294967295,4294967295").as_deref(), Some("0-4294967295"));
        for other in ["a", "3-1", "1-", "-1", "+1", "0-6:2/3", "0x1", "4294967296"] {
            assert_eq!(list(other), None, "{other}");
        }
    }

    #[test]
    fn masks_that_mean_the_same_are_spelled_the_same() {
        for (written, spelled) in [
            ("0", "0"),
            ("00000000,00000000", "0"),
            ("0f", "f"),
            ("00000000,0000000F", "f"),
            ("1,2", "1,00000002"),
            ("00ff,00000000,00000001", "ff,00000000,00000001"),
        ] {
            assert_eq!(mask(written).as_deref(), Some(spelled), "{written}");
        }
        for other in ["", "g", "0x1", "1,,2", "123456789", "+1"] {
            assert_eq!(mask(other), None, "{other}");
        }
    }

    /// The numbers of a list, one by one.
    fn members(text: &str) -> BTreeSet<u32> {
        let ranges = text.split(',').filter(|part| !part.is_empty()).map(|part| range(part).unwrap());
        ranges.flat_map(|(first, last)| first..=last).collect()
    }

    /// The bits of a mask, one by one.
    fn bits(text: &str) -> BTreeSet<usize> {
        let groups = text.split(',').rev().map(|group| u32::from_str_radix(group, 16).unwrap());
        let set = |(at, group): (usize, u32)| {
            (0..32).filter(move |bit| group >> bit & 1 == 1).map(move |bit| at * 32 + bit)
        };
        groups.enumerate().flat_map(set).collect()
    }

    proptest! {
        #[test]
        fn a_list_keeps_its_numbers_and_has_one_spelling(
            ranges in proptest::collection::vec((0_u32..300, 0_u32..20), 0..12),
            turn in 0_usize..12,
        ) {
            let parts: Vec<_> = ranges.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
            let written = parts.join(",");
            let spelled = list(&written).unwrap();
            prop_assert_eq!(members(&spelled), members(&written));
            prop_assert_eq!(list(&spelled), Some(spelled.clone()));
            let mut turned = parts;
            let by = turn % turned.len().max(1);
            turned.rotate_left(by);
            prop_assert_eq!(list(&turned.join(",")), Some(spelled));
        }

        #[test]
        fn a_mask_keeps_its_bits_and_has_one_spelling(
            groups in proptest::collection::vec(any::<u32>(), 1..6),
            zeros in 0_usize..3,
        ) {
            let words: Vec<_> = groups.iter().map(|group| format!("{group:x}")).collect();
            let written = words.join(",");
            let spelled = mask(&written).unwrap();
            prop_assert_eq!(bits(&spelled), bits(&written));
            prop_assert_eq!(mask(&spelled), Some(spelled.clone()));
            prop_assert_eq!(mask(&format!("{}{written}", "00000000,".repeat(zeros))), Some(spelled));
        }

        #[test]
        fn no_text_makes_them_panic(text in "[-0-9a-fx:, ]{0,40}") {
            list(&text);
            mask(&text);
        }
    }
}
