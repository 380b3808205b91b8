//! One station fed by a Poisson stream, with or without a limit on its line.

use super::random::{Duration, Random};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A station to simulate. `capacity` counts those in service and those waiting.
pub(crate) struct Station {
    pub(crate) arrivals_per_s: f64,
    pub(crate) service: Duration,
    pub(crate) servers: usize,
    pub(crate) capacity: usize,
    /// Waits longer than this are counted.
    pub(crate) wait_limit_seconds: f64,
}

/// What an observer with a stopwatch saw.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    offered: u64,
    lost: u64,
    started: u64,
    delayed: u64,
    waited_longer: u64,
    wait_seconds: f64,
    queue_seconds: f64,
    busy_seconds: f64,
    elapsed_seconds: f64,
}

impl Observed {
    pub(crate) fn loss(&self) -> f64 {
        self.lost as f64 / self.offered as f64
    }

    pub(crate) fn delayed(&self) -> f64 {
        self.delayed as f64 / self.started as f64
    }

    pub(crate) fn waited_longer(&self) -> f64 {
        self.waited_longer as f64 / self.started as f64
    }

    pub(crate) fn mean_wait_seconds(&self) -> f64 {
        self.wait_seconds / self.started as f64
    }

    pub(crate) fn mean_queue_length(&self) -> f64 {
        self.queue_seconds / self.elapsed_seconds
    }

    pub(crate) fn mean_busy_servers(&self) -> f64 {
        self.busy_seconds / self.elapsed_seconds
    }

    pub(crate) fn throughput_per_s(&self) -> f64 {
        self.started as f64 / self.elapsed_seconds
    }
}

struct Run<'a> {
    station: &'a Station,
    random: Random,
    now: f64,
    /// Completion times of those in service; the bits of a positive float sort as the float does.
    completions: BinaryHeap<Reverse<u64>>,
    /// Arrival times of those waiting.
    line: VecDeque<f64>,
    observed: Observed,
}

impl Station {
    /// Runs until `arrivals` have been offered, starting empty.
    pub(crate) fn observe(&self, arrivals: u64, seed: u64) -> Observed {
        let mut run = Run {
            station: self,
            random: Random::new(seed),
            now: 0.0,
            completions: BinaryHeap::new(),
            line: VecDeque::new(),
            observed: Observed::default(),
        };
        let between = Duration::Exponential { mean: 1.0 / self.arrivals_per_s };
        for _ in 0..arrivals {
            let arrival = run.now + between.draw(&mut run.random);
            run.complete_until(arrival);
            run.advance_to(arrival);
            run.arrive();
        }
        run.observed.elapsed_seconds = run.now;
        run.observed
    }
}

impl Run<'_> {
    fn advance_to(&mut self, time: f64) {
        let passed = time - self.now;
        self.observed.queue_seconds += passed * self.line.len() as f64;
        self.observed.busy_seconds += passed * self.completions.len() as f64;
        self.now = time;
    }

    fn complete_until(&mut self, time: f64) {
        while let Some(&Reverse(bits)) = self.completions.peek()
            && f64::from_bits(bits) <= time
        {
            self.advance_to(f64::from_bits(bits));
            self.completions.pop();
            if let Some(arrived) = self.line.pop_front() {
                self.start(arrived);
            }
        }
    }

    fn arrive(&mut self) {
        self.observed.offered += 1;
        let present = self.completions.len() + self.line.len();
        if present >= self.station.capacity {
            self.observed.lost += 1;
        } else if self.completions.len() < self.station.servers {
            self.start(self.now);
        } else {
            self.observed.delayed += 1;
            self.line.push_back(self.now);
        }
    }

    fn start(&mut self, arrived: f64) {
        let wait = self.now - arrived;
        self.observed.started += 1;
        self.observed.wait_seconds += wait;
        self.observed.waited_longer += u64::from(wait > self.station.wait_limit_seconds);
        let completion = self.now + self.station.service.draw(&mut self.random);
        self.completions.push(Reverse(completion.to_bits()));
    }
}
