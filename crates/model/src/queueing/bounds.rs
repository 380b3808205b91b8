//! Bounds on a closed chain of stations: N customers who think, then visit each center, then think again.
//!
//! The asymptotic bounds hold for any distribution. The balanced job bounds are tighter and hold for product-form
//! networks (exponential service in order of arrival, or processor sharing). Both: Lazowska et al. 1984, ch. 5;
//! Zahorjan et al., "Balanced job bound analysis of queueing networks", Communications of the ACM 25(2), 1982.

use super::input::{non_negative, positive, server_count};

/// One center of a network: how much service a request needs there, and how many servers give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Center {
    /// Service demand per request over all visits, in seconds.
    pub demand_seconds: f64,
    /// The number of identical servers.
    pub servers: u32,
}

/// A lower and an upper bound; the truth lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// No less than this.
    pub lower: f64,
    /// No more than this.
    pub upper: f64,
}

/// A closed network of queueing centers and a think time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedNetwork {
    total_seconds: f64,
    bottleneck_seconds: f64,
    average_seconds: f64,
    think_seconds: f64,
    is_single_server: bool,
}

impl ClosedNetwork {
    /// Sums up a network. `None` for invalid input, or if no center has any demand.
    pub fn new(centers: &[Center], think_seconds: f64) -> Option<Self> {
        let think_seconds = non_negative(think_seconds)?;
        let (mut total, mut bottleneck, mut used_centers) = (0.0, 0.0_f64, 0.0);
        let mut is_single_server = true;
        for center in centers {
            let demand = non_negative(center.demand_seconds)?;
            let servers = server_count(center.servers)?;
            if demand > 0.0 {
                total += demand;
                bottleneck = bottleneck.max(demand / servers);
                used_centers += 1.0;
                is_single_server &= center.servers == 1;
            }
        }
        non_negative(total + think_seconds)?;
        Some(Self {
            total_seconds: positive(total)?,
            bottleneck_seconds: positive(bottleneck)?,
            average_seconds: total / used_centers,
            think_seconds,
            is_single_server,
        })
    }

    /// Returns the rate no population can exceed, 1/D_max, where D_max is the largest demand per server.
    pub fn saturation_throughput_per_s(&self) -> Option<f64> {
        non_negative(1.0 / self.bottleneck_seconds)
    }

    /// Returns the population N* = (D + Z)/D_max at which the two asymptotes cross.
    ///
    /// From there on somebody must be waiting somewhere.
    pub fn saturation_population(&self) -> Option<f64> {
        non_negative((self.total_seconds + self.think_seconds) / self.bottleneck_seconds)
    }

    /// Returns the asymptotic bounds on throughput: N/(N·D + Z) ≤ X ≤ min(1/D_max, N/(D + Z)).
    pub fn throughput_bounds_per_s(&self, population: u32) -> Option<Bounds> {
        let n = f64::from(population);
        if population == 0 {
            return Some(Bounds { lower: 0.0, upper: 0.0 });
        }
        let lower = n / (n * self.total_seconds + self.think_seconds);
        let upper = (n / (self.total_seconds + self.think_seconds)).min(self.saturation_throughput_per_s()?);
        Some(Bounds { lower: non_negative(lower)?, upper: non_negative(upper)? })
    }

    /// Returns the asymptotic bounds on response time: max(D, N·D_max − Z) ≤ R ≤ N·D.
    ///
    /// `None` also without customers.
    pub fn response_bounds_seconds(&self, population: u32) -> Option<Bounds> {
        let n = positive(f64::from(population))?;
        let lower = self.total_seconds.max(n * self.bottleneck_seconds - self.think_seconds);
        Some(Bounds { lower: non_negative(lower)?, upper: non_negative(n * self.total_seconds)? })
    }

    /// Returns the balanced job bounds on throughput.
    ///
    /// N/(D + Z + (N−1)·D_max/(1 + Z/(N·D))) ≤ X ≤ min(1/D_max, N/(D + Z + (N−1)·D_avg/(1 + Z/D))).
    /// `None` also if a center has several servers, for which these bounds do not hold.
    pub fn balanced_throughput_bounds_per_s(&self, population: u32) -> Option<Bounds> {
        if population == 0 {
            return self.is_single_server.then_some(Bounds { lower: 0.0, upper: 0.0 });
        }
        let n = f64::from(population);
        let response = self.balanced_response_bounds_seconds(population)?;
        let lower = n / (response.upper + self.think_seconds);
        let upper = n / (response.lower + self.think_seconds);
        let upper = upper.min(self.saturation_throughput_per_s()?);
        Some(Bounds { lower: non_negative(lower)?, upper: non_negative(upper)? })
    }

    /// Returns the balanced job bounds on response time.
    ///
    /// max(N·D_max − Z, D + (N−1)·D_avg/(1 + Z/D)) ≤ R ≤ D + (N−1)·D_max/(1 + Z/(N·D)).
    /// `None` also without customers, or if a center has several servers.
    pub fn balanced_response_bounds_seconds(&self, population: u32) -> Option<Bounds> {
        let n = positive(f64::from(population))?;
        if !self.is_single_server {
            return None;
        }
        let (total, think) = (self.total_seconds, self.think_seconds);
        let balanced = total + (n - 1.0) * self.average_seconds / (1.0 + think / total);
        let lower = balanced.max(n * self.bottleneck_seconds - think);
        let upper = total + (n - 1.0) * self.bottleneck_seconds / (1.0 + think / (n * total));
        Some(Bounds { lower: non_negative(lower)?, upper: non_negative(upper)? })
    }
}

/// Returns the multiple of today's load at which a station saturates, 1/U.
///
/// Utilization grows in proportion to load while the demand per request stays the same (utilization law, Lazowska
/// et al. 1984, ch. 3). Below one for a station offered more than it can serve. `None` also for an idle station:
/// nothing was seen from which to extrapolate.
pub fn saturation_multiple(utilization: f64) -> Option<f64> {
    non_negative(1.0 / positive(utilization)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn single(demands: &[f64]) -> Vec<Center> {
        demands.iter().map(|&demand_seconds| Center { demand_seconds, servers: 1 }).collect()
    }

    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-12 * expected, "{actual} is not {expected}");
    }

    /// The exact throughput and response time, by mean value analysis (Reiser and Lavenberg 1980).
    fn mean_value_analysis(demands: &[f64], think_seconds: f64, population: u32) -> (f64, f64) {
        let mut queues = vec![0.0; demands.len()];
        let (mut throughput, mut response) = (0.0, 0.0);
        for n in 1..=population {
            let residences: Vec<f64> = demands.iter().zip(&queues).map(|(d, q)| d * (1.0 + q)).collect();
            response = residences.iter().sum();
            throughput = f64::from(n) / (response + think_seconds);
            queues = residences.iter().map(|r| throughput * r).collect();
        }
        (throughput, response)
    }

    #[test]
    fn the_largest_demand_per_server_is_the_bottleneck() {
        let centers =
            [Center { demand_seconds: 0.4, servers: 8 }, Center { demand_seconds: 0.1, servers: 1 }];
        let network = ClosedNetwork::new(&centers, 4.5).unwrap();
        assert_close(network.saturation_throughput_per_s().unwrap(), 10.0);
        assert_close(network.saturation_population().unwrap(), 50.0);
        assert_close(network.throughput_bounds_per_s(5).unwrap().upper, 1.0);
        assert_close(network.throughput_bounds_per_s(200).unwrap().upper, 10.0);
        assert_close(network.response_bounds_seconds(200).unwrap().lower, 15.5);
        assert_eq!(network.balanced_throughput_bounds_per_s(5), None);
    }

    #[test]
    fn a_balanced_network_without_thinking_meets_its_bounds_exactly() {
        // Equal demands: X = N/(D + (N−1)·D/K).
        let network = ClosedNetwork::new(&single(&[0.2, 0.2, 0.2]), 0.0).unwrap();
        let bounds = network.balanced_throughput_bounds_per_s(7).unwrap();
        assert_close(bounds.lower, 7.0 / 1.8);
        assert_close(bounds.upper, 7.0 / 1.8);
    }

    #[test]
    fn one_customer_never_queues() {
        let network = ClosedNetwork::new(&single(&[0.1, 0.3]), 1.6).unwrap();
        for bounds in [
            network.throughput_bounds_per_s(1).unwrap(),
            network.balanced_throughput_bounds_per_s(1).unwrap(),
        ] {
            assert_close(bounds.lower, 0.5);
            assert_close(bounds.upper, 0.5);
        }
        assert_close(network.response_bounds_seconds(1).unwrap().upper, 0.4);
    }

    #[test]
    fn centers_without_demand_do_not_count() {
        let with = ClosedNetwork::new(&single(&[0.1, 0.0, 0.3]), 1.0);
        assert_eq!(with, ClosedNetwork::new(&single(&[0.1, 0.3]), 1.0));
        assert_eq!(ClosedNetwork::new(&single(&[0.0]), 1.0), None);
        assert_eq!(ClosedNetwork::new(&[], 1.0), None);
    }

    #[test]
    fn a_station_half_busy_saturates_at_twice_the_load() {
        assert_eq!(saturation_multiple(0.5), Some(2.0));
        assert_eq!(saturation_multiple(1.25), Some(0.8));
        assert_eq!(saturation_multiple(0.0), None);
        assert_eq!(saturation_multiple(f64::NAN), None);
        assert_eq!(saturation_multiple(f64::MIN_POSITIVE / 8.0), None);
    }

    #[test]
    fn invalid_input_has_no_answer() {
        assert_eq!(ClosedNetwork::new(&single(&[-0.1]), 0.0), None);
        assert_eq!(ClosedNetwork::new(&single(&[f64::NAN]), 0.0), None);
        assert_eq!(ClosedNetwork::new(&single(&[0.1]), -1.0), None);
        assert_eq!(ClosedNetwork::new(&single(&[f64::MAX, f64::MAX]), 0.0), None);
        assert_eq!(ClosedNetwork::new(&[Center { demand_seconds: 0.1, servers: 0 }], 0.0), None);
        let network = ClosedNetwork::new(&single(&[0.1]), 0.0).unwrap();
        assert_eq!(network.response_bounds_seconds(0), None);
        assert_eq!(network.balanced_response_bounds_seconds(0), None);
        assert_eq!(network.throughput_bounds_per_s(0), Some(Bounds { lower: 0.0, upper: 0.0 }));
        assert_eq!(network.balanced_throughput_bounds_per_s(0), Some(Bounds { lower: 0.0, upper: 0.0 }));
    }

    proptest! {
        #[test]
        fn the_exact_solution_lies_within_all_bounds_and_the_balanced_ones_are_tighter(
            demands in prop::collection::vec(1e-3..1.0_f64, 1..8), think in 0.0..20.0_f64, population in 1..120_u32,
        ) {
            let network = ClosedNetwork::new(&single(&demands), think).unwrap();
            let (throughput, response) = mean_value_analysis(&demands, think, population);
            let within = |bounds: Bounds, exact: f64| {
                bounds.lower <= exact * (1.0 + 1e-9) && exact <= bounds.upper * (1.0 + 1e-9)
            };
            let loose = network.throughput_bounds_per_s(population).unwrap();
            let tight = network.balanced_throughput_bounds_per_s(population).unwrap();
            prop_assert!(within(loose, throughput), "{loose:?} {throughput}");
            prop_assert!(within(tight, throughput), "{tight:?} {throughput}");
            prop_assert!(within(network.response_bounds_seconds(population).unwrap(), response));
            prop_assert!(within(network.balanced_response_bounds_seconds(population).unwrap(), response));
            prop_assert!(tight.lower >= loose.lower * (1.0 - 1e-9) && tight.upper <= loose.upper * (1.0 + 1e-9));
        }

        #[test]
        fn the_throughput_bound_grows_until_the_saturation_population(
            demands in prop::collection::vec(1e-3..1.0_f64, 1..8), think in 0.0..20.0_f64, population in 1..1000_u32,
        ) {
            let network = ClosedNetwork::new(&single(&demands), think).unwrap();
            let here = network.throughput_bounds_per_s(population).unwrap().upper;
            let next = network.throughput_bounds_per_s(population + 1).unwrap().upper;
            let saturated = f64::from(population) >= network.saturation_population().unwrap() * (1.0 + 1e-9);
            prop_assert!(here <= next);
            prop_assert_eq!(here == next, saturated || here == network.saturation_throughput_per_s().unwrap());
        }
    }
}
