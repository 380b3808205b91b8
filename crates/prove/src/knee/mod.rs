//! Finds the knee: the highest request rate that a stack carries.
//!
//! Rates rise in geometric steps until one is not carried; then the distance between the last that was and the first that was
//! not is halved until it is small. Each rate is offered whatever the stack does (an open loop), so that a stack that slows
//! down shows it. A rate that fails is offered once more before it counts: a busy neighbour fails a step too.
//!
//! The knee is the highest rate *carried*. What the stack answered while too much was offered (the plateau) is reported
//! beside it: a pool of workers goes on answering at its capacity, so that both agree; where overload is answered late
//! (requests that were turned away and tried again), the plateau lies above the knee.

mod step;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use step::{Limits, Reason, Step};

use crate::load::LoadResult;

/// How the knee is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The first rate, in requests per second.
    pub from_per_s: f64,
    /// The highest rate to try.
    pub most_per_s: f64,
    /// When a step fails.
    pub limits: Limits,
}

/// Each rate is so many times the one before.
const RISE: f64 = 1.6;
/// The knee is known well enough when the first rate that failed is at most so many times the last that was carried.
const CLOSE: f64 = 1.04;

/// Why no higher rate is known to be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The stack did not carry the next.
    Stack,
    /// The generator did not offer the next in time: the stack may carry more.
    Generator,
    /// No higher rate was asked for.
    Most,
    /// Not even the first rate was carried.
    First,
}

/// What the search found.
#[derive(Debug, Clone, Serialize)]
pub struct Knee {
    /// The highest rate carried, in requests per second: the knee, unless the end was another than the stack's.
    pub carried_per_s: Option<f64>,
    /// The lowest rate above it that was not carried.
    pub failed_per_s: Option<f64>,
    /// The most good answers per second while more was offered than was carried.
    pub plateau_per_s: Option<f64>,
    /// Why it ended.
    pub end: End,
    /// Every step, in the order in which they were offered.
    pub steps: Vec<Step>,
}

/// Finds the knee. `offer` offers a rate and says what came of it; its errors end the search.
///
/// # Errors
/// Those of `offer`.
pub fn find<E>(search: &Search, offer: &mut dyn FnMut(f64) -> Result<LoadResult, E>) -> Result<Knee, E> {
    let mut seeker = Seeker { limits: search.limits, steps: vec![], offer };
    let mut carried = None;
    let mut failed = None;
    let mut rate = search.from_per_s;
    while failed.is_none() && rate <= search.most_per_s {
        match seeker.carries(rate)? {
            true => carried = Some(rate),
            false => failed = Some(rate),
        }
        let last = carried.is_some_and(|carried| carried >= search.most_per_s);
        rate = if last { f64::INFINITY } else { (rate * RISE).min(search.most_per_s) };
    }
    while let (Some(low), Some(high)) = (carried, failed)
        && high > low * CLOSE
    {
        let middle = (low * high).sqrt();
        match seeker.carries(middle)? {
            true => carried = Some(middle),
            false => failed = Some(middle),
        }
    }
    Ok(knee(carried, failed, seeker.steps))
}

fn knee(carried_per_s: Option<f64>, failed_per_s: Option<f64>, steps: Vec<Step>) -> Knee {
    let failed = || steps.iter().filter(|step| !step.is_carried());
    let of_the_first = |step: &&Step| Some(step.rate_per_s) == failed_per_s;
    let end = match (carried_per_s, failed_per_s) {
        (_, Some(_)) if failed().filter(of_the_first).any(|step| step.generator_was_the_limit) => {
            End::Generator
        }
        (None, _) => End::First,
        (Some(_), None) => End::Most,
        (Some(_), Some(_)) => End::Stack,
    };
    let plateau_per_s = failed().map(|step| step.goodput_per_s).max_by(f64::total_cmp);
    Knee { carried_per_s, failed_per_s, plateau_per_s, end, steps }
}

struct Seeker<'a, E> {
    limits: Limits,
    steps: Vec<Step>,
    offer: &'a mut dyn FnMut(f64) -> Result<LoadResult, E>,
}

impl<E> Seeker<'_, E> {
    /// Whether a rate is carried, in one of two attempts.
    fn carries(&mut self, rate: f64) -> Result<bool, E> {
        Ok(self.attempt(rate)? || self.attempt(rate)?)
    }

    fn attempt(&mut self, rate: f64) -> Result<bool, E> {
        let result = (self.offer)(rate)?;
        let first_p99_ms = self.steps.first().and_then(|step| step.p99_ms);
        let step = Step::judge(rate, &result, &self.limits, first_p99_ms);
        let carried = step.is_carried();
        self.steps.push(step);
        Ok(carried)
    }
}
