use std::time::Duration;

use prove::load::{Arrivals, Second};

use super::*;

fn spec() -> LoadSpec {
    LoadSpec {
        requests: Vec::new(),
        protocol: Protocol::Http1,
        keep_alive: true,
        arrivals: Arrivals { per_s: 50.0, process: Process::Constant, seed: 1 },
        warm_up: Duration::from_secs(2),
        duration: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        most_connections: 1024,
        verify_certificates: true,
    }
}

fn result() -> LoadResult {
    let mut result = LoadResult {
        seconds: 10.0,
        offered: 500,
        good: 498,
        statuses: [(200, 498)].into(),
        failures: [("timed out".to_owned(), 2)].into(),
        connections: 12,
        body_bytes: 512_000,
        generator_cpu_s: 0.25,
        generator_wait_s: Some(0.05),
        generator_threads: 1,
        goodput_per_s: 49.8,
        by_second: vec![Second { offered: 50, good: 50, answered: 50 }; 10],
        ..LoadResult::default()
    };
    for _ in 0..498 {
        result.latency.record(Duration::from_micros(8_000));
        result.service.record(Duration::from_micros(7_900));
        result.lag.record(Duration::from_micros(100));
    }
    result
}

fn rendered(result: &LoadResult) -> String {
    let text = load(&Offered {
        address: "https://shop.example/",
        spec: &spec(),
        skipped: Some(Skipped { other_methods: 3, ..Skipped::default() }),
        result,
        machine_busy_share: Some(0.125),
        was_ended_early: false,
    });
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn a_load_is_told_in_lines_of_at_most_100_columns() {
    let wanted = "\
https://shop.example/: 50 requests/s for 10 s after 2 s of warm-up, HTTP/1.1, at most 1024
  connections
  The mix of 0 requests of the log, in its order; left out: 3 of other methods than GET and HEAD

  due        500
  good       498 (99.6 %), 49.8/s carried
  answers    498 × 200
  failed     2 timed out

                   p50       p90       p99     p99.9       max   ms
  latency         8.00      8.00      8.00      8.00      8.00   good answers, from when they were due
  service         7.90      7.90      7.90      7.90      7.90   good answers, from when they were taken up
  lag             0.10      0.10      0.10      0.10      0.10   from due to taken up

  opened     12 connections, 512.0 kB of bodies
  generator  0.25 s of CPU, 3 % of its 1 thread including waits for a CPU
  machine    12.5 % of its CPU time used; 50 to 50 good answers in a second
";
    assert_eq!(rendered(&result()), wanted);
}

#[test]
fn a_generator_at_its_limit_says_from_which_rate_on_the_figures_are_its_own() {
    let mut late = result();
    (late.generator_cpu_s, late.goodput_per_s) = (9.9, 48_000.0);
    late.lag.record(Duration::from_millis(900));
    let text = rendered(&late).replace('\n', " ");
    assert!(text.contains("The generator was late"), "{text}");
    assert!(text.contains("48000/s are the generator's"), "{text}");
}

#[test]
fn a_share_of_nearly_all_is_not_all() {
    assert_eq!(percent(0.9999), "99.9 %");
    assert_eq!(percent(1.0), "100 %");
    assert_eq!(percent(0.041), "4.1 %");
}
