//! One rate, offered for a while, and whether it was carried.

use serde::Serialize;

use crate::load::LoadResult;

/// When a rate counts as not carried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The share of requests that may have no good answer, 0 to 1.
    pub failed_share: f64,
    /// The 99th percentile of latency in milliseconds; `None` for twice that of the first step, and at least a
    /// second, which is what a lost SYN costs (RFC 6298).
    pub p99_ms: Option<f64>,
    /// The most connections that the generator may open: with all of them in use, waiting requests are the stack's.
    pub most_connections: usize,
}

/// The share of what is offered that may still be unanswered beyond what was when the step began …
const MOST_UNANSWERED: f64 = 0.03;
/// … and this many, whatever the share: at a few requests per second each is a share of its own.
const LEAST_UNANSWERED: f64 = 2.0;
/// Requests that wait may grow by this share of what is offered …
const MOST_GROWTH: f64 = 0.02;
/// … and by this many, whatever the share.
const LEAST_GROWTH: f64 = 10.0;
/// Without a limit of its own, a step may be so many times slower than the first …
const SLOWER: f64 = 2.0;
/// … and at least so slow, in milliseconds.
const SLOW_MS: f64 = 1000.0;
/// A generator that uses this share of its threads' CPUs has no more to give.
const GENERATOR_FULL: f64 = 0.9;
/// Requests that the generator sends later than this, in milliseconds, at the median, while connections are free: it falls
/// behind. That a few are late happens on any busy machine …
const GENERATOR_LATE_MS: f64 = 10.0;
/// … and it is the limit only where this share of the latency is its own.
const GENERATOR_SHARE: f64 = 0.5;

/// Why a rate was not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Fewer good answers came per second than requests.
    Goodput,
    /// Too many requests had no good answer.
    Failures,
    /// The 99th percentile was too high.
    Latency,
    /// More and more requests waited.
    Pile,
}

/// A rate that was offered.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Requests offered per second.
    pub rate_per_s: f64,
    /// Good answers per second while they were offered.
    pub goodput_per_s: f64,
    /// The share of requests without a good answer, 0 to 1.
    pub failed_share: Option<f64>,
    /// The median latency, from when requests were due.
    pub p50_ms: Option<f64>,
    /// The 99th percentile of latency.
    pub p99_ms: Option<f64>,
    /// By how much the requests that wait grew through the step.
    pub pile_growth: f64,
    /// The CPU time of the generator as a share of what its threads can use; `None` where it does not say.
    pub generator_cpu_share: Option<f64>,
    /// Whether the generator, not the stack, was the limit.
    pub generator_was_the_limit: bool,
    /// Why it was not carried; empty when it was.
    pub reasons: Vec<Reason>,
}

impl Step {
    /// Whether the stack carried it.
    pub fn is_carried(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Judges what came of a rate. `first_p99_ms` is that of the first step.
    #[expect(clippy::cast_precision_loss, reason = "counts of a step")]
    pub(super) fn judge(
        rate_per_s: f64,
        result: &LoadResult,
        limits: &Limits,
        first_p99_ms: Option<f64>,
    ) -> Self {
        let p99_ms = result.latency.quantile_ms(0.99);
        let slowest_ms = limits.p99_ms.unwrap_or_else(|| (first_p99_ms.unwrap_or(0.0) * SLOWER).max(SLOW_MS));
        let pile_growth = pile_growth(result);
        let offered = result.offered as f64;
        let unanswered = offered - result.goodput_per_s * result.seconds;
        let failed = [
            (Reason::Goodput, unanswered > (MOST_UNANSWERED * offered).max(LEAST_UNANSWERED)),
            (Reason::Failures, result.failed_share().is_none_or(|share| share > limits.failed_share)),
            (Reason::Latency, p99_ms.is_none_or(|p99_ms| p99_ms > slowest_ms)),
            (Reason::Pile, pile_growth > (MOST_GROWTH * offered).max(LEAST_GROWTH)),
        ];
        let reasons: Vec<_> =
            failed.into_iter().filter(|(_, failed)| *failed).map(|(reason, _)| reason).collect();
        let cpu_s = result.generator_threads as f64 * result.seconds;
        let generator_cpu_share = (cpu_s > 0.0).then(|| result.generator_cpu_s / cpu_s);
        let has_connections =
            usize::try_from(result.connections).is_ok_and(|used| used < limits.most_connections);
        let p50_ms = result.latency.quantile_ms(0.5);
        let late_ms = result.lag.quantile_ms(0.5).filter(|_| has_connections);
        let is_behind = late_ms
            .is_some_and(|late_ms| late_ms > GENERATOR_LATE_MS.max(p50_ms.unwrap_or(0.0) * GENERATOR_SHARE));
        Self {
            rate_per_s,
            goodput_per_s: result.goodput_per_s,
            failed_share: result.failed_share(),
            p50_ms,
            p99_ms,
            pile_growth,
            generator_cpu_share,
            generator_was_the_limit: !reasons.is_empty()
                && (generator_cpu_share >= Some(GENERATOR_FULL) || is_behind),
            reasons,
        }
    }
}

/// By how much the requests that wait grew: from their mean over the first third of the step to that over its last.
/// Whole thirds, because a stack that works in turns has more or fewer waiting at any one instant.
#[expect(clippy::cast_precision_loss, reason = "counts of a step")]
fn pile_growth(result: &LoadResult) -> f64 {
    let mut waiting = 0.0;
    let piles: Vec<f64> = result
        .by_second
        .iter()
        .map(|second| {
            waiting += second.offered as f64 - second.answered as f64;
            waiting
        })
        .collect();
    let third = piles.len() / 3;
    let mean = |piles: &[f64]| piles.iter().sum::<f64>() / piles.len() as f64;
    match (piles.get(..third), piles.get(piles.len() - third..)) {
        (Some(first), Some(last)) if third > 0 => {
            (mean(last) - mean(first)) * piles.len() as f64 / (2 * third) as f64
        }
        _ => 0.0,
    }
}
