//! Whether advice helps.

use super::runs::Turns;

/// The least gain in time that counts, in proportion, where fewer rows are read.
const LEAST: f64 = 0.05;
/// The least gain that counts where as many rows are read: the plan may not even differ.
const LEAST_OF_SAME_ROWS: f64 = 0.2;
/// How probable it may be that mere chance looks like this; and where as many rows are read.
const CHANCE: f64 = 0.05;
const CHANCE_OF_SAME_ROWS: f64 = 0.01;

/// What becomes of one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Helped,
    Unmoved,
    Harmed,
}

/// Judges the times of one query, and the rows that were read for it.
pub(super) fn effect(turns: &Turns) -> Effect {
    let gain = 1.0 - turns.after_s() / turns.before_s().max(f64::MIN_POSITIVE);
    let fewer = turns.rows_read.1 < turns.rows_read.0 || turns.cut_before;
    let (least, chance) = if fewer { (LEAST, CHANCE) } else { (LEAST_OF_SAME_ROWS, CHANCE_OF_SAME_ROWS) };
    let faster = chance_of(turns.pairs.iter().map(|(before, after)| before - after)) <= chance;
    let slower = chance_of(turns.pairs.iter().map(|(before, after)| after - before)) <= chance;
    let more = turns.rows_read.1 > turns.rows_read.0;
    if (turns.cut_after && !turns.cut_before) || (slower && gain < -least) {
        Effect::Harmed
    } else if (turns.cut_before && !turns.cut_after) || (faster && gain > least && !more) {
        Effect::Helped
    } else {
        Effect::Unmoved
    }
}

/// The sign test: how probable so many differences above 0 are by chance.
fn chance_of(differences: impl Iterator<Item = f64>) -> f64 {
    let (mut wins, mut count) = (0_u32, 0_u32);
    for difference in differences.filter(|difference| *difference != 0.0) {
        count += 1;
        wins += u32::from(difference > 0.0);
    }
    let mut ways = 1.0_f64;
    let mut tail = 0.0;
    for chosen in 0..=count {
        if chosen >= wins {
            tail += ways;
        }
        ways = ways * f64::from(count - chosen) / f64::from(chosen + 1);
    }
    tail / 2_f64.powi(i32::try_from(count).unwrap_or(i32::MAX))
}

/// The median.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = |at: usize| sorted.get(at).copied().unwrap_or(0.0);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { middle(half) } else { (middle(half.saturating_sub(1)) + middle(half)) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(pairs: &[(f64, f64)], rows_read: (u64, u64)) -> Turns {
        Turns { pairs: pairs.to_vec(), rows_read, ..Turns::default() }
    }

    #[test]
    fn five_of_five_faster_is_beyond_chance_and_four_of_five_is_not() {
        assert_eq!(effect(&turns(&[(1.0, 0.5); 5], (10, 5))), Effect::Helped);
        let mut pairs = vec![(1.0, 0.5); 4];
        pairs.push((0.5, 1.0));
        assert_eq!(effect(&turns(&pairs, (10, 5))), Effect::Unmoved);
    }

    #[test]
    fn faster_by_reading_more_rows_does_not_count() {
        assert_eq!(effect(&turns(&[(1.0, 0.5); 9], (10, 11))), Effect::Unmoved);
    }

    #[test]
    fn a_gain_too_small_to_matter_does_not_count() {
        assert_eq!(effect(&turns(&[(1.0, 0.98); 9], (10, 10))), Effect::Unmoved);
    }

    #[test]
    fn where_as_many_rows_are_read_it_takes_more_to_convince() {
        assert_eq!(effect(&turns(&[(1.0, 0.9); 9], (10, 10))), Effect::Unmoved);
        assert_eq!(effect(&turns(&[(1.0, 0.5); 5], (10, 10))), Effect::Unmoved);
        assert_eq!(effect(&turns(&[(1.0, 0.5); 9], (10, 10))), Effect::Helped);
    }

    #[test]
    fn slower_is_harm() {
        assert_eq!(effect(&turns(&[(1.0, 1.2); 9], (10, 5))), Effect::Harmed);
    }

    #[test]
    fn a_query_that_no_longer_runs_into_its_deadline_is_helped() {
        let turns = Turns { cut_before: true, ..turns(&[(30.0, 0.5); 5], (0, 5)) };
        assert_eq!(effect(&turns), Effect::Helped);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
    }
}
