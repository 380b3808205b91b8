//! A queue that never empties, in which every packet waits its turn.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::qdisc::per_flow;
use crate::qdisc::rates::{Root, roots};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.standing-queue",
    title: "Small answers wait behind large ones in a queue that never empties",
    explains: &[],
    refutes: &[],
    document: include_str!("standing_queue.md"),
    test,
};

/// A queue that stands for longer than this holds more than any path can use: `interval` of CoDel, the longest round trip
/// that it takes for usual (RFC 8289, section 4.3).
const LONG_S: f64 = 0.1;
/// Below this a queue is what a burst leaves: four times the `target` of CoDel.
const SHORT_S: f64 = 0.02;
/// Fewer packets than this are no queue, however slow the link.
const LEAST_PACKETS: u64 = 8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let roots = roots(evidence)?;
    let standing = roots.iter().filter(|root| root.least_backlog >= LEAST_PACKETS && root.kind() != "netem");
    let (shared, apart): (Vec<_>, Vec<_>) = standing.partition(|root| !root.queues_per_flow());
    let longest = |roots: Vec<_>| {
        let waits = roots.into_iter().filter_map(|root: &Root| Some((root, root.least_wait_s()?)));
        waits.max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let Some((root, wait)) = longest(shared) else {
        let summary = match longest(apart) {
            Some((root, wait)) => {
                format!("{}, and lets new and sparse flows go first", line(root, wait))
            }
            None => "no queue stood at every reading".to_owned(),
        };
        return Ok(Outcome::ruled_out(summary));
    };
    Ok(judge(evidence, root, wait).seen_all(observations(root, wait)))
}

fn judge(evidence: &Evidence, root: &Root, wait: f64) -> Outcome {
    let line = line(root, wait);
    if wait < SHORT_S {
        return Outcome::ruled_out(line);
    }
    if wait < LONG_S || !root.is_first_in_first_out() {
        return Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "how long small answers wait",
            "time small requests while large transfers run, and while none does",
        ));
    }
    Outcome::confirmed(Severity::Limiting, line).remedy(per_flow::remedy(evidence, root, "wait", &ms(wait)))
}

fn line(root: &Root, wait: f64) -> String {
    let (kinds, interface, queued) = (root.kinds(), &root.qdisc.interface, root.least_backlog);
    format!("{kinds} of {interface} holds at least {queued} packets, {} of what it sends", ms(wait))
}

fn ms(seconds: f64) -> String {
    format!("{} ms", number_text((seconds * 1000.0).round()))
}

fn observations(root: &Root, wait: f64) -> Vec<Observation> {
    let name = &root.qdisc.interface;
    let seen =
        |field: &str, value: f64| Observation::new("RTM_GETQDISC", format!("{name} {field}"), value.round());
    let least = Observation::new("RTM_GETQDISC", format!("{name} backlog, least"), root.least_backlog_bytes);
    vec![
        least.unit("bytes"),
        seen("bytes", root.bytes_per_s).unit("/s"),
        seen("backlog / bytes sent per second", wait * 1000.0).unit("ms"),
    ]
}
