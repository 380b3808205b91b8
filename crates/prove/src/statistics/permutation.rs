//! The second opinion: no assumption on the shape of the noise, and none on its size.

use super::Random;

/// A change is seen from this probability on that the machine alone did it.
pub const SIGNIFICANT: f64 = 0.05;
/// How many arrangements are gone through; of more, so many are drawn.
const MOST: u64 = 100_000;

/// How probable it is that the machine alone makes `pairs` differ in the mean as much as they do, or more, in either
/// direction: an exact permutation test.
///
/// Had the change no effect, each pair with it would be like a pair without any, `controls`, and each difference could
/// as well have fallen the other way. So every choice of which of all pairs had the change, with every choice of signs,
/// was as probable as what was seen.
#[expect(clippy::cast_precision_loss, reason = "counts of arrangements")]
pub fn p_value(pairs: &[f64], controls: &[f64], seed: u64) -> f64 {
    let mut all: Vec<f64> = pairs.iter().chain(controls).copied().collect();
    let n = pairs.len();
    let scale = all.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    // A sum of the same numbers in another order differs in its last bits.
    let seen = pairs.iter().sum::<f64>().abs() - scale * 1e-9;
    match arrangements(n, controls.len()) {
        Some(count) if count <= MOST => {
            let mut reached = 0_u64;
            choose(&all, n, 0.0, &mut |sum| reached += u64::from(sum.abs() >= seen));
            reached as f64 / count as f64
        }
        _ => {
            let mut random = Random::new(seed);
            let reached = (0..MOST).filter(|_| shuffled_sum(&mut all, n, &mut random).abs() >= seen).count();
            // What was seen is one of the arrangements itself (Phipson & Smyth 2010).
            (reached as f64 + 1.0) / (MOST as f64 + 1.0)
        }
    }
}

/// The least number of pairs with which a change can be told from noise at all, however large its effect: with two
/// controls 3 (2 of 80 arrangements are as extreme as the most extreme one), with none 6 (2 of 64).
#[expect(clippy::cast_precision_loss, reason = "counts of arrangements")]
pub fn fewest_pairs(controls: usize) -> usize {
    let least = |n: &usize| arrangements(*n, controls).is_none_or(|count| 2.0 / count as f64 <= SIGNIFICANT);
    (1..64).find(least).unwrap_or(64)
}

/// C(n + c, n) · 2ⁿ; `None` where that is more than a `u64` holds.
fn arrangements(n: usize, controls: usize) -> Option<u64> {
    let mut count = 1_u64;
    for index in 1..=u64::try_from(controls).ok()? {
        count = count.checked_mul(u64::try_from(n).ok()? + index)? / index;
    }
    count.checked_mul(1_u64.checked_shl(u32::try_from(n).ok()?).filter(|power| *power > 0)?)
}

/// Calls `each` with the sum of every choice of `n` of `rest`, with every choice of signs.
fn choose(rest: &[f64], n: usize, sum: f64, each: &mut impl FnMut(f64)) {
    if n == 0 {
        return each(sum);
    }
    let Some((first, others)) = rest.split_first().filter(|_| rest.len() >= n) else { return };
    choose(others, n - 1, sum + first, each);
    choose(others, n - 1, sum - first, each);
    choose(others, n, sum, each);
}

fn shuffled_sum(all: &mut [f64], n: usize, random: &mut Random) -> f64 {
    let mut sum = 0.0;
    for place in 0..n {
        let other = place + random.below(all.len() - place);
        all.swap(place, other);
        sum += if random.bits() & 1 == 0 { all[place] } else { -all[place] };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_number_of_pairs_follows_from_counting() {
        assert_eq!([0, 1, 2, 3].map(fewest_pairs), [6, 4, 3, 2]);
        assert_eq!(
            [arrangements(4, 2), arrangements(3, 2), arrangements(4, 0)],
            [Some(240), Some(80), Some(16)]
        );
        assert_eq!(arrangements(100, 2), None);
    }

    #[test]
    fn the_most_extreme_arrangement_is_one_of_two() {
        let p = p_value(&[-9.0, -8.0, -9.5, -8.5], &[0.5, -0.25], 1);
        assert!((p - 2.0 / 240.0).abs() < 1e-12, "{p}");
        let p = p_value(&[9.0, 8.0], &[0.5, -0.25], 1);
        assert!((p - 2.0 / 24.0).abs() < 1e-12, "two pairs are not enough: {p}");
    }

    #[test]
    fn a_control_that_moves_as_far_as_the_pairs_leaves_no_proof() {
        assert!(p_value(&[-1.0, -1.1, -0.9], &[1.05, 0.02], 1) > SIGNIFICANT);
        assert!(p_value(&[0.0; 4], &[0.0; 2], 1) >= 1.0);
    }

    #[test]
    fn what_is_drawn_agrees_with_what_is_counted() {
        // 14 pairs have 2 million arrangements, 10 pairs 68 thousand.
        let series = |n: usize| (0..n).map(|i| 0.4 + ((i * 7) % 5) as f64 - 2.0).collect::<Vec<_>>();
        let counted = p_value(&series(10), &[0.3, -1.2], 1);
        assert!((0.3..0.9).contains(&counted), "{counted}");
        let drawn = p_value(&series(15), &[0.3, -1.2], 1);
        let again = p_value(&series(15), &[0.3, -1.2], 2);
        assert!((drawn - again).abs() < 0.01, "{drawn} {again}");
        assert!(p_value(&[1.0; 20], &[0.01, -0.01], 1) < 1e-4);
    }
}
