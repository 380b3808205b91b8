//! The formulas against a simulation that does not know them.
//!
//! Seeds are fixed, so every run sees the same numbers. Where a formula is exact, the run is long enough that two
//! percent are at least four standard errors: a fixed seed was not picked to pass.

mod simulator;

use model::queueing::{Center, ClosedNetwork, FiniteQueue, MultiServerQueue, drain, erlang};
use simulator::closed::{self, Network};
use simulator::open::Station;
use simulator::random::Duration;

const SEED: u64 = 1917;
const TOLERANCE: f64 = 0.02;

#[track_caller]
fn assert_within_tolerance(simulated: f64, formula: f64) {
    let error = simulated / formula - 1.0;
    assert!(
        error.abs() < TOLERANCE,
        "simulated {simulated}, formula {formula}, error {:+.2} %",
        error * 100.0
    );
}

#[track_caller]
fn assert_exact(simulated: f64, formula: f64) {
    assert!((simulated - formula).abs() <= 1e-9 * formula, "simulated {simulated}, formula {formula}");
}

fn exponential(mean: f64) -> Duration {
    Duration::Exponential { mean }
}

#[test]
fn waits_in_an_endless_queue_are_erlang_c() {
    for (arrivals_per_s, servers, arrivals) in [(5.0, 1, 2_500_000), (24.0, 4, 6_000_000)] {
        let queue = MultiServerQueue::new(arrivals_per_s, 0.1, servers).unwrap();
        let limit = queue.mean_wait_seconds().unwrap();
        let station = Station {
            arrivals_per_s,
            service: exponential(0.1),
            servers: servers as usize,
            capacity: usize::MAX,
            wait_limit_seconds: limit,
        };
        let observed = station.observe(arrivals, SEED);
        assert_within_tolerance(observed.delayed(), queue.delay_probability());
        assert_within_tolerance(observed.mean_wait_seconds(), queue.mean_wait_seconds().unwrap());
        assert_within_tolerance(observed.mean_queue_length(), queue.mean_queue_length().unwrap());
        assert_within_tolerance(
            observed.waited_longer(),
            queue.probability_of_wait_longer_than(limit).unwrap(),
        );
    }
}

#[test]
fn a_bounded_queue_loses_and_waits_as_predicted() {
    for (arrivals_per_s, servers, capacity) in [(42.0, 4, 12), (9.0, 1, 5)] {
        let queue = FiniteQueue::new(arrivals_per_s, 0.1, servers, capacity).unwrap();
        let station = Station {
            arrivals_per_s,
            service: exponential(0.1),
            servers: servers as usize,
            capacity: capacity as usize,
            wait_limit_seconds: 0.0,
        };
        let observed = station.observe(3_500_000, SEED);
        assert_within_tolerance(observed.loss(), queue.loss_probability());
        assert_within_tolerance(observed.throughput_per_s(), queue.throughput_per_s());
        assert_within_tolerance(observed.mean_wait_seconds(), queue.mean_wait_seconds());
        assert_within_tolerance(observed.mean_queue_length(), queue.mean_queue_length());
        assert_within_tolerance(observed.mean_busy_servers() / f64::from(servers), queue.utilization());
    }
}

#[test]
fn loss_without_a_queue_is_erlang_b_whatever_the_service_distribution() {
    for service in [exponential(0.1), Duration::Constant(0.1)] {
        let station =
            Station { arrivals_per_s: 100.0, service, servers: 10, capacity: 10, wait_limit_seconds: 0.0 };
        let observed = station.observe(2_000_000, SEED);
        assert_within_tolerance(observed.loss(), erlang::erlang_b(10.0, 10).unwrap());
    }
}

/// `workers` doing `operations` each, one after the other, through `slots`.
fn slots(workers: u32, operations: u32, slots: u32, service: Duration) -> closed::Observed {
    let network = Network {
        customers: workers as usize,
        think: Duration::Constant(0.0),
        centers: vec![closed::Center { service, servers: slots as usize }],
    };
    network.observe(operations, SEED)
}

#[test]
fn a_batch_of_constant_jobs_drains_in_rounds() {
    for (jobs, servers) in [(1, 8), (8, 8), (9, 8), (1000, 7), (5000, 64)] {
        let observed = slots(jobs, 1, servers, Duration::Constant(0.02));
        assert_exact(observed.makespan_seconds, drain::batch_drain_seconds(jobs, servers, 0.02).unwrap());
        let fluid = drain::batch_drain_fluid_seconds(jobs, servers, 0.02).unwrap();
        assert!(fluid <= observed.makespan_seconds + 1e-9 && observed.makespan_seconds < fluid + 0.02);
    }
}

#[test]
fn sequential_workers_cannot_use_more_slots_than_there_are_workers() {
    for workers in [1, 11, 16] {
        let observed = slots(workers, 180, 16, Duration::Constant(0.02));
        let formula = drain::sequential_operations_seconds(workers, 180, 16, 0.02).unwrap();
        assert_exact(observed.makespan_seconds, formula);
        assert_eq!(observed.mean_wait_seconds, 0.0);
    }
    let pooled = drain::pooled_operations_seconds(11, 180, 16, 0.02).unwrap();
    let observed = slots(11, 180, 16, Duration::Constant(0.02));
    assert!(observed.makespan_seconds > 1.4 * pooled);
}

#[test]
fn more_workers_than_slots_take_turns() {
    for (workers, operations, slot_count) in [(17, 180, 16), (50, 180, 16), (33, 1000, 16)] {
        let observed = slots(workers, operations, slot_count, Duration::Constant(0.02));
        let formula = drain::sequential_operations_seconds(workers, operations, slot_count, 0.02).unwrap();
        assert!(formula <= observed.makespan_seconds + 1e-9, "{formula} {observed:?}");
        assert!(observed.makespan_seconds < formula + 0.02, "{formula} {observed:?}");
        let waits = drain::slot_wait_per_service(workers, slot_count).unwrap();
        assert_within_tolerance(observed.mean_wait_seconds / 0.02, waits);
    }
}

#[test]
fn random_service_times_take_the_same_turns() {
    let observed = slots(50, 4000, 16, exponential(0.02));
    let formula = drain::sequential_operations_seconds(50, 4000, 16, 0.02).unwrap();
    assert_within_tolerance(observed.makespan_seconds, formula);
    assert_within_tolerance(observed.mean_wait_seconds / 0.02, drain::slot_wait_per_service(50, 16).unwrap());
}

/// Returns the simulated throughput of a network with exponential service and thinking.
fn closed_throughput_per_s(centers: &[Center], think_seconds: f64, customers: u32) -> f64 {
    let network = Network {
        customers: customers as usize,
        think: exponential(think_seconds),
        centers: centers
            .iter()
            .map(|center| closed::Center {
                service: exponential(center.demand_seconds),
                servers: center.servers as usize,
            })
            .collect(),
    };
    network.observe(120_000 / customers, SEED).throughput_per_s
}

#[test]
fn a_closed_network_stays_within_its_bounds_and_reaches_them_at_both_ends() {
    let centers = [0.05, 0.02, 0.03].map(|demand_seconds| Center { demand_seconds, servers: 1 });
    let network = ClosedNetwork::new(&centers, 1.0).unwrap();
    assert_exact(network.saturation_population().unwrap(), 22.0);

    let alone = closed_throughput_per_s(&centers, 1.0, 1);
    assert_within_tolerance(alone, network.throughput_bounds_per_s(1).unwrap().upper);
    for customers in [5, 22, 40] {
        let throughput = closed_throughput_per_s(&centers, 1.0, customers);
        let bounds = network.balanced_throughput_bounds_per_s(customers).unwrap();
        assert!(throughput > bounds.lower * (1.0 - TOLERANCE), "{customers}: {throughput} {bounds:?}");
        assert!(throughput < bounds.upper * (1.0 + TOLERANCE), "{customers}: {throughput} {bounds:?}");
    }
    let saturated = closed_throughput_per_s(&centers, 1.0, 66);
    assert_within_tolerance(saturated, network.saturation_throughput_per_s().unwrap());
}

#[test]
fn a_center_with_many_servers_saturates_at_their_joint_rate() {
    let centers = [Center { demand_seconds: 0.4, servers: 8 }, Center { demand_seconds: 0.02, servers: 1 }];
    let network = ClosedNetwork::new(&centers, 0.5).unwrap();
    assert_exact(network.saturation_throughput_per_s().unwrap(), 20.0);
    let saturated = closed_throughput_per_s(&centers, 0.5, 100);
    assert_within_tolerance(saturated, 20.0);

    let light = closed_throughput_per_s(&centers, 0.5, 4);
    let bounds = network.throughput_bounds_per_s(4).unwrap();
    assert!(light > bounds.lower && light < bounds.upper * (1.0 + TOLERANCE), "{light} {bounds:?}");
}
