//! A Unix socket's accept queue that overflows.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::samples::ListenerDepth;
use crate::sockets::{daemons, queues};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.unix-queue-overflow",
    title: "A Unix socket's accept queue overflows",
    explains: &["sockets.connections-refused"],
    refutes: &[],
    document: include_str!("unix_queue_overflow.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let depths = queues::sampled(evidence, true)?;
    let by_distance = |a: &&&ListenerDepth, b: &&&ListenerDepth| {
        queues::overflows_at_times(a).total_cmp(&queues::overflows_at_times(b))
    };
    let full: Vec<_> = depths.iter().copied().filter(|depth| queues::was_full(depth)).collect();
    let near = depths.iter().filter(|depth| queues::was_near(depth)).min_by(by_distance);
    let outcome = match (full.first(), near) {
        (Some(worst), _) => {
            let summary = format!("{}; connect() fails with errno 11", queues::line(worst));
            let remedies = queues::remedies(&full, |depth| longer(evidence, depth));
            remedies.into_iter().fold(Outcome::confirmed(Severity::Breaking, summary), Outcome::remedy)
        }
        (None, Some(depth)) => consistent(depth),
        (None, None) => not_deep(&depths)?,
    };
    let seen = depths.iter().filter(|depth| depth.most > 0).take(4);
    Ok(outcome.seen_all(seen.flat_map(|depth| queues::observations(depth))))
}

fn not_deep(depths: &[&ListenerDepth]) -> Result<Outcome, Missing> {
    if let Some(depth) = depths.iter().find(|depth| depth.backlog.is_none() && depth.most > 0) {
        return Err(Missing::new(
            format!("the limit of the queue of {}, which held {}", depth.local, depth.most),
            "the kernel's unix_diag module gives it: load it with `modprobe unix_diag`, and read again",
        ));
    }
    Ok(Outcome::ruled_out(match depths.first() {
        None => "no Unix socket listens".to_owned(),
        Some(deepest) => format!("no Unix queue half full; deepest {}", queues::line(deepest)),
    }))
}

fn consistent(depth: &ListenerDepth) -> Outcome {
    let times = number_text((queues::overflows_at_times(depth) * 10.0).round() / 10.0);
    Outcome::consistent(Severity::Latent, format!("{}; overflows at {times}× this depth", queues::line(depth)))
        .lacks(Missing::new(
            "a sample that sees it full",
            "no kernel counter exists: sample longer at the busiest hour, or look for “(11: Resource temporarily unavailable)” in nginx's error log",
        ))
}

/// Where it is known how long requests take, no longer than they are worth waiting for.
fn longer(evidence: &Evidence, depth: &ListenerDepth) -> Option<Remedy> {
    if let Some((wanted, target)) = daemons::useful_backlog(evidence, &depth.local) {
        let short = depth.backlog.is_none_or(|backlog| u64::from(backlog) < wanted);
        return short.then(|| queues::longer(evidence, depth, wanted, target));
    }
    let wanted = queues::power_of_two(f64::from(depth.most) * 2.0);
    let target = Derived::new(wanted, "power of two ≥ 2 × deepest, at most 16384")
        .input("deepest", depth.most, "unix_diag")
        .input("full", format!("{:.0} %", depth.full_share * 100.0), "unix_diag");
    Some(queues::longer(evidence, depth, wanted, target))
}
