//! What is counted of each request, by one thread.

use std::collections::BTreeMap;
use std::time::Duration;

use super::failure::Failure;
use super::schedule::Due;
use super::{Latencies, LoadResult, Second};

/// The figures of one thread. Instants are counted from the start of the load.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counted_from: Duration,
    until: Duration,
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<Failure, u64>,
    latency: Latencies,
    service: Latencies,
    lag: Latencies,
    offered: u64,
    good: u64,
    waited: u64,
    /// Requests that were taken up and have no outcome yet.
    outstanding: u64,
    body_bytes: u64,
    by_second: Vec<Second>,
}

/// A whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body_bytes: u64,
}

impl Answer {
    pub(super) fn is_good(self) -> bool {
        self.status < 400
    }
}

impl Tally {
    /// Counts what is due from `counted_from` and before `until`.
    pub(super) fn new(counted_from: Duration, until: Duration) -> Self {
        Self { counted_from, until, ..Self::default() }
    }

    /// A request is due.
    pub(super) fn offered(&mut self, due: Due) {
        if self.counts(due) {
            self.offered += 1;
            self.second(due.at).offered += 1;
        }
    }

    /// It found all connections busy.
    pub(super) fn waited(&mut self, due: Due) {
        self.waited += u64::from(self.counts(due));
    }

    /// It is taken up.
    pub(super) fn begun(&mut self, due: Due) {
        self.outstanding += u64::from(self.counts(due));
    }

    /// It got an answer.
    pub(super) fn answered(&mut self, due: Due, begun: Duration, now: Duration, answer: Answer) {
        if answer.is_good() && (self.counted_from..self.until).contains(&now) {
            self.second(now).answered += 1;
        }
        if !self.counts(due) {
            return;
        }
        self.outstanding = self.outstanding.saturating_sub(1);
        *self.statuses.entry(answer.status).or_default() += 1;
        self.body_bytes += answer.body_bytes;
        self.lag.record(begun.saturating_sub(due.at));
        if answer.is_good() {
            self.good += 1;
            self.second(due.at).good += 1;
            self.latency.record(now.saturating_sub(due.at));
            self.service.record(now.saturating_sub(begun));
        }
    }

    /// It got none. `begun` is when it was taken up, if it was.
    pub(super) fn failed(&mut self, due: Due, begun: Option<Duration>, failure: Failure) {
        if !self.counts(due) {
            return;
        }
        *self.failures.entry(failure).or_default() += 1;
        if let Some(begun) = begun {
            self.outstanding = self.outstanding.saturating_sub(1);
            self.lag.record(begun.saturating_sub(due.at));
        }
    }

    /// Nobody waits for what is outstanding any longer.
    pub(super) fn cut_short(&mut self) {
        if self.outstanding > 0 {
            *self.failures.entry(Failure::CUT_SHORT).or_default() += std::mem::take(&mut self.outstanding);
        }
    }

    fn counts(&self, due: Due) -> bool {
        due.at >= self.counted_from
    }

    fn second(&mut self, at: Duration) -> &mut Second {
        let index = usize::try_from(at.saturating_sub(self.counted_from).as_secs()).unwrap_or(usize::MAX);
        if self.by_second.len() <= index {
            self.by_second.resize(index + 1, Second::default());
        }
        &mut self.by_second[index]
    }

    /// Adds these figures to those of other threads.
    pub(super) fn add_to(self, result: &mut LoadResult) {
        result.offered += self.offered;
        result.good += self.good;
        result.waited += self.waited;
        result.body_bytes += self.body_bytes;
        for (status, count) in self.statuses {
            *result.statuses.entry(status).or_default() += count;
        }
        for (failure, count) in self.failures {
            *result.failures.entry(failure.0.into_owned()).or_default() += count;
        }
        result.latency.merge(&self.latency);
        result.service.merge(&self.service);
        result.lag.merge(&self.lag);
        if result.by_second.len() < self.by_second.len() {
            result.by_second.resize(self.by_second.len(), Second::default());
        }
        for (sum, second) in result.by_second.iter_mut().zip(&self.by_second) {
            sum.offered += second.offered;
            sum.good += second.good;
            sum.answered += second.answered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Answer = Answer { status: 200, body_bytes: 10 };
    const WRONG: Answer = Answer { status: 503, body_bytes: 1 };

    fn due(ms: u64) -> Due {
        Due { index: 0, at: ms_(ms) }
    }

    fn ms_(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn result_of(tally: Tally) -> LoadResult {
        let mut result = LoadResult::default();
        tally.add_to(&mut result);
        result
    }

    #[test]
    fn the_warm_up_is_offered_and_not_counted() {
        let mut tally = Tally::new(ms_(1000), ms_(3000));
        tally.offered(due(999));
        tally.answered(due(999), ms_(999), ms_(1001), GOOD);
        tally.offered(due(1000));
        tally.answered(due(1000), ms_(1000), ms_(1001), GOOD);
        let result = result_of(tally);
        assert_eq!((result.offered, result.good, result.latency.count()), (1, 1, 1));
        assert_eq!(result.by_second[0], Second { offered: 1, good: 1, answered: 2 });
    }

    #[test]
    fn latency_counts_from_when_the_request_was_due_and_service_from_when_it_was_taken_up() {
        let mut tally = Tally::new(ms_(0), ms_(1000));
        tally.offered(due(100));
        tally.answered(due(100), ms_(400), ms_(450), GOOD);
        let result = result_of(tally);
        let close = |latencies: &Latencies, ms: f64| (latencies.mean_ms().unwrap() - ms).abs() < 1.0;
        assert!(close(&result.latency, 350.0) && close(&result.service, 50.0) && close(&result.lag, 300.0));
    }

    #[test]
    fn an_error_status_is_an_answer_and_not_a_good_one() {
        let mut tally = Tally::new(ms_(0), ms_(1000));
        for (ms, answer) in [(0, GOOD), (10, WRONG)] {
            tally.offered(due(ms));
            tally.answered(due(ms), ms_(ms), ms_(ms + 1), answer);
        }
        tally.offered(due(20));
        tally.failed(due(20), None, Failure::NEVER_SENT);
        let result = result_of(tally);
        assert_eq!((result.offered, result.good, result.body_bytes), (3, 1, 11));
        assert_eq!(result.statuses, BTreeMap::from([(200, 1), (503, 1)]));
        assert_eq!(result.failures, BTreeMap::from([("never sent".to_owned(), 1)]));
        assert_eq!(result.latency.count(), 1, "the quick refusal of a request is no latency of the site");
    }
}
