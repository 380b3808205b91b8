//! Draining: how long a batch or a backlog takes, what slots cost sequential workers, and how deep a queue should be.

use super::input::{ceil_to_u32, non_negative, positive, server_count};

/// The deepest listen queue worth configuring; beyond it, a burst needs more servers, not more waiting places.
pub const MAX_BACKLOG: u32 = 16_384;

/// Returns the time `servers` need for `jobs` that all are there at the start and take exactly `service_seconds`.
///
/// ⌈N/c⌉·S: the servers work in rounds, and the last round takes as long as a full one.
pub fn batch_drain_seconds(jobs: u32, servers: u32, service_seconds: f64) -> Option<f64> {
    server_count(servers)?;
    non_negative(f64::from(jobs.div_ceil(servers)) * non_negative(service_seconds)?)
}

/// Returns the batch drain time as if work were a fluid, N·S/c.
///
/// The mean over the last round's remainder, and the limit for many jobs per server. Never above
/// [`batch_drain_seconds`], and less than one service time below it.
pub fn batch_drain_fluid_seconds(jobs: u32, servers: u32, service_seconds: f64) -> Option<f64> {
    non_negative(f64::from(jobs) * non_negative(service_seconds)? / server_count(servers)?)
}

/// Returns the time for each of N workers to finish K sequential operations through S slots, K·R·max(1, N/S).
///
/// A worker has one operation outstanding, so fewer workers than slots leave slots empty and nobody waits. More
/// workers than slots take turns. Exact for constant service times up to the last round, as a fluid; for example an
/// `NFSv4.1` session, where an operation without a slot sleeps in `nfs4_setup_sequence` (fs/nfs/nfs4proc.c).
/// Contrast [`pooled_operations_seconds`]. It takes R as given: where the server slows down under load, R is R(N).
pub fn sequential_operations_seconds(
    workers: u32,
    operations_per_worker: u32,
    slots: u32,
    service_seconds: f64,
) -> Option<f64> {
    let alone_seconds = f64::from(operations_per_worker) * non_negative(service_seconds)?;
    let turns = f64::from(workers) / server_count(slots)?;
    if workers == 0 {
        return non_negative(0.0 * alone_seconds);
    }
    non_negative(alone_seconds * turns.max(1.0))
}

/// Returns the *wrong* time for the same work: all N·K operations spread evenly over the slots, N·K·R/S.
///
/// It supposes that a worker may have many operations outstanding, and so promises a gain from slots that sequential
/// workers cannot use. It is here to be shown beside the right answer: the two agree from N = S on, and below that
/// this one is too short by the factor S/N.
pub fn pooled_operations_seconds(
    workers: u32,
    operations_per_worker: u32,
    slots: u32,
    service_seconds: f64,
) -> Option<f64> {
    let operations = f64::from(workers) * f64::from(operations_per_worker);
    non_negative(operations * non_negative(service_seconds)? / server_count(slots)?)
}

/// Returns how many service times an operation waits for its slot, max(0, N/S − 1).
///
/// What the queue time over the round-trip time of the per-operation lines in `/proc/self/mountstats` should show if
/// `workers` are always active and slots are what they wait for. Little 1961, with N − S waiting and S/R completing.
pub fn slot_wait_per_service(workers: u32, slots: u32) -> Option<f64> {
    Some((f64::from(workers) / server_count(slots)? - 1.0).max(0.0))
}

/// Returns the time until a backlog is gone if completions exceed arrivals by `spare_per_s`.
///
/// `None` also if there is a backlog and nothing to spare: it never drains.
pub fn backlog_drain_seconds(backlog: f64, spare_per_s: f64) -> Option<f64> {
    let (backlog, spare_per_s) = (non_negative(backlog)?, non_negative(spare_per_s)?);
    if backlog == 0.0 { Some(0.0) } else { non_negative(backlog / positive(spare_per_s)?) }
}

/// Returns the queue depth in which the last one waits `max_wait_seconds`, ⌈c·W/S⌉.
///
/// Anything deeper holds requests whose clients have left by the time they are served. `None` also for a service
/// time of zero, and if the depth does not fit.
pub fn queue_depth_for_wait(workers: u32, max_wait_seconds: f64, service_seconds: f64) -> Option<u32> {
    let completions = server_count(workers)? * non_negative(max_wait_seconds)?;
    ceil_to_u32(completions / positive(service_seconds)?)
}

/// A listen backlog for a burst, and whether it is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurstBacklog {
    /// The value to configure: a power of two, at most [`MAX_BACKLOG`].
    pub entries: u32,
    /// False if the burst needs more than [`MAX_BACKLOG`], so that some of it will be turned away.
    pub covers_burst: bool,
}

/// Returns the backlog that holds a burst while nobody accepts: burst × stall, rounded up to a power of two.
///
/// The accept queue must hold what arrives during the longest pause of the accepting process; the kernel compares it
/// with `sk_max_ack_backlog` (`sk_acceptq_is_full`, include/net/sock.h). A burst too large for an `f64` is `None`.
pub fn burst_backlog(burst_per_s: f64, stall_seconds: f64) -> Option<BurstBacklog> {
    let needed = non_negative(non_negative(burst_per_s)? * non_negative(stall_seconds)?)?;
    let entries = ceil_to_u32(needed.min(f64::from(MAX_BACKLOG)))?.next_power_of_two();
    Some(BurstBacklog { entries, covers_burst: needed <= f64::from(MAX_BACKLOG) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap();
        assert!((actual - expected).abs() <= 1e-12 * expected, "{actual} is not {expected}");
    }

    #[test]
    fn the_last_round_takes_as_long_as_a_full_one() {
        assert_close(batch_drain_seconds(16, 16, 0.02), 0.02);
        assert_close(batch_drain_seconds(17, 16, 0.02), 0.04);
        assert_eq!(batch_drain_seconds(0, 16, 0.02), Some(0.0));
        assert_close(batch_drain_fluid_seconds(17, 16, 0.02), 0.02125);
    }

    #[test]
    fn eleven_workers_in_sixteen_slots_take_as_long_as_one() {
        for workers in 1..=16 {
            assert_close(sequential_operations_seconds(workers, 180, 16, 0.020), 3.6);
        }
        assert_close(sequential_operations_seconds(50, 180, 16, 0.020), 11.25);
    }

    #[test]
    fn the_pooled_model_promises_what_sequential_workers_cannot_have() {
        assert_close(pooled_operations_seconds(11, 180, 16, 0.020), 2.475);
        assert_close(pooled_operations_seconds(50, 180, 16, 0.020), 11.25);
    }

    #[test]
    fn slot_waits_are_what_mountstats_would_show() {
        assert_eq!(slot_wait_per_service(11, 16), Some(0.0));
        assert_eq!(slot_wait_per_service(50, 16), Some(2.125));
    }

    #[test]
    fn a_backlog_without_spare_capacity_never_drains() {
        assert_close(backlog_drain_seconds(6000.0, 100.0), 60.0);
        assert_eq!(backlog_drain_seconds(1.0, 0.0), None);
        assert_eq!(backlog_drain_seconds(0.0, 0.0), Some(0.0));
    }

    #[test]
    fn depth_follows_the_wait_still_called_useful() {
        assert_eq!(queue_depth_for_wait(2048, 1.0, 0.2), Some(10_240));
        assert_eq!(queue_depth_for_wait(3, 0.1, 0.1), Some(3));
        assert_eq!(queue_depth_for_wait(3, 0.1, 0.09), Some(4));
        assert_eq!(queue_depth_for_wait(8, 0.0, 0.1), Some(0));
        assert_eq!(queue_depth_for_wait(8, 1e12, 0.1), None);
    }

    #[test]
    fn bursts_round_up_to_a_power_of_two_and_admit_the_cap() {
        let covered = |entries| Some(BurstBacklog { entries, covers_burst: true });
        assert_eq!(burst_backlog(2000.0, 0.5), covered(1024));
        assert_eq!(burst_backlog(2048.0, 0.5), covered(1024));
        assert_eq!(burst_backlog(2050.0, 0.5), covered(2048));
        assert_eq!(burst_backlog(0.0, 0.5), covered(1));
        assert_eq!(burst_backlog(16_384.0, 1.0), covered(16_384));
        let capped = Some(BurstBacklog { entries: 16_384, covers_burst: false });
        assert_eq!(burst_backlog(16_385.0, 1.0), capped);
        assert_eq!(burst_backlog(1e300, 1.0), capped);
    }

    #[test]
    fn invalid_input_has_no_answer() {
        assert_eq!(batch_drain_seconds(1, 0, 1.0), None);
        assert_eq!(batch_drain_seconds(1, 1, -1.0), None);
        assert_eq!(batch_drain_fluid_seconds(1, 1, f64::NAN), None);
        assert_eq!(sequential_operations_seconds(1, 1, 0, 1.0), None);
        assert_eq!(sequential_operations_seconds(0, 1, 1, f64::INFINITY), None);
        assert_eq!(sequential_operations_seconds(u32::MAX, u32::MAX, 1, f64::MAX), None);
        assert_eq!(pooled_operations_seconds(1, 1, 0, 1.0), None);
        assert_eq!(slot_wait_per_service(1, 0), None);
        assert_eq!(backlog_drain_seconds(-1.0, 1.0), None);
        assert_eq!(queue_depth_for_wait(0, 1.0, 1.0), None);
        assert_eq!(queue_depth_for_wait(1, 1.0, 0.0), None);
        assert_eq!(burst_backlog(-1.0, 1.0), None);
        assert_eq!(burst_backlog(1e300, 1e300), None);
    }

    proptest! {
        #[test]
        fn fluid_is_below_rounds_by_less_than_one_service(
            jobs in 0..1_000_000_u32, servers in 1..10_000_u32, service in 1e-6..100.0_f64,
        ) {
            let rounds = batch_drain_seconds(jobs, servers, service).unwrap();
            let fluid = batch_drain_fluid_seconds(jobs, servers, service).unwrap();
            prop_assert!(fluid <= rounds * (1.0 + 1e-12));
            prop_assert!(rounds - fluid < service * (1.0 + 1e-6));
        }

        #[test]
        fn the_right_model_is_never_shorter_than_the_wrong_one(
            workers in 1..1000_u32, operations in 1..1000_u32, slots in 1..1000_u32, service in 1e-6..10.0_f64,
        ) {
            let right = sequential_operations_seconds(workers, operations, slots, service).unwrap();
            let wrong = pooled_operations_seconds(workers, operations, slots, service).unwrap();
            let factor = (f64::from(slots) / f64::from(workers)).max(1.0);
            prop_assert!((right / wrong / factor - 1.0).abs() < 1e-12);
            let waits = slot_wait_per_service(workers, slots).unwrap();
            let alone = f64::from(operations) * service;
            prop_assert!((right / (alone * (1.0 + waits)) - 1.0).abs() < 1e-12);
        }

        #[test]
        fn the_last_in_a_queue_of_that_depth_waits_no_less_and_hardly_more(
            workers in 1..5000_u32, wait in 0.001..10.0_f64, service in 0.001..10.0_f64,
        ) {
            let depth = f64::from(queue_depth_for_wait(workers, wait, service).unwrap());
            let one_place = service / f64::from(workers);
            prop_assert!(depth * one_place >= wait * (1.0 - 1e-12));
            prop_assert!((depth - 1.0) * one_place < wait);
        }

        #[test]
        fn a_burst_backlog_is_a_power_of_two_less_than_twice_the_need(burst in 1.0..1e6_f64, stall in 0.001..10.0_f64) {
            let backlog = burst_backlog(burst, stall).unwrap();
            prop_assert!(backlog.entries.is_power_of_two() && backlog.entries <= MAX_BACKLOG);
            prop_assert_eq!(backlog.covers_burst, burst * stall <= f64::from(MAX_BACKLOG));
            if backlog.covers_burst {
                prop_assert!(f64::from(backlog.entries) >= burst * stall * (1.0 - 1e-12));
                prop_assert!(f64::from(backlog.entries) < 2.0 * (burst * stall).max(1.0).ceil());
            }
        }
    }
}
