//! Which block comes when.

use serde::{Deserialize, Serialize};

/// Whether the change is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// The host as it is.
    Without,
    /// The host with the change.
    With,
}

/// What a pair of blocks is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pair {
    /// Both blocks are without the change: they tell the noise of the machine.
    Control,
    /// One block is without and one with the change.
    Trial,
}

/// A block's place in the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What its pair is for.
    pub pair: Pair,
    /// The pair's number among those of its kind, from 0.
    pub number: u32,
    /// Whether the change is there.
    pub arm: Arm,
}

/// The order of the blocks: control pairs first, then A B, B A, A B, … (A without, B with the change).
///
/// Drift that is steady over two pairs falls on both arms alike, and the change is made or unmade once a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    controls: u32,
    pairs: u32,
    next: u32,
}

impl Schedule {
    /// So many control pairs, then so many pairs with and without the change.
    pub fn new(controls: u32, pairs: u32) -> Self {
        Self { controls, pairs, next: 0 }
    }

    /// How many blocks there are in all.
    pub fn blocks(&self) -> u32 {
        2 * (self.controls + self.pairs)
    }
}

impl Iterator for Schedule {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let index = self.next;
        if index >= self.blocks() {
            return None;
        }
        self.next += 1;
        let (pair, second) = (index / 2, index % 2 == 1);
        let Some(number) = pair.checked_sub(self.controls) else {
            return Some(Place { pair: Pair::Control, number: pair, arm: Arm::Without });
        };
        let with_first = number % 2 == 1;
        let arm = if second == with_first { Arm::Without } else { Arm::With };
        Some(Place { pair: Pair::Trial, number, arm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letters(controls: u32, pairs: u32) -> String {
        let letter = |place: Place| match (place.pair, place.arm) {
            (Pair::Control, Arm::Without) => 'a',
            (Pair::Control, Arm::With) => '!',
            (Pair::Trial, Arm::Without) => 'A',
            (Pair::Trial, Arm::With) => 'B',
        };
        Schedule::new(controls, pairs).map(letter).collect()
    }

    #[test]
    fn controls_come_first_and_then_the_arms_in_turn() {
        assert_eq!(letters(2, 4), "aaaaABBAABBA");
        assert_eq!(letters(0, 3), "ABBAAB");
        assert_eq!(letters(1, 0), "aa");
    }

    proptest! {
        #[test]
        fn every_pair_has_both_arms_and_steady_drift_falls_on_both_alike(controls in 0..5_u32, pairs in 1..40_u32) {
            let places: Vec<_> = Schedule::new(controls, pairs).collect();
            prop_assert_eq!(places.len() as u32, Schedule::new(controls, pairs).blocks());
            let mut drift = 0_i64;
            for (time, place) in places.iter().enumerate().filter(|(_, place)| place.pair == Pair::Trial) {
                drift += if place.arm == Arm::With { time as i64 } else { -(time as i64) };
            }
            prop_assert_eq!(drift, i64::from(pairs % 2), "an even number of pairs cancels it");
        }
    }
}
