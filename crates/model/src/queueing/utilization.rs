//! The operational laws: true of any station over any interval, whatever the distributions.

use super::input::{non_negative, positive, server_count};

/// Returns the mean fraction of busy servers, U = X·S/m (utilization law; Lazowska et al. 1984, ch. 3).
///
/// With an arrival rate instead of a throughput the result is the *offered* load per server and may exceed one.
pub fn utilization(throughput_per_s: f64, service_seconds: f64, servers: u32) -> Option<f64> {
    let busy_servers = non_negative(throughput_per_s)? * non_negative(service_seconds)?;
    non_negative(busy_servers / server_count(servers)?)
}

/// Returns the seconds of service one request needs at a station over all its visits, D = V·S.
///
/// Lazowska et al. 1984, ch. 3.
pub fn service_demand_seconds(visits_per_request: f64, service_seconds: f64) -> Option<f64> {
    non_negative(non_negative(visits_per_request)? * non_negative(service_seconds)?)
}

/// Returns the service demand from what was measured, D = U·m/X (service demand law; Lazowska et al. 1984, ch. 3).
///
/// `None` also without throughput: nothing completed, so nothing is known about one request.
pub fn measured_service_demand_seconds(utilization: f64, servers: u32, throughput_per_s: f64) -> Option<f64> {
    non_negative(non_negative(utilization)? * server_count(servers)? / positive(throughput_per_s)?)
}

/// Returns the mean number in the system, L = λ·W (Little 1961).
pub fn mean_in_system(throughput_per_s: f64, residence_seconds: f64) -> Option<f64> {
    non_negative(non_negative(throughput_per_s)? * non_negative(residence_seconds)?)
}

/// Returns the mean time spent in the system, W = L/λ (Little 1961).
///
/// `None` also without throughput: nobody has left.
pub fn mean_residence_seconds(mean_in_system: f64, throughput_per_s: f64) -> Option<f64> {
    non_negative(non_negative(mean_in_system)? / positive(throughput_per_s)?)
}

/// Returns the throughput, λ = L/W (Little 1961).
///
/// `None` also for a residence of zero, which says nothing about the rate.
pub fn throughput_per_s(mean_in_system: f64, residence_seconds: f64) -> Option<f64> {
    non_negative(non_negative(mean_in_system)? / positive(residence_seconds)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_disk_with_forty_reads_per_second_of_22_5_ms_is_90_percent_busy() {
        let busy = utilization(40.0, 0.0225, 1).unwrap();
        assert!((busy - 0.9).abs() < 1e-12);
    }

    #[test]
    fn arrivals_beyond_capacity_show_as_a_utilization_above_one() {
        assert_eq!(utilization(10.0, 0.5, 4), Some(1.25));
    }

    #[test]
    fn demand_is_visits_times_service() {
        assert_eq!(service_demand_seconds(180.0, 0.5), Some(90.0));
        assert_eq!(measured_service_demand_seconds(0.5, 4, 8.0), Some(0.25));
    }

    #[test]
    fn idle_is_an_answer_but_a_mean_over_nobody_is_not() {
        assert_eq!(utilization(0.0, 0.1, 1), Some(0.0));
        assert_eq!(mean_in_system(0.0, 3.0), Some(0.0));
        assert_eq!(mean_residence_seconds(0.0, 0.0), None);
        assert_eq!(throughput_per_s(0.0, 0.0), None);
        assert_eq!(measured_service_demand_seconds(0.0, 1, 0.0), None);
    }

    #[test]
    fn invalid_or_overflowing_input_has_no_answer() {
        assert_eq!(utilization(1.0, 1.0, 0), None);
        assert_eq!(utilization(-1.0, 1.0, 1), None);
        assert_eq!(utilization(1.0, f64::NAN, 1), None);
        assert_eq!(utilization(f64::MAX, 2.0, 1), None);
        assert_eq!(mean_in_system(f64::INFINITY, 0.0), None);
        assert_eq!(mean_residence_seconds(1.0, f64::MIN_POSITIVE / 4.0), None);
    }

    proptest! {
        #[test]
        fn the_three_directions_of_littles_law_agree(rate in 1e-3..1e6_f64, residence in 1e-6..1e4_f64) {
            let level = mean_in_system(rate, residence).unwrap();
            prop_assert!((mean_residence_seconds(level, rate).unwrap() / residence - 1.0).abs() < 1e-12);
            prop_assert!((throughput_per_s(level, residence).unwrap() / rate - 1.0).abs() < 1e-12);
        }

        #[test]
        fn demand_measured_from_utilization_is_the_demand_that_caused_it(
            rate in 1e-3..1e6_f64, service in 1e-6..1e2_f64, servers in 1..10_000_u32,
        ) {
            let busy = utilization(rate, service, servers).unwrap();
            let demand = measured_service_demand_seconds(busy, servers, rate).unwrap();
            prop_assert!((demand / service - 1.0).abs() < 1e-12);
        }

        #[test]
        fn more_servers_are_never_busier(rate in 0.0..1e6_f64, service in 0.0..1e2_f64, servers in 1..10_000_u32) {
            let few = utilization(rate, service, servers).unwrap();
            let more = utilization(rate, service, servers + 1).unwrap();
            prop_assert!(more <= few);
        }
    }
}
