//! Statistics of few blocks.
//!
//! Requests within a block are not independent of each other (one stall hits hundreds of them), so that the unit here is
//! the block, and the number of blocks is small (Kalibera & Jones, *Rigorous Benchmarking in Reasonable Time*, 2013: repeat
//! at the level at which the noise arises). Blocks come in pairs next to each other in time, whose difference is free of
//! slow drift; pairs without any change tell what the machine does by itself.
//!
//! With four pairs the plain percentile bootstrap claims 95 % and holds the truth in 80 % of all experiments. Therefore
//! [`interval`] draws from the residuals of *all* pairs, those without a change included, takes each with both signs, and
//! widens the percentiles; and [`p_value`] asks the same question again without any bootstrap, by permutation. A change
//! counts as seen when both say so.

mod bootstrap;
mod permutation;
mod random;
mod student;
mod summary;

pub use bootstrap::{Interval, interval};
pub use permutation::{SIGNIFICANT, fewest_pairs, p_value};
pub use random::Random;
pub use summary::{mean, median, median_absolute_deviation, median_interval, quantile};

#[cfg(test)]
mod coverage_tests;
