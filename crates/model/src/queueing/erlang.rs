//! Erlang's formulas: Poisson arrivals, exponential service, `c` servers, and either no queue (B) or an endless one (C).
//!
//! Erlang B holds for any service time distribution with the same mean. Erlang C does not: with constant service
//! times the true wait is about half, with heavy tails it is longer.

use super::input::{non_negative, server_count};
use super::utilization::utilization;

/// Returns the probability that an arrival finds all servers busy and is lost (Erlang 1917, M/M/c/c).
///
/// `offered_load` is the arrival rate times the mean service time, in erlangs. The recursion
/// B(n) = a·B(n−1) / (n + a·B(n−1)) from B(0) = 1 needs no factorial, stays within [0, 1] and loses no precision,
/// so thousands of servers are no problem (Jagerman, "Some properties of the Erlang loss function", Bell System
/// Technical Journal 53(3), 1974).
pub fn erlang_b(offered_load: f64, servers: u32) -> Option<f64> {
    let offered = non_negative(offered_load)?;
    server_count(servers)?;
    let mut loss = 1.0;
    for n in 1..=servers {
        let carried_over = offered * loss;
        loss = if carried_over.is_finite() { carried_over / (f64::from(n) + carried_over) } else { 1.0 };
        if loss < f64::MIN_POSITIVE {
            // Subnormal numbers would round up to themselves for ever, and slowly.
            return Some(0.0);
        }
    }
    Some(loss)
}

/// Returns the probability that an arrival finds all servers busy and has to wait (Erlang 1917, M/M/c).
///
/// An offered load of `servers` erlangs or more leaves no server idle in the long run: the result is then one.
/// Derived from Erlang B as C = B / (1 − ρ(1 − B)) with ρ = a/c (Kleinrock 1975, ch. 3).
pub fn erlang_c(offered_load: f64, servers: u32) -> Option<f64> {
    let loss = erlang_b(offered_load, servers)?;
    let load_per_server = offered_load / f64::from(servers);
    if load_per_server >= 1.0 {
        return Some(1.0);
    }
    Some((loss / (1.0 - load_per_server * (1.0 - loss))).min(1.0))
}

/// An M/M/c queue: Poisson arrivals, exponential service, an unlimited first-come first-served line.
///
/// Sources for all methods: Erlang 1917; Kleinrock 1975, ch. 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiServerQueue {
    arrivals_per_s: f64,
    service_seconds: f64,
    servers: f64,
    utilization: f64,
    delay_probability: f64,
}

impl MultiServerQueue {
    /// Solves the queue. `None` for invalid input only; an overloaded queue is valid.
    pub fn new(arrivals_per_s: f64, service_seconds: f64, servers: u32) -> Option<Self> {
        let utilization = utilization(arrivals_per_s, service_seconds, servers)?;
        let delay_probability = erlang_c(arrivals_per_s * service_seconds, servers)?;
        let servers = f64::from(servers);
        Some(Self { arrivals_per_s, service_seconds, servers, utilization, delay_probability })
    }

    /// Returns the offered load per server. At one or above the line grows without end.
    pub fn utilization(&self) -> f64 {
        self.utilization
    }

    /// Returns the probability that an arrival has to wait (Erlang C); one for an overloaded queue.
    pub fn delay_probability(&self) -> f64 {
        self.delay_probability
    }

    /// Returns the mean wait before service starts, C·S/(c − a), over all arrivals. `None` if overloaded.
    pub fn mean_wait_seconds(&self) -> Option<f64> {
        non_negative(self.delay_probability * self.service_seconds / self.idle_servers()?)
    }

    /// Returns the mean time from arrival to completion. `None` if overloaded.
    pub fn mean_residence_seconds(&self) -> Option<f64> {
        Some(self.mean_wait_seconds()? + self.service_seconds)
    }

    /// Returns the mean number waiting, not counting those in service. `None` if overloaded.
    pub fn mean_queue_length(&self) -> Option<f64> {
        non_negative(self.delay_probability * self.utilization / (1.0 - self.utilization.min(1.0)))
    }

    /// Returns the probability that an arrival waits longer than `seconds` before service starts.
    ///
    /// C·e^(−(c − a)·t/S), for service in order of arrival. One if overloaded. `None` for an invalid time.
    pub fn probability_of_wait_longer_than(&self, seconds: f64) -> Option<f64> {
        let seconds = non_negative(seconds)?;
        if self.delay_probability == 0.0 {
            return Some(0.0);
        }
        let Some(idle_servers) = self.idle_servers() else { return Some(1.0) };
        Some(self.delay_probability * (-idle_servers * (seconds / self.service_seconds)).exp())
    }

    /// Returns the mean number of idle servers, c − a. `None` if overloaded.
    fn idle_servers(&self) -> Option<f64> {
        let idle = self.servers - self.arrivals_per_s * self.service_seconds;
        (self.utilization < 1.0 && idle > 0.0).then_some(idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(actual: f64, expected: f64, relative: f64) {
        assert!((actual - expected).abs() <= expected.abs() * relative, "{actual} is not {expected}");
    }

    #[test]
    fn erlang_b_agrees_with_the_traffic_tables() {
        // Offered load at which a trunk group loses 1 %, and 2 %, as printed in the usual tables (four digits).
        for (servers, one_percent, two_percent) in [
            (1, 0.0101, 0.0204),
            (5, 1.361, 1.657),
            (10, 4.461, 5.084),
            (50, 37.90, 40.26),
            (100, 84.06, 87.97),
        ] {
            assert_close(erlang_b(one_percent, servers).unwrap(), 0.01, 0.005);
            assert_close(erlang_b(two_percent, servers).unwrap(), 0.02, 0.005);
        }
    }

    #[test]
    fn erlang_b_agrees_with_exact_fractions() {
        assert_close(erlang_b(1.0, 1).unwrap(), 1.0 / 2.0, 1e-15);
        assert_close(erlang_b(1.0, 2).unwrap(), 1.0 / 5.0, 1e-15);
        assert_close(erlang_b(2.0, 5).unwrap(), 4.0 / 109.0, 1e-14);
    }

    #[test]
    fn erlang_c_agrees_with_exact_fractions() {
        assert_close(erlang_c(0.3, 1).unwrap(), 0.3, 1e-14);
        assert_close(erlang_c(1.0, 2).unwrap(), 1.0 / 3.0, 1e-14);
        assert_close(erlang_c(2.0, 3).unwrap(), 4.0 / 9.0, 1e-14);
        assert_close(erlang_c(2.0, 4).unwrap(), 4.0 / 23.0, 1e-14);
    }

    #[test]
    fn thousands_of_servers_neither_overflow_nor_vanish() {
        // At a load equal to the servers, B → sqrt(2/(πc)) for many servers (Jagerman 1974).
        let servers = 1_000_000;
        let asymptote = (2.0 / (std::f64::consts::PI * f64::from(servers))).sqrt();
        assert_close(erlang_b(f64::from(servers), servers).unwrap(), asymptote, 0.001);
        assert_eq!(erlang_b(1.0, 5000), Some(0.0));
        assert_eq!(erlang_b(4_000_000.0, 4_194_304), Some(0.0));
        assert_close(erlang_b(1e12, 5000).unwrap(), 1.0 - 5000.0 / 1e12, 1e-12);
        assert_eq!(erlang_b(f64::MAX, 5000), Some(1.0));
    }

    #[test]
    fn a_single_server_waits_as_the_textbook_says() {
        // M/M/1, ρ = 0.8, S = 0.1 s: Wq = ρS/(1−ρ) = 0.4 s, Lq = ρ²/(1−ρ) = 3.2, P(W > t) = ρ·e^(−(1−ρ)t/S).
        let queue = MultiServerQueue::new(8.0, 0.1, 1).unwrap();
        assert_close(queue.mean_wait_seconds().unwrap(), 0.4, 1e-12);
        assert_close(queue.mean_residence_seconds().unwrap(), 0.5, 1e-12);
        assert_close(queue.mean_queue_length().unwrap(), 3.2, 1e-12);
        assert_close(queue.probability_of_wait_longer_than(1.0).unwrap(), 0.8 * (-2.0_f64).exp(), 1e-12);
    }

    #[test]
    fn an_overloaded_queue_has_no_mean_wait_and_everyone_waits() {
        for arrivals in [40.0, 41.0, 1e9] {
            let queue = MultiServerQueue::new(arrivals, 0.1, 4).unwrap();
            assert_eq!(queue.delay_probability(), 1.0);
            assert_eq!(queue.mean_wait_seconds(), None);
            assert_eq!(queue.mean_residence_seconds(), None);
            assert_eq!(queue.mean_queue_length(), None);
            assert_eq!(queue.probability_of_wait_longer_than(60.0), Some(1.0));
        }
    }

    #[test]
    fn nobody_waits_where_nobody_comes_or_service_takes_no_time() {
        for queue in
            [MultiServerQueue::new(0.0, 0.1, 3).unwrap(), MultiServerQueue::new(9.0, 0.0, 3).unwrap()]
        {
            assert_eq!(queue.mean_wait_seconds(), Some(0.0));
            assert_eq!(queue.mean_queue_length(), Some(0.0));
            assert_eq!(queue.probability_of_wait_longer_than(0.0), Some(0.0));
        }
    }

    #[test]
    fn invalid_input_has_no_answer() {
        assert_eq!(erlang_b(-0.1, 1), None);
        assert_eq!(erlang_b(f64::NAN, 1), None);
        assert_eq!(erlang_b(1.0, 0), None);
        assert_eq!(erlang_b(1.0, u32::MAX), None);
        assert_eq!(erlang_c(f64::INFINITY, 1), None);
        assert_eq!(MultiServerQueue::new(1.0, -1.0, 1), None);
        assert_eq!(MultiServerQueue::new(1e300, 1e300, 1), None);
        let queue = MultiServerQueue::new(1.0, 0.1, 1).unwrap();
        assert_eq!(queue.probability_of_wait_longer_than(-1.0), None);
        assert_eq!(queue.probability_of_wait_longer_than(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn probabilities_stay_between_zero_and_one(offered in 0.0..1e5_f64, servers in 1..5000_u32) {
            let loss = erlang_b(offered, servers).unwrap();
            let delay = erlang_c(offered, servers).unwrap();
            prop_assert!((0.0..=1.0).contains(&loss));
            prop_assert!((0.0..=1.0).contains(&delay));
            prop_assert!(delay >= loss);
        }

        #[test]
        fn loss_grows_with_load_and_shrinks_with_servers(offered in 0.01..3000.0_f64, servers in 1..3000_u32) {
            let loss = erlang_b(offered, servers).unwrap();
            prop_assert!(erlang_b(offered * 1.01, servers).unwrap() >= loss);
            prop_assert!(erlang_b(offered, servers + 1).unwrap() <= loss);
        }

        #[test]
        fn the_carried_load_never_exceeds_the_servers(offered in 0.0..1e5_f64, servers in 1..3000_u32) {
            let carried = offered * (1.0 - erlang_b(offered, servers).unwrap());
            prop_assert!(carried <= f64::from(servers) * (1.0 + 1e-9));
        }

        #[test]
        fn queue_length_is_little_s_law_of_the_wait(
            load in 0.01..0.99_f64, service in 1e-4..10.0_f64, servers in 1..2000_u32,
        ) {
            let arrivals = load * f64::from(servers) / service;
            let queue = MultiServerQueue::new(arrivals, service, servers).unwrap();
            let length = queue.mean_queue_length().unwrap();
            let expected = arrivals * queue.mean_wait_seconds().unwrap();
            // Below the smallest normal number both underflow, each in its own way.
            prop_assert!((length - expected).abs() <= 1e-9 * expected + 1e-300);
        }

        #[test]
        fn the_tail_of_the_wait_starts_at_erlang_c_and_integrates_to_the_mean(
            load in 0.3..0.95_f64, service in 0.01..1.0_f64, servers in 1..50_u32,
        ) {
            let arrivals = load * f64::from(servers) / service;
            let queue = MultiServerQueue::new(arrivals, service, servers).unwrap();
            let tail = |t: f64| queue.probability_of_wait_longer_than(t).unwrap();
            prop_assert!((tail(0.0) - queue.delay_probability()).abs() < 1e-15);
            // ∫ P(W > t) dt = E[W]; trapezoids over forty time constants.
            let end = 40.0 * service / (f64::from(servers) * (1.0 - load));
            let step = end / 4000.0;
            let area: f64 = (0..4000).map(|i| f64::from(i) * step).map(|t| (tail(t) + tail(t + step)) / 2.0 * step).sum();
            prop_assert!((area / queue.mean_wait_seconds().unwrap() - 1.0).abs() < 1e-4);
        }

        #[test]
        fn one_fast_pool_waits_less_than_its_halves(load in 0.05..0.95_f64, servers in 1..500_u32) {
            let half = MultiServerQueue::new(load * f64::from(servers), 1.0, servers).unwrap();
            let pool = MultiServerQueue::new(2.0 * load * f64::from(servers), 1.0, 2 * servers).unwrap();
            prop_assert!(pool.mean_wait_seconds().unwrap() <= half.mean_wait_seconds().unwrap());
        }
    }
}
