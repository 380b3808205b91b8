//! Reproducible randomness.

/// The splitmix64 generator (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws from [0, 1) with 53 random bits.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

/// A distribution of durations in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Duration {
    Constant(f64),
    Exponential { mean: f64 },
}

impl Duration {
    pub(crate) fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Constant(seconds) => seconds,
            Self::Exponential { mean } => -mean * (1.0 - random.uniform()).ln(),
        }
    }
}
