//! What came of it, for a program: `narrows.proof/1`, and the ground of what a person reads.

use prove::trial::{Arm, Comparison, Confirmation, Measured, Missing, Pair, Verdict};
use serde::Serialize;

use crate::arguments::prove::Prove;

/// The version of the contract. Fields are added, never renamed.
pub(crate) const SCHEMA: &str = "narrows.proof/1";

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// Requests to an address.
    Load { url: String, rate_per_s: f64 },
    /// A command line.
    Command { line: String },
}

impl Subject {
    pub(crate) fn of(arguments: &Prove) -> Self {
        match &arguments.load {
            Some(url) => Self::Load { url: url.clone(), rate_per_s: arguments.traffic.rate },
            None => Self::Command { line: arguments.run.clone().unwrap_or_default() },
        }
    }

    /// As a person calls it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Load { url, rate_per_s } => format!("{url} at {rate_per_s} requests/s"),
            Self::Command { line } => line.clone(),
        }
    }
}

/// A command that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CommandProof {
    pub(crate) schema: &'static str,
    pub(crate) subject: Subject,
    pub(crate) runs: usize,
    pub(crate) failed: usize,
    pub(crate) failure: Option<String>,
    pub(crate) seconds: Spread,
    pub(crate) cpu_s: Spread,
    pub(crate) peak_bytes: u64,
}

/// A median and where it lies with which confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) confidence: f64,
    /// The median absolute deviation, scaled to a standard deviation.
    pub(crate) deviation: f64,
}

/// A plan that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Proof {
    pub(crate) schema: &'static str,
    pub(crate) subject: Subject,
    pub(crate) plan: TriedPlan,
    pub(crate) design: Design,
    pub(crate) verdict: Verdict,
    /// The figures that got worse beyond noise and tolerance.
    pub(crate) worse: Vec<String>,
    pub(crate) primary: Comparison,
    pub(crate) guards: Vec<Comparison>,
    pub(crate) unmeasured: Vec<Missing>,
    pub(crate) causes: Vec<CauseCount>,
    pub(crate) blocks: Vec<Measured>,
    /// Whether the plan is applied now.
    pub(crate) kept: bool,
    /// The transaction that applied it to stay.
    pub(crate) transaction: Option<i64>,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TriedPlan {
    pub(crate) hash: String,
    pub(crate) changes: Vec<TriedChange>,
    /// How often it was applied.
    pub(crate) applied: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TriedChange {
    pub(crate) id: String,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) promise: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Design {
    pub(crate) control_pairs: u32,
    pub(crate) pairs: u32,
    /// With fewer pairs no effect could be told from noise.
    pub(crate) fewest_pairs: usize,
    /// How long a block was measured, its warm-up left out.
    pub(crate) block_s: f64,
}

/// In how many blocks a cause was confirmed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CauseCount {
    pub(crate) id: String,
    pub(crate) without: Count,
    pub(crate) with: Count,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Count {
    pub(crate) confirmed: usize,
    pub(crate) unknown: usize,
    pub(crate) blocks: usize,
}

/// Counts each cause in the blocks of trial pairs, and in those without any change.
pub(crate) fn count(causes: &[String], measured: &[Measured]) -> Vec<CauseCount> {
    let count = |id: &str, arm: Arm| {
        let mut count = Count::default();
        for block in measured.iter().filter(|one| one.place.arm == arm).map(|one| &one.block) {
            let Some(found) = block.causes.get(id) else { continue };
            count.blocks += 1;
            count.confirmed += usize::from(*found == Confirmation::Confirmed);
            count.unknown += usize::from(*found == Confirmation::Unknown);
        }
        count
    };
    let counts = causes.iter().map(|id| CauseCount {
        id: id.clone(),
        without: count(id, Arm::Without),
        with: count(id, Arm::With),
    });
    counts.filter(|cause| cause.without.blocks > 0).collect()
}

/// The mean length of the blocks.
#[expect(clippy::cast_precision_loss, reason = "a number of blocks")]
pub(crate) fn block_s(measured: &[Measured]) -> f64 {
    let trial: Vec<_> = measured.iter().filter(|one| one.place.pair == Pair::Trial).collect();
    trial.iter().map(|one| one.block.seconds).sum::<f64>() / trial.len().max(1) as f64
}
