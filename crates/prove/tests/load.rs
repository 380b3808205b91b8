//! Open-loop load against servers that stall, refuse, break off or lie.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prove::load::{Process, Protocol, run, run_until};
use support::{Manner, Server, assert_all_failed, assert_is_whole, load, offer};

#[test]
fn requests_are_due_on_time_and_all_are_answered() {
    let server = Server::start(Manner::Answer);
    let mut spec = load(&server.url(), 500.0, 1000);
    spec.warm_up = Duration::from_millis(200);
    let result = offer(&spec);
    assert_eq!((result.offered, result.good), (500, 500));
    assert_eq!(server.requests(), 600, "the warm-up is sent, and not counted");
    assert_eq!(result.body_bytes, 500 * 5);
    assert!(result.connections <= 10);
    assert!(result.generator_cpu_s > 0.0);
    spec.arrivals.process = Process::Poisson;
    assert!(offer(&spec).offered > 0);
}

/// Of 400 requests, 150 are due while the server stalls. A generator that waits for its ten connections would show ten
/// slow requests, 2.5 %; here those that were due meanwhile are slow, as the visitors behind them would find them.
#[test]
fn a_stall_shows_in_the_latency_of_all_requests_that_were_due_in_it() {
    let server = Server::start(Manner::Answer);
    let spec = load(&server.url(), 200.0, 2000);
    let mut closed_at = None;
    let result = run(&spec, &mut |progress| match closed_at {
        None if progress.offered >= 100 => {
            server.set_open(false);
            closed_at = Some(progress.offered);
        }
        Some(closed_at) if progress.offered >= closed_at + 150 => server.set_open(true),
        _ => {}
    })
    .unwrap();
    assert_is_whole(&result);
    assert_eq!((result.offered, result.good), (400, 400), "nothing is lost: {:?}", result.failures);
    let quantile = |q| result.latency.quantile_ms(q).unwrap();
    assert!(quantile(0.8) > 200.0 && quantile(1.0) > 500.0, "{:?}", (quantile(0.8), quantile(1.0)));
    assert!(result.lag.quantile_ms(0.8).unwrap() > 100.0, "they waited for a connection");
}

#[test]
fn a_port_that_nobody_listens_on_refuses() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let result = offer(&load(&format!("http://{address}/"), 100.0, 500));
    assert_all_failed(&result, "connection refused");
    assert_eq!((result.failed_share(), result.goodput_per_s), (Some(1.0), 0.0));
    assert_eq!(result.lag.count(), result.offered, "they were taken up, though in vain");
}

#[test]
fn what_is_no_answer_is_told_apart() {
    for (manner, failure) in [
        (Manner::Tear, "closed without a whole answer"),
        (Manner::Babble, "not an HTTP answer"),
        (Manner::Reset, "connection reset"),
    ] {
        let server = Server::start(manner);
        assert_all_failed(&offer(&load(&server.url(), 50.0, 400)), failure);
    }
}

#[test]
fn an_error_status_is_counted_and_is_not_good() {
    let server = Server::start(Manner::Unavailable);
    let result = offer(&load(&server.url(), 50.0, 400));
    assert_eq!((result.good, result.statuses.get(&503)), (0, Some(&20)));
    assert_eq!(result.latency.count(), 0);
}

#[test]
fn a_connection_that_the_server_closed_is_replaced_and_no_request_is_lost() {
    let server = Server::start(Manner::AnswerAndClose);
    let result = offer(&load(&server.url(), 100.0, 1000));
    assert_eq!((result.offered, result.good), (100, 100), "{:?}", result.failures);
    assert!(result.connections >= 100);
}

#[test]
fn time_is_over_counted_from_when_a_request_was_due_whether_it_could_be_sent_or_not() {
    let server = Server::start(Manner::KeepSilent);
    let mut spec = load(&server.url(), 50.0, 1000);
    spec.timeout = Duration::from_millis(300);
    spec.most_connections = 1;
    let result = offer(&spec);
    let count = |failure: &str| result.failures.get(failure).copied().unwrap_or_default();
    assert!(count("timed out") >= 1, "{:?}", result.failures);
    assert_eq!(count("timed out") + count("never sent"), 50);
    assert!(server.requests() <= count("timed out"), "what was never sent was not sent");
}

#[test]
fn a_load_that_is_ended_early_counts_what_it_did_not_wait_for() {
    let server = Server::start(Manner::KeepSilent);
    let stop = Arc::new(AtomicBool::new(false));
    let result = run_until(&load(&server.url(), 100.0, 600_000), &stop, &mut |progress| {
        stop.store(progress.outstanding > 0, Ordering::Relaxed);
    })
    .unwrap();
    assert_is_whole(&result);
    assert!(result.seconds < 600.0);
    assert!(result.failures.contains_key("outstanding at the end"), "{:?}", result.failures);
}

#[test]
fn what_cannot_be_offered_is_an_error_that_says_what_to_do() {
    let error = |url: &str| run(&load(url, 1.0, 10), &mut |_| {}).unwrap_err().to_string();
    assert!(error("http://a..b/").contains("name not resolved"), "{}", error("http://a..b/"));
    assert!(error("shop.example").contains("http://"));
    let mut spec = load("http://127.0.0.1:1/", 1.0, 10);
    spec.requests.push(load("http://127.0.0.1:2/", 1.0, 10).requests.remove(0));
    assert!(run(&spec, &mut |_| {}).unwrap_err().to_string().contains("more than one server"));
    spec.requests.clear();
    assert!(run(&spec, &mut |_| {}).is_err());
    spec = load("http://127.0.0.1:1/", 1.0, 10);
    (spec.protocol, spec.keep_alive) = (Protocol::Http2, false);
    assert!(run(&spec, &mut |_| {}).is_err());
}
