//! A TCP accept queue that overflows.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::samples::ListenerDepth;
use crate::sockets::{Facts, counters, queues};
use crate::{Cause, Evidence, Span};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.accept-queue-overflow",
    title: "A TCP accept queue overflows",
    explains: &["sockets.connections-refused"],
    refutes: &[],
    document: include_str!("accept_queue_overflow.md"),
    test,
};

/// From so many on, the times at which a queue was found full are taken for bursts.
const BURSTS_TOLD_APART: u32 = 3;
const OVERFLOWS: &str = "TcpExt.ListenOverflows";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.sockets)?;
    let overflows = counters::per_second(&span, OVERFLOWS);
    let sampled = queues::sampled(evidence, false);
    let depths = sampled.as_deref().unwrap_or_default();
    let nearest = depths.iter().copied().filter(|depth| queues::was_full(depth) || queues::was_near(depth));
    let nearest = nearest.min_by(|a, b| overflow_order(a).total_cmp(&overflow_order(b)));
    let outcome = match (&overflows, nearest) {
        (Ok(per_s), _) if *per_s > 0.0 => overflowing(evidence, &span, depths, *per_s),
        (overflows, Some(depth)) => near(depth, overflows.as_ref().err()),
        (Ok(_), None) => Outcome::ruled_out(idle_line(depths)),
        (Err(missing), None) => return Err(missing.clone()),
    };
    let seen = overflows.ok().map(|per_s| counters::seen_per_second(OVERFLOWS, per_s));
    let seen_depths = depths.iter().filter(|depth| depth.most > 0).take(4);
    let outcome = outcome.seen_all(seen).seen_all(seen_depths.flat_map(|depth| queues::observations(depth)));
    Ok(match sampled.err() {
        Some(missing) if outcome.verdict == model::Verdict::Confirmed => outcome.lacks(missing),
        _ => outcome,
    })
}

/// Orders queues by how near they are to overflowing, nearest first.
fn overflow_order(depth: &ListenerDepth) -> f64 {
    queues::overflows_at_times(depth) - depth.full_share
}

fn idle_line(depths: &[&ListenerDepth]) -> String {
    match depths.first() {
        Some(depth) if depth.most > 0 => format!("nothing turned away; deepest {}", queues::line(depth)),
        _ => "nothing turned away, no queue held a connection".to_owned(),
    }
}

fn near(depth: &ListenerDepth, missing: Option<&Missing>) -> Outcome {
    let times = number_text((queues::overflows_at_times(depth).max(1.0) * 10.0).round() / 10.0);
    let outcome = Outcome::consistent(
        Severity::Latent,
        format!("{}; overflows at {times}× this depth", queues::line(depth)),
    );
    outcome.lacks(missing.cloned().unwrap_or_else(|| {
        Missing::new(
            "growth of TcpExt.ListenOverflows",
            "none so far: watch it over a longer window, at the busiest hour",
        )
    }))
}

fn overflowing(evidence: &Evidence, span: &Span<Facts>, depths: &[&ListenerDepth], per_s: f64) -> Outcome {
    let full: Vec<_> = depths.iter().copied().filter(|depth| queues::was_full(depth)).collect();
    let lost = format!("{}/s turned away", number_text(per_s));
    let only = if depths.len() == 1 { depths.first().copied() } else { None };
    match full.first().copied().or(only) {
        Some(depth) => {
            let outcome = Outcome::confirmed(Severity::Breaking, format!("{}; {lost}", queues::line(depth)));
            let named = if full.is_empty() { vec![depth] } else { full.clone() };
            let remedies = queues::remedies(&named, |depth| Some(longer(evidence, span, depth, per_s)));
            remedies.into_iter().fold(outcome, Outcome::remedy)
        }
        None => Outcome::confirmed(Severity::Breaking, format!("{lost}, by a queue that no sample saw full"))
            .lacks(Missing::new(
                "which listen queue it is",
                "sample longer (`narrows check --for 60s`), or watch Recv-Q in `ss -ltn` during a burst",
            )),
    }
}

/// How many connections each burst lost, where bursts were told apart. Each try of a client counts, so that it is not too few.
fn turned_away_per_burst(window_s: f64, depth: &ListenerDepth, lost_per_s: f64) -> Option<f64> {
    (depth.times_full >= BURSTS_TOLD_APART).then(|| lost_per_s * window_s / f64::from(depth.times_full))
}

fn longer(evidence: &Evidence, span: &Span<Facts>, depth: &ListenerDepth, lost_per_s: f64) -> Remedy {
    let taken_per_s = counters::per_second(span, "Tcp.PassiveOpens").ok().filter(|per_s| *per_s > 0.0);
    let held = f64::from(depth.most.max(depth.backlog.unwrap_or(0).saturating_add(1)));
    let inputs = |target: Derived| {
        target
            .input(
                "deepest",
                number_text(held),
                "inet_diag Recv-Q, or the queue's places where no sample saw it full",
            )
            .input(
                "turned away",
                format!("{}/s", number_text(lost_per_s)),
                "/proc/net/netstat ListenOverflows",
            )
    };
    let (wanted, target) = match taken_per_s {
        Some(taken_per_s) => {
            let (burst_per_s, stall_s) = (taken_per_s + lost_per_s, held / taken_per_s);
            let steady = burst_per_s * stall_s;
            let per_burst = turned_away_per_burst(span.seconds, depth, lost_per_s);
            let wanted = queues::power_of_two(steady.max(held + per_burst.unwrap_or(1.0)));
            let formula = match per_burst {
                Some(per_burst) if held + per_burst > steady => {
                    "power of two ≥ deepest + turned away in each burst, at most 16384"
                }
                _ => {
                    "power of two ≥ burst × stall, at most 16384; burst = taken + turned away, stall = deepest / taken"
                }
            };
            let target = Derived::new(wanted, formula)
                .input("taken", format!("{}/s", number_text(taken_per_s)), "/proc/net/snmp PassiveOpens")
                .input("stall", format!("{} ms", number_text((stall_s * 1000.0).round())), "deepest / taken");
            (wanted, target)
        }
        None => {
            let wanted = queues::power_of_two(held * 2.0);
            (wanted, Derived::new(wanted, "power of two ≥ 2 × deepest, at most 16384"))
        }
    };
    queues::longer(evidence, depth, wanted, inputs(target))
}
