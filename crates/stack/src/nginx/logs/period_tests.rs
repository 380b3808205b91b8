use proptest::prelude::*;

use super::*;

const START: u64 = 1_700_000_000;

/// Numbers that look random and are the same every time (splitmix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A series of 15 minutes: a usual time with noise, and what is put on it.
fn series(seed: u64, usual_s: f64, stalls: &[(u64, f64)]) -> Vec<SecondUse> {
    let mut noise = Noise(seed);
    let mut all: Vec<SecondUse> = (0..900)
        .map(|second| SecondUse {
            unix_s: START + second,
            requests: 20,
            longest_s: Some((usual_s * (1.0 + 0.6 * noise.next())) as f32),
            ..SecondUse::default()
        })
        .collect();
    for (second, longest) in stalls {
        // A request is written when it ends.
        let ends = (*second as f64 + longest).round() as usize;
        if let Some(second) = all.get_mut(ends) {
            second.longest_s = Some(*longest as f32);
        }
    }
    all
}

fn every(period: u64, offset: u64, longest: f64) -> Vec<(u64, f64)> {
    (0..).map(|n| (offset + n * period, longest)).take_while(|(second, _)| *second < 890).collect()
}

#[test]
fn a_stall_of_three_seconds_every_minute_is_found() {
    let period = find(&series(1, 0.15, &every(60, 17, 3.0))).unwrap();
    assert!((period.period_s - 60.0).abs() < 0.2, "{period:?}");
    assert!((period.stall_s - 3.0).abs() < 0.01 && period.baseline_s < 0.25, "{period:?}");
    assert_eq!((period.cycles, period.expected), (15, 15));
    assert!((period.phase - (START + 17).rem_euclid(60) as f64).abs() <= 1.0, "{period:?}");
}

#[test]
fn a_job_every_five_minutes_is_found_by_three_stalls() {
    let period = find(&series(2, 0.2, &every(300, 100, 1.5))).unwrap();
    assert!((period.period_s - 300.0).abs() <= 1.0, "{period:?}");
    assert_eq!(period.cycles, 3);
}

#[test]
fn a_short_distance_that_is_kept_to_the_second_is_found_in_a_minute() {
    let mut seconds = series(12, 0.02, &every(8, 4, 0.9));
    seconds.truncate(70);
    let period = find(&seconds).unwrap();
    assert!((period.period_s - 8.0).abs() < 0.2, "{period:?}");
}

#[test]
fn a_timer_that_drifts_and_a_stall_that_is_missing_are_followed() {
    let mut noise = Noise(3);
    let mut stalls: Vec<_> =
        (0..14).map(|n| (20 + n * 61 + (noise.next() * 2.0) as u64, 2.0 + noise.next())).collect();
    stalls.remove(5);
    let period = find(&series(3, 0.15, &stalls)).unwrap();
    assert!((period.period_s - 61.0).abs() < 1.0, "{period:?}");
    assert_eq!(period.cycles, 13);
}

#[test]
fn stalls_that_come_once_do_not_hide_one_that_recurs() {
    let mut stalls = every(60, 5, 2.0);
    stalls.extend([(33, 4.0), (220, 1.0), (551, 9.0), (700, 3.0)]);
    let period = find(&series(4, 0.15, &stalls)).unwrap();
    assert!((period.period_s - 60.0).abs() < 0.5, "{period:?}");
}

#[test]
fn the_slowest_recur_among_many_that_are_slow() {
    let mut noise = Noise(5);
    let mut stalls: Vec<_> =
        (0..60).map(|_| ((noise.next() * 880.0) as u64, 0.5 + noise.next() * 0.5)).collect();
    stalls.extend(every(60, 40, 4.0));
    let period = find(&series(5, 0.1, &stalls)).unwrap();
    assert!((period.period_s - 60.0).abs() < 0.5, "{period:?}");
}

#[test]
fn seconds_without_requests_do_not_matter() {
    let mut seconds = series(6, 0.15, &every(60, 17, 3.0));
    seconds.retain(|second| second.longest_s.unwrap() > 1.0 || second.unix_s % 7 == 0);
    let period = find(&seconds).unwrap();
    assert!((period.period_s - 60.0).abs() < 0.5, "{period:?}");
}

#[test]
fn a_stall_that_takes_seconds_to_work_off_is_one() {
    let mut seconds = series(7, 0.15, &every(60, 17, 3.0));
    for start in (17..880).step_by(60) {
        for after in 4..9 {
            if let Some(second) = seconds.get_mut(start + after) {
                second.longest_s = Some(3.0 - after as f32 * 0.2);
            }
        }
    }
    let period = find(&seconds).unwrap();
    assert!((period.period_s - 60.0).abs() < 0.5, "{period:?}");
    assert_eq!(period.cycles, 15);
}

#[test]
fn a_few_stalls_without_a_period_have_none() {
    assert_eq!(find(&series(8, 0.15, &[])), None);
    assert_eq!(find(&series(8, 0.15, &[(100, 3.0), (400, 3.0)])), None, "two are at any distance");
    assert_eq!(find(&series(8, 0.15, &[(100, 3.0), (160, 3.0), (500, 3.0), (800, 2.0), (830, 2.0)])), None);
    assert_eq!(find(&[]), None);
}

#[test]
fn random_stalls_have_a_period_by_chance_only() {
    let found = (0..100).filter(|seed| {
        let mut noise = Noise(*seed * 77 + 1);
        let count = 3 + *seed % 40;
        let stalls: Vec<_> =
            (0..count).map(|_| ((noise.next() * 880.0) as u64, 0.5 + 3.0 * noise.next())).collect();
        find(&series(*seed, 0.15, &stalls)).is_some()
    });
    let found = found.count();
    assert!(found <= 2, "{found} of 100");
}

#[test]
fn times_with_a_long_tail_have_no_period() {
    let found = (0..40_u64).filter(|seed| {
        let mut noise = Noise(*seed + 9000);
        let mut seconds = series(*seed, 0.15, &[]);
        seconds.iter_mut().for_each(|second| {
            second.longest_s = Some((0.1 * noise.next().max(1e-6).powf(-0.6)) as f32);
        });
        find(&seconds).is_some()
    });
    let found = found.count();
    assert!(found <= 1, "{found} of 40");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_series_makes_it_panic(values in proptest::collection::vec((any::<u64>(), any::<f32>()), 0..60)) {
        let second = |(unix_s, longest): (u64, f32)| SecondUse { unix_s, longest_s: Some(longest), ..SecondUse::default() };
        find(&values.into_iter().map(second).collect::<Vec<_>>());
    }

    #[test]
    fn any_period_is_found_within_its_jitter(period in 20_u64..=300, offset in 0_u64..20, seed in any::<u64>()) {
        let mut noise = Noise(seed);
        let stalls: Vec<_> =
            every(period, offset, 2.0).into_iter().map(|(at, longest)| (at + (noise.next() * 2.0) as u64, longest)).collect();
        let found = find(&series(seed, 0.12, &stalls)).unwrap();
        prop_assert!((found.period_s - period as f64).abs() <= 1.5, "{:?}", found);
    }
}
