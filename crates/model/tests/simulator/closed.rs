//! A fixed number of customers who think, visit every center in turn, and start again.

use super::random::{Duration, Random};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A center with its own line, served in order of arrival.
pub(crate) struct Center {
    pub(crate) service: Duration,
    pub(crate) servers: usize,
}

/// A network to simulate.
pub(crate) struct Network {
    pub(crate) customers: usize,
    pub(crate) think: Duration,
    pub(crate) centers: Vec<Center>,
}

/// What an observer with a stopwatch saw.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// When the last customer finished the last cycle.
    pub(crate) makespan_seconds: f64,
    /// Completed cycles per second until the first customer was done.
    pub(crate) throughput_per_s: f64,
    /// Mean wait per visit to a center, until the first customer was done.
    pub(crate) mean_wait_seconds: f64,
}

#[derive(Clone, Copy)]
struct Customer {
    /// The center being visited; `None` while thinking.
    center: Option<usize>,
    cycles_left: u32,
    joined_line_at: f64,
}

struct Run<'a> {
    network: &'a Network,
    random: Random,
    now: f64,
    /// Time bits, a sequence number that keeps simultaneous events in order, and the customer.
    calendar: BinaryHeap<Reverse<(u64, u64, usize)>>,
    scheduled: u64,
    customers: Vec<Customer>,
    lines: Vec<VecDeque<usize>>,
    busy: Vec<usize>,
    cycles: u64,
    visits: u64,
    wait_seconds: f64,
    observed: Observed,
}

impl Network {
    /// Runs until every customer has completed `cycles`.
    pub(crate) fn observe(&self, cycles: u32, seed: u64) -> Observed {
        let customer = Customer { center: None, cycles_left: cycles, joined_line_at: 0.0 };
        let mut run = Run {
            network: self,
            random: Random::new(seed),
            now: 0.0,
            calendar: BinaryHeap::new(),
            scheduled: 0,
            customers: vec![customer; self.customers],
            lines: vec![VecDeque::new(); self.centers.len()],
            busy: vec![0; self.centers.len()],
            cycles: 0,
            visits: 0,
            wait_seconds: 0.0,
            observed: Observed::default(),
        };
        for id in 0..self.customers {
            run.think(id);
        }
        while let Some(Reverse((bits, _, id))) = run.calendar.pop() {
            run.now = f64::from_bits(bits);
            run.move_on(id);
        }
        run.observed.makespan_seconds = run.now;
        run.observed
    }
}

impl Run<'_> {
    fn schedule(&mut self, after: Duration, id: usize) {
        let time = self.now + after.draw(&mut self.random);
        self.scheduled += 1;
        self.calendar.push(Reverse((time.to_bits(), self.scheduled, id)));
    }

    fn think(&mut self, id: usize) {
        self.customers[id].center = None;
        self.schedule(self.network.think, id);
    }

    /// Takes a customer who has finished thinking, or a visit, to what comes next.
    fn move_on(&mut self, id: usize) {
        let next = match self.customers[id].center {
            None => 0,
            Some(center) => {
                self.leave(center);
                center + 1
            }
        };
        if next < self.network.centers.len() {
            self.join(id, next);
        } else {
            self.complete_cycle(id);
        }
    }

    fn join(&mut self, id: usize, center: usize) {
        self.customers[id].center = Some(center);
        self.customers[id].joined_line_at = self.now;
        self.lines[center].push_back(id);
        self.serve(center);
    }

    fn leave(&mut self, center: usize) {
        self.busy[center] -= 1;
        self.serve(center);
    }

    fn serve(&mut self, center: usize) {
        let network = self.network;
        let Center { service, servers } = &network.centers[center];
        while self.busy[center] < *servers
            && let Some(id) = self.lines[center].pop_front()
        {
            self.busy[center] += 1;
            self.visits += 1;
            self.wait_seconds += self.now - self.customers[id].joined_line_at;
            self.schedule(*service, id);
        }
    }

    fn complete_cycle(&mut self, id: usize) {
        self.cycles += 1;
        self.customers[id].cycles_left -= 1;
        if self.customers[id].cycles_left > 0 {
            self.think(id);
        } else if self.observed.throughput_per_s == 0.0 {
            self.observed.throughput_per_s = self.cycles as f64 / self.now;
            self.observed.mean_wait_seconds = self.wait_seconds / self.visits as f64;
        }
    }
}
