//! Whether 95 % means 95 %, for noise of several shapes. Seeds are fixed: these are calculations, not measurements.

use super::bootstrap::drawn;
use super::{Random, SIGNIFICANT, p_value};

const EXPERIMENTS: u32 = 400;
/// Fewer than for a user: their noise is smaller than that of so many experiments.
const DRAWS: u32 = 2_000;

/// Uniform in (0, 1).
#[expect(clippy::cast_precision_loss, reason = "53 bits")]
fn uniform(random: &mut Random) -> f64 {
    ((random.bits() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

/// By the method of Box and Muller.
fn normal(random: &mut Random) -> f64 {
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

fn lognormal(random: &mut Random) -> f64 {
    normal(random).exp()
}

/// One block in ten has a stall ten times as large as the noise.
fn spiky(random: &mut Random) -> f64 {
    normal(random) + if random.below(10) == 0 { 10.0 } else { 0.0 }
}

type Noise = fn(&mut Random) -> f64;
const NOISES: [(&str, Noise); 4] =
    [("normal", normal), ("lognormal", lognormal), ("spiky", spiky), ("uniform", uniform)];

fn differences(count: usize, effect: f64, noise: Noise, random: &mut Random) -> Vec<f64> {
    (0..count).map(|_| effect + noise(random) - noise(random)).collect()
}

#[test]
fn the_interval_holds_the_truth_in_about_95_of_100_experiments() {
    for pairs in [3, 4, 8] {
        for (name, noise) in NOISES {
            let mut random = Random::new(pairs as u64);
            let holds = |_: &u32| {
                let seen = differences(pairs, 2.0, noise, &mut random);
                let controls = differences(2, 0.0, noise, &mut random);
                let interval = drawn(DRAWS, &seen, &controls, random.bits()).unwrap();
                (interval.low..=interval.high).contains(&2.0)
            };
            let share = f64::from((0..EXPERIMENTS).filter(holds).count() as u32) / f64::from(EXPERIMENTS);
            println!("{pairs} pairs, {name} noise: {:.1} %", share * 100.0);
            assert!((0.90..=0.995).contains(&share), "{pairs} pairs, {name} noise: {share}");
        }
    }
}

#[test]
fn the_permutation_test_is_wrong_in_about_5_of_100_experiments_without_effect() {
    for pairs in [3, 4, 6] {
        for (name, noise) in NOISES {
            let mut random = Random::new(100 + pairs as u64);
            let wrong = |_: &u32| {
                let seen = differences(pairs, 0.0, noise, &mut random);
                p_value(&seen, &differences(2, 0.0, noise, &mut random), 1) <= SIGNIFICANT
            };
            let share = f64::from((0..1000).filter(wrong).count() as u32) / 1000.0;
            println!("{pairs} pairs, {name} noise: {:.1} %", share * 100.0);
            assert!(share <= 0.075, "{pairs} pairs, {name} noise: {share}");
        }
    }
}
