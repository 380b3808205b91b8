//! M/M/c/K: Poisson arrivals, exponential service, `c` servers, and room for `K` in all, in service or waiting.
//!
//! The model of every listen queue: a full one turns arrivals away instead of growing.

use super::MAX_STATES;
use super::input::{non_negative, server_count};

/// The steady state of an M/M/c/K queue. Overload is valid: the excess is lost.
///
/// Source for all methods: the birth–death equilibrium, Kleinrock 1975, ch. 3.
#[derive(Debug, Clone, PartialEq)]
pub struct FiniteQueue {
    arrivals_per_s: f64,
    service_seconds: f64,
    servers: u32,
    probabilities: Vec<f64>,
    loss_probability: f64,
    mean_queue_length: f64,
    mean_in_service: f64,
}

impl FiniteQueue {
    /// Solves the queue in time and memory proportional to `capacity`.
    ///
    /// `capacity` counts everyone in the system: servers plus waiting places. `None` for invalid input, for a
    /// capacity below the number of servers, or above [`MAX_STATES`].
    pub fn new(arrivals_per_s: f64, service_seconds: f64, servers: u32, capacity: u32) -> Option<Self> {
        let offered = non_negative(non_negative(arrivals_per_s)? * non_negative(service_seconds)?)?;
        server_count(servers)?;
        if capacity < servers || capacity > MAX_STATES {
            return None;
        }
        let probabilities = state_probabilities(offered, servers, capacity);
        let loss_probability = probabilities.last().copied()?;
        let expectation = |count: &dyn Fn(u32) -> u32| -> f64 {
            (0..=capacity).zip(&probabilities).map(|(n, p)| f64::from(count(n)) * p).sum()
        };
        let mean_queue_length = expectation(&|n| n.saturating_sub(servers));
        let mean_in_service = expectation(&|n| n.min(servers));
        Some(Self {
            arrivals_per_s,
            service_seconds,
            servers,
            probabilities,
            loss_probability,
            mean_queue_length,
            mean_in_service,
        })
    }

    /// Returns the probability of each number in the system, from none to `capacity`.
    pub fn state_probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Returns the fraction of arrivals turned away: the probability that the system is full.
    pub fn loss_probability(&self) -> f64 {
        self.loss_probability
    }

    /// Returns the rate of arrivals turned away.
    pub fn lost_per_s(&self) -> f64 {
        self.arrivals_per_s * self.loss_probability
    }

    /// Returns the rate of arrivals accepted, and so, in the long run, of completions.
    pub fn throughput_per_s(&self) -> f64 {
        self.arrivals_per_s - self.lost_per_s()
    }

    /// Returns the mean fraction of busy servers.
    pub fn utilization(&self) -> f64 {
        self.mean_in_service / f64::from(self.servers)
    }

    /// Returns the mean number waiting, not counting those in service.
    pub fn mean_queue_length(&self) -> f64 {
        self.mean_queue_length
    }

    /// Returns the mean number waiting or in service.
    pub fn mean_in_system(&self) -> f64 {
        self.mean_queue_length + self.mean_in_service
    }

    /// Returns the mean wait before service starts, of those accepted (by Little 1961); zero without arrivals.
    pub fn mean_wait_seconds(&self) -> f64 {
        // Completions as busy servers over service time: no cancellation when nearly everyone is lost.
        if self.mean_queue_length == 0.0 {
            return 0.0;
        }
        self.mean_queue_length / self.mean_in_service * self.service_seconds
    }

    /// Returns the mean time from acceptance to completion.
    pub fn mean_residence_seconds(&self) -> f64 {
        self.mean_wait_seconds() + self.service_seconds
    }
}

/// Returns the equilibrium probabilities of the birth–death chain, whatever its size.
///
/// Neighbouring states differ by the factor a/min(n, c). Walking both ways from the likeliest state, whose weight
/// is one, keeps every weight at or below one: what underflows is truly negligible, and nothing can overflow.
fn state_probabilities(offered: f64, servers: u32, capacity: u32) -> Vec<f64> {
    let likeliest = if offered < f64::from(servers) { offered as u32 } else { capacity };
    let busy = |n: u32| f64::from(n.min(servers));
    let mut weights: Vec<f64> = (1..=likeliest)
        .rev()
        .scan(1.0, |weight, n| {
            *weight = flush_subnormal(*weight * busy(n) / offered);
            Some(*weight)
        })
        .collect();
    weights.reverse();
    weights.push(1.0);
    weights.extend((likeliest + 1..=capacity).scan(1.0, |weight, n| {
        *weight = flush_subnormal(*weight * offered / busy(n));
        Some(*weight)
    }));
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

/// Returns zero for what has lost its precision: a subnormal times 0.95 rounds up to itself for ever, and slowly.
fn flush_subnormal(weight: f64) -> f64 {
    if weight < f64::MIN_POSITIVE { 0.0 } else { weight }
}

#[cfg(test)]
mod tests {
    use super::super::erlang::{MultiServerQueue, erlang_b};
    use super::*;
    use proptest::prelude::*;

    fn assert_close(actual: f64, expected: f64, relative: f64) {
        assert!((actual - expected).abs() <= expected.abs() * relative, "{actual} is not {expected}");
    }

    /// The loss by another road: Erlang B for the servers, a geometric series for the places behind them.
    fn loss_from_erlang_b(offered: f64, servers: u32, capacity: u32) -> f64 {
        let all_busy = erlang_b(offered, servers).unwrap();
        let ratio = offered / f64::from(servers);
        // Divided by ratio^places, so that an overloaded queue does not overflow.
        let places = capacity - servers;
        let series: f64 = (0..places).map(|j| ratio.powi(-(j as i32))).sum();
        all_busy / (ratio.powi(-(places as i32)) + all_busy * series)
    }

    #[test]
    fn a_single_server_loses_as_the_textbook_says() {
        // M/M/1/K: p_n = (1−ρ)ρⁿ/(1−ρ^(K+1)); ρ = 1/2, K = 3 gives 8, 4, 2, 1 fifteenths.
        let queue = FiniteQueue::new(5.0, 0.1, 1, 3).unwrap();
        for (probability, fifteenths) in queue.state_probabilities().iter().zip([8.0, 4.0, 2.0, 1.0]) {
            assert_close(*probability, fifteenths / 15.0, 1e-14);
        }
        assert_close(queue.loss_probability(), 1.0 / 15.0, 1e-14);
        assert_close(queue.throughput_per_s(), 14.0 / 3.0, 1e-14);
        assert_close(queue.utilization(), 7.0 / 15.0, 1e-14);
        assert_close(queue.mean_queue_length(), 4.0 / 15.0, 1e-14);
        assert_close(queue.mean_in_system(), 11.0 / 15.0, 1e-14);
        assert_close(queue.mean_wait_seconds(), 0.4 / 7.0, 1e-14);
    }

    #[test]
    fn at_load_one_every_number_in_a_single_server_queue_is_equally_likely() {
        let queue = FiniteQueue::new(10.0, 0.1, 1, 99_999).unwrap();
        assert_close(queue.loss_probability(), 1e-5, 1e-9);
        assert_close(queue.mean_in_system(), 49_999.5, 1e-9);
    }

    #[test]
    fn a_hundred_thousand_servers_and_places_stay_finite() {
        for (offered, servers, capacity) in [
            (99_000.0, 100_000, 100_000),
            (100_000.0, 100_000, 200_000),
            (1e9, 100_000, 100_000),
            (0.001, 100_000, 100_000),
            (250.0, 200, 100_000),
            (1e300, 1, 100_000),
        ] {
            let queue = FiniteQueue::new(offered, 1.0, servers, capacity).unwrap();
            let total: f64 = queue.state_probabilities().iter().sum();
            assert!((total - 1.0).abs() < 1e-9, "{offered} {total}");
            assert_close(queue.loss_probability(), loss_from_erlang_b(offered, servers, capacity), 1e-7);
            assert!(queue.mean_wait_seconds().is_finite());
            assert!(queue.utilization() <= 1.0 + 1e-9);
        }
    }

    #[test]
    fn states_too_unlikely_for_a_number_are_zero_and_do_not_linger() {
        let queue = FiniteQueue::new(950.0, 1.0, 1000, 100_000).unwrap();
        assert_eq!(queue.loss_probability(), 0.0);
        let full = FiniteQueue::new(1050.0, 1.0, 1000, 100_000).unwrap();
        assert_eq!(full.state_probabilities().first(), Some(&0.0));
    }

    #[test]
    fn a_deep_listen_queue_under_overload_is_a_standing_wait() {
        // 800 workers of 150 ms behind 65 535 places, 20 % too much load: accepted requests wait twelve seconds.
        let queue = FiniteQueue::new(6400.0, 0.15, 800, 800 + 65_535).unwrap();
        assert_close(queue.mean_wait_seconds(), 65_535.0 * 0.15 / 800.0, 0.001);
        assert_close(queue.loss_probability(), 1.0 / 6.0, 0.001);
        assert_close(queue.throughput_per_s(), 800.0 / 0.15, 1e-9);
    }

    #[test]
    fn an_idle_queue_loses_nobody() {
        for queue in [FiniteQueue::new(0.0, 0.1, 2, 5).unwrap(), FiniteQueue::new(7.0, 0.0, 2, 5).unwrap()] {
            assert_eq!(queue.state_probabilities(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            assert_eq!(queue.loss_probability(), 0.0);
            assert_eq!(queue.mean_wait_seconds(), 0.0);
        }
    }

    #[test]
    fn invalid_input_has_no_answer() {
        assert_eq!(FiniteQueue::new(1.0, 1.0, 0, 0), None);
        assert_eq!(FiniteQueue::new(1.0, 1.0, 2, 1), None);
        assert_eq!(FiniteQueue::new(1.0, 1.0, 1, u32::MAX), None);
        assert_eq!(FiniteQueue::new(-1.0, 1.0, 1, 1), None);
        assert_eq!(FiniteQueue::new(1.0, f64::NAN, 1, 1), None);
        assert_eq!(FiniteQueue::new(1e200, 1e200, 1, 1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn without_waiting_places_the_loss_is_erlang_b(offered in 0.01..1500.0_f64, servers in 1..1000_u32) {
            let queue = FiniteQueue::new(offered, 1.0, servers, servers).unwrap();
            let expected = erlang_b(offered, servers).unwrap();
            // Below the smallest normal number both underflow, each in its own way.
            prop_assert!((queue.loss_probability() - expected).abs() <= 1e-10 * expected + 1e-300);
            prop_assert_eq!(queue.mean_queue_length(), 0.0);
        }

        #[test]
        fn with_many_places_the_wait_is_that_of_an_endless_queue(
            load in 0.05..0.9_f64, service in 1e-3..10.0_f64, servers in 1..200_u32,
        ) {
            let arrivals = load * f64::from(servers) / service;
            let finite = FiniteQueue::new(arrivals, service, servers, servers + 1000).unwrap();
            let endless = MultiServerQueue::new(arrivals, service, servers).unwrap();
            let expected = endless.mean_wait_seconds().unwrap();
            prop_assert!((finite.mean_wait_seconds() - expected).abs() <= 1e-9 * expected + 1e-300);
            prop_assert!(finite.loss_probability() < 1e-40);
        }

        #[test]
        fn the_loss_agrees_with_the_closed_form(
            offered in 0.5..600.0_f64, servers in 1..300_u32, places in 0..300_u32,
        ) {
            let queue = FiniteQueue::new(offered, 1.0, servers, servers + places).unwrap();
            let expected = loss_from_erlang_b(offered, servers, servers + places);
            prop_assume!(expected > 1e-250);
            prop_assert!((queue.loss_probability() / expected - 1.0).abs() < 1e-9);
        }

        #[test]
        fn counts_rates_and_times_obey_littles_law(
            arrivals in 0.01..500.0_f64, service in 0.01..2.0_f64, servers in 1..200_u32, places in 0..500_u32,
        ) {
            let queue = FiniteQueue::new(arrivals, service, servers, servers + places).unwrap();
            let total: f64 = queue.state_probabilities().iter().sum();
            prop_assert!((total - 1.0).abs() < 1e-12);
            let level = queue.throughput_per_s() * queue.mean_residence_seconds();
            prop_assert!((queue.mean_in_system() / level - 1.0).abs() < 1e-9);
            let busy = queue.throughput_per_s() * service / f64::from(servers);
            prop_assert!((queue.utilization() / busy - 1.0).abs() < 1e-9);
        }

        #[test]
        fn more_places_lose_less_and_wait_longer(
            offered in 0.5..300.0_f64, servers in 1..200_u32, places in 0..300_u32,
        ) {
            let small = FiniteQueue::new(offered, 1.0, servers, servers + places).unwrap();
            let large = FiniteQueue::new(offered, 1.0, servers, servers + places + 1).unwrap();
            prop_assert!(large.loss_probability() <= small.loss_probability());
            prop_assert!(large.mean_wait_seconds() >= small.mean_wait_seconds() * (1.0 - 1e-12));
        }
    }
}
