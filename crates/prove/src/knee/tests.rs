use std::convert::Infallible;
use std::time::Duration;

use super::*;
use crate::load::Second;

const SECONDS: u64 = 10;
const WARM_UP_S: f64 = 2.0;

fn search() -> Search {
    let limits = Limits { failed_share: 0.01, p99_ms: None, most_connections: 1024 };
    Search { from_per_s: 20.0, most_per_s: 5_000.0, limits }
}

/// When each of `servers` is free again.
struct Pool {
    free_at_s: Vec<f64>,
    service_s: f64,
}

impl Pool {
    fn new(servers: usize, service_s: f64) -> Self {
        Self { free_at_s: vec![0.0; servers], service_s }
    }

    fn first_free(&mut self) -> &mut f64 {
        self.free_at_s.iter_mut().min_by(|a, b| a.total_cmp(b)).unwrap()
    }

    /// Serves what comes at an instant; gives when it is done.
    fn serve(&mut self, at_s: f64) -> f64 {
        let service_s = self.service_s;
        let free = self.first_free();
        *free = free.max(at_s) + service_s;
        *free
    }
}

/// Offers requests at equal distances, first for a warm-up; `done` says when each is answered, or that it is not.
fn simulate(rate: f64, mut done: impl FnMut(f64) -> Option<f64>) -> LoadResult {
    let mut result = LoadResult { seconds: SECONDS as f64, generator_threads: 1, ..LoadResult::default() };
    result.by_second = vec![Second::default(); SECONDS as usize];
    let due = (rate * (WARM_UP_S + SECONDS as f64)).round() as u64;
    for at_s in (0..due).map(|index| index as f64 / rate) {
        let second = |at_s: f64| (at_s >= WARM_UP_S).then_some((at_s - WARM_UP_S) as usize);
        let counted = second(at_s);
        result.offered += u64::from(counted.is_some());
        counted
            .and_then(|at| result.by_second.get_mut(at))
            .into_iter()
            .for_each(|second| second.offered += 1);
        let Some(done_s) = done(at_s) else { continue };
        let answered = second(done_s).and_then(|at| result.by_second.get_mut(at));
        answered.into_iter().for_each(|second| second.answered += 1);
        if counted.is_some() {
            result.good += 1;
            result.latency.record(Duration::from_secs_f64(done_s - at_s));
        }
    }
    let answered: u64 = result.by_second.iter().map(|second| second.answered).sum();
    result.goodput_per_s = answered as f64 / result.seconds;
    result
}

fn found(mut offer: impl FnMut(f64) -> LoadResult) -> Knee {
    find::<Infallible>(&search(), &mut |rate| Ok(offer(rate))).unwrap()
}

fn within(share: f64, wanted: f64, knee: &Knee) {
    let carried = knee.carried_per_s.unwrap();
    assert!((carried / wanted - 1.0).abs() <= share, "{carried} of {wanted}: {:?}", knee.steps);
}

#[test]
fn a_queue_before_a_pool_has_its_knee_at_servers_by_service_time() {
    for (servers, service_s) in [(8, 0.04), (1, 0.01), (60, 0.5)] {
        let knee = found(|rate| {
            let mut pool = Pool::new(servers, service_s);
            simulate(rate, |at_s| Some(pool.serve(at_s)))
        });
        let capacity = servers as f64 / service_s;
        within(0.05, capacity, &knee);
        assert_eq!(knee.end, End::Stack);
        let plateau = knee.plateau_per_s.unwrap();
        assert!((plateau / capacity - 1.0).abs() < 0.06, "{plateau} of {capacity}");
    }
}

#[test]
fn a_pool_that_turns_away_what_it_cannot_serve_at_once_has_its_knee_where_failures_begin() {
    let knee = found(|rate| {
        let mut pool = Pool::new(10, 0.1);
        simulate(rate, |at_s| {
            let free = *pool.first_free() <= at_s;
            free.then(|| pool.serve(at_s))
        })
    });
    within(0.05, 100.0, &knee);
    assert!(knee.steps.iter().any(|step| step.reasons.contains(&Reason::Failures)));
}

#[test]
fn a_queue_that_overflows_while_its_server_is_away_shows_in_latency() {
    let knee = found(|rate| {
        let (mut away, mut waiting) = (0, 0);
        simulate(rate, |at_s| {
            let (turn, into_s) = ((at_s / 2.0) as u64, at_s % 2.0);
            if away != turn {
                (away, waiting) = (turn, 0);
            }
            if into_s >= 0.4 {
                return Some(at_s + 0.001);
            }
            waiting += 1;
            let back_s = at_s - into_s + 0.4;
            Some(if waiting <= 65 { back_s } else { back_s + 1.0 })
        })
    });
    within(0.12, 162.5, &knee);
    assert!(knee.steps.iter().any(|step| step.reasons == [Reason::Latency]), "{:?}", knee.steps);
}

#[test]
fn one_step_that_a_neighbour_disturbs_does_not_move_the_knee() {
    let mut step = 0;
    let knee = found(|rate| {
        step += 1;
        let mut pool = Pool::new(8, if step == 3 { 0.4 } else { 0.04 });
        simulate(rate, |at_s| Some(pool.serve(at_s)))
    });
    within(0.05, 200.0, &knee);
    assert!(!knee.steps[2].is_carried() && knee.steps[3].is_carried());
}

#[test]
fn a_generator_without_cpu_left_is_the_limit_and_not_the_stack() {
    let knee = found(|rate| {
        let mut result = simulate(rate, |at_s| (rate <= 1000.0).then_some(at_s + 0.001));
        result.generator_cpu_s = (rate / 1000.0).min(1.0) * result.seconds;
        result
    });
    assert_eq!(knee.end, End::Generator);
    within(0.05, 1000.0, &knee);
}

#[test]
fn requests_sent_late_while_connections_are_free_are_the_generators_fault() {
    let late = |connections| {
        let mut result = simulate(100.0, |_| None);
        result.connections = connections;
        (0..100).for_each(|_| result.lag.record(Duration::from_millis(80)));
        Step::judge(100.0, &result, &search().limits, None).generator_was_the_limit
    };
    assert!(late(10) && !late(1024), "with all connections in use the stack is slow");
}

#[test]
fn a_stack_that_carries_all_that_was_asked_for_has_no_known_knee() {
    let knee = found(|rate| simulate(rate, |at_s| Some(at_s + 0.001)));
    assert_eq!((knee.end, knee.carried_per_s, knee.failed_per_s), (End::Most, Some(5_000.0), None));
}

#[test]
fn a_stack_that_does_not_carry_the_first_rate_has_no_knee_above_it() {
    let knee = found(|rate| simulate(rate, |_| None));
    assert_eq!((knee.end, knee.carried_per_s, knee.failed_per_s), (End::First, None, Some(20.0)));
    assert_eq!(knee.steps.len(), 2, "it was tried twice");
}

#[test]
fn a_load_that_cannot_be_offered_ends_the_search() {
    let result = find(&search(), &mut |_| Err("no such name"));
    assert_eq!(result.unwrap_err(), "no such name");
}
