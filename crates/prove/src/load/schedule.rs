//! When requests are due. Nothing here knows a clock: instants are counted from the start of the load.

use std::time::Duration;

use super::{Arrivals, Process};

/// One request that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Its number in the whole load, from 0.
    pub(super) index: u64,
    /// When it is due, from the start of the load.
    pub(super) at: Duration,
}

/// The requests that are due before an end, in order; of several threads, each takes its share in turn.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    arrivals: Arrivals,
    until_s: f64,
    index: u64,
    share: Share,
    random: SplitMix64,
    elapsed_s: f64,
}

/// Which requests are taken: those whose number leaves `first` when divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) first: u64,
    pub(super) of: u64,
}

impl Share {
    pub(super) const WHOLE: Self = Self { first: 0, of: 1 };
}

impl Schedule {
    pub(super) fn new(arrivals: Arrivals, until: Duration, share: Share) -> Self {
        let random = SplitMix64(arrivals.seed);
        Self { arrivals, until_s: until.as_secs_f64(), index: 0, share, random, elapsed_s: 0.0 }
    }

    /// The instant of the request `index`. The first one of a constant process is due at once.
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 requests take a hundred years at three million a second"
    )]
    fn advance(&mut self) -> f64 {
        match self.arrivals.process {
            Process::Constant => self.index as f64 / self.arrivals.per_s,
            Process::Poisson => {
                self.elapsed_s -= self.random.above_zero().ln() / self.arrivals.per_s;
                self.elapsed_s
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        loop {
            let at = self.advance();
            if at >= self.until_s {
                return None;
            }
            let index = self.index;
            self.index += 1;
            if index % self.share.of == self.share.first {
                return Some(Due { index, at: Duration::from_secs_f64(at) });
            }
        }
    }
}

/// The splitmix64 generator (Steele, Lea, Flood, “Fast splittable pseudorandom number generators”, 2014).
#[derive(Debug, Clone)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number above 0, at most 1, on a grid of 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn above_zero(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 * 2f64.powi(-53)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(per_s: f64, process: Process) -> Arrivals {
        Arrivals { per_s, process, seed: 7 }
    }

    fn whole(per_s: f64, process: Process, seconds: u64) -> Vec<Due> {
        Schedule::new(arrivals(per_s, process), Duration::from_secs(seconds), Share::WHOLE).collect()
    }

    #[test]
    fn a_constant_process_is_due_at_equal_distances_and_as_often_as_stated() {
        let due = whole(1000.0, Process::Constant, 10);
        assert_eq!(due.len(), 10_000);
        assert_eq!(due[0].at, Duration::ZERO);
        assert_eq!(due[2500].at, Duration::from_millis(2500));
        assert_eq!(whole(0.1, Process::Constant, 10).len(), 1);
    }

    #[test]
    fn the_distances_of_a_poisson_process_have_the_mean_and_the_spread_of_an_exponential() {
        let due = whole(1000.0, Process::Poisson, 100);
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean - 0.001).abs() < 0.000_02, "{mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn the_same_seed_gives_the_same_instants_and_another_seed_others() {
        let of = |seed| -> Vec<Due> {
            let arrivals = Arrivals { per_s: 50.0, process: Process::Poisson, seed };
            Schedule::new(arrivals, Duration::from_secs(2), Share::WHOLE).collect()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_shares_of_threads_add_up_to_the_whole() {
        for process in [Process::Constant, Process::Poisson] {
            let share = |first| {
                let share = Share { first, of: 3 };
                Schedule::new(arrivals(100.0, process), Duration::from_secs(3), share)
            };
            let mut all: Vec<Due> = (0..3).flat_map(share).collect();
            all.sort_by_key(|due| due.index);
            assert_eq!(all, whole(100.0, process, 3));
        }
    }

    #[test]
    fn splitmix64_gives_the_numbers_of_its_reference_implementation() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
