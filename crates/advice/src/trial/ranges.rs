//! Which rows are copied.

use std::collections::BTreeMap;

use super::Link;
use super::source::SourceTable;

/// How many ranges a sample consists of.
const RANGES: i128 = 32;
/// A table below this part of the budget is copied whole.
const SMALL: u64 = 16;

/// What is copied of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Share {
    /// All of it.
    Whole,
    /// Rows whose `key` lies in the ranges of `domain`, a table's primary key.
    Ranges { domain: String, key: String },
    /// So many rows by the order of its primary key: it has no key of integers.
    First(u64),
}

/// What is copied of each table, and which part of what is sampled.
pub(super) fn shares(tables: &[SourceTable], links: &[Link], budget: u64) -> (BTreeMap<String, Share>, f64) {
    let total: u64 = tables.iter().map(|table| table.bytes).sum();
    let mut shares: BTreeMap<String, Share> =
        tables.iter().map(|table| (table.name.clone(), Share::Whole)).collect();
    if total <= budget {
        return (shares, 1.0);
    }
    let large = |table: &SourceTable| table.bytes > budget / SMALL;
    let sampled: Vec<String> =
        tables.iter().filter(|table| large(table)).map(|table| domain(table, links).0).collect();
    let mut bytes = 0;
    for table in tables {
        let (domain, key) = domain(table, links);
        if !large(table) && !sampled.contains(&domain) {
            continue;
        }
        bytes += table.bytes;
        let share = match key {
            Some(key) => Share::Ranges { domain, key },
            None => Share::First(0),
        };
        shares.insert(table.name.clone(), share);
    }
    let whole = total.saturating_sub(bytes);
    let part = (budget.saturating_sub(whole) as f64 / bytes.max(1) as f64).clamp(0.001, 1.0);
    for table in tables {
        if let Some(Share::First(rows)) = shares.get_mut(&table.name) {
            *rows = (table.rows as f64 * part) as u64 + 1;
        }
    }
    (shares, part)
}

/// The table whose primary key says which rows of this one belong together, and the column that holds it.
fn domain(table: &SourceTable, links: &[Link]) -> (String, Option<String>) {
    let link = links.iter().find(|link| link.child.eq_ignore_ascii_case(&table.name));
    match link.filter(|link| table.leading.contains(&link.column.to_lowercase())) {
        Some(link) => (link.parent.clone(), Some(link.column.clone())),
        None => (table.name.clone(), table.key.clone()),
    }
}

/// Ranges that hold `part` of the numbers from `low` to `high`, spread evenly; each excludes its end.
pub(super) fn spans(low: i128, high: i128, part: f64) -> Vec<(i128, i128)> {
    let width = high.saturating_sub(low).saturating_add(1);
    if part >= 1.0 || width <= RANGES {
        return vec![(low, low + width.max(0))];
    }
    let step = width / RANGES;
    let taken = ((step as f64 * part) as i128).max(1);
    (0..RANGES).map(|range| low + range * step).map(|start| (start, start + taken)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, bytes: u64, leading: &str) -> SourceTable {
        let leading = std::collections::BTreeSet::from([leading.to_owned()]);
        SourceTable {
            name: name.into(),
            bytes,
            rows: bytes / 100,
            key: Some("id".into()),
            leading,
            ..SourceTable::default()
        }
    }

    #[test]
    fn what_fits_is_copied_whole() {
        let (shares, part) = shares(&[table("a", 10, "id"), table("b", 20, "id")], &[], 30);
        assert_eq!(part, 1.0);
        assert!(shares.values().all(|share| *share == Share::Whole));
    }

    #[test]
    fn children_are_sampled_by_the_ranges_of_their_parents() {
        let tables = [
            table("wp_posts", 1000, "id"),
            table("wp_postmeta", 9_000, "post_id"),
            table("wp_terms", 10, "id"),
        ];
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        let (shares, part) = shares(&tables, &Link::of_wordpress(&names), 1_010);
        assert!((part - 0.1).abs() < 1e-9);
        let by = |key: &str| Share::Ranges { domain: "wp_posts".into(), key: key.into() };
        assert_eq!(shares["wp_postmeta"], by("post_id"));
        assert_eq!(shares["wp_posts"], Share::Ranges { domain: "wp_posts".into(), key: "id".into() });
        assert_eq!(shares["wp_terms"], Share::Whole);
    }

    proptest::proptest! {
        #[test]
        fn ranges_lie_within_and_do_not_overlap(low in -1000_i128..1_000_000, width in 0_i128..10_000_000, part in 0.001_f64..1.5) {
            let mut end = low;
            for (from, to) in spans(low, low + width, part) {
                assert!(from >= end && to > from && to <= low + width + 1);
                end = to;
            }
        }
    }
}
