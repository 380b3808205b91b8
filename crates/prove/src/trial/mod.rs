//! Experiments: blocks with and without a change in turn, and what they show.
//!
//! [`Schedule`] says which block comes next; [`run()`] drives anything that can be measured and changed; [`compare`] and
//! [`judge`] say what came of it. None of them knows what a block measures.

mod block;
mod comparison;
mod metric;
mod run;
mod schedule;
mod verdict;

pub use block::{Block, Confirmation, Probe, Probed};
pub use comparison::{Comparison, Missing, Scale, compare};
pub use metric::{Better, Metric, Tolerance};
pub use run::{Measured, Subject, run};
pub use schedule::{Arm, Pair, Place, Schedule};
pub use verdict::{Judgement, Verdict, judge};
