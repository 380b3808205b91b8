//! A line of sysctl.d(5) that does harm at the next boot, and not yet.

use model::{Missing, Observation, Outcome, Remedy, Severity};

use crate::settings::edits;
use crate::settings::lines::{assignments, bare, first_and_more, in_effect, place, seen};
use crate::settings::{Facts, Persisted};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "settings.dangerous-at-boot",
    title: "A dangerous line of sysctl.d waits for the next boot",
    explains: &[],
    refutes: &[],
    document: include_str!("dangerous_at_boot.md"),
    test,
};

/// A value that does harm, and the harm.
struct Danger {
    key: &'static str,
    is: fn(&str) -> bool,
    harm: &'static str,
}

const DANGERS: [Danger; 4] = [
    Danger {
        key: "net.ipv4.tcp_orphan_retries",
        is: |value| value.parse().is_ok_and(|retries: u32| (1..4).contains(&retries)),
        harm: "a client that is unreachable for a second loses the rest of its response",
    },
    Danger {
        key: "net.ipv4.tcp_fastopen_key",
        is: |value| value == "zero",
        harm: "anyone can compute the cookies of TCP Fast Open",
    },
    Danger {
        key: "net.ipv4.ip_local_port_range",
        is: |value| {
            value.split(' ').next().and_then(|low| low.parse().ok()).is_some_and(|low: u32| low < LOW_PORT)
        },
        harm: "an outgoing connection can take the port of a service before it starts",
    },
    Danger {
        key: "net.core.optmem_max",
        is: |value| value.parse().is_ok_and(|bytes: u64| bytes >= 1 << 20),
        harm: "any user can pin that much kernel memory with each socket",
    },
];

/// Below it lie the ports of common services: 3306, 6379, 8080, 9000.
const LOW_PORT: u32 = 10_240;
const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let persisted = assignments(evidence)?;
    let waiting: Vec<_> = DANGERS
        .iter()
        .filter_map(|danger| Some((danger, line(&evidence.settings, persisted, danger)?)))
        .collect();
    if waiting.is_empty() {
        return Ok(Outcome::ruled_out(
            "no line of the files is known to do harm that the kernel does not do yet",
        ));
    }
    let told =
        |(danger, entry): &(&Danger, &Persisted)| format!("{} {}: {}", place(entry), danger.key, danger.harm);
    let summary = first_and_more(waiting.iter().map(told).collect());
    let blind = waiting.iter().find(|(danger, _)| evidence.settings.value(danger.key).is_none());
    let outcome = match blind {
        Some((danger, _)) if waiting.len() == 1 => Outcome::consistent(Severity::Latent, summary).lacks(
            Missing::new(format!("{} in /proc/sys", danger.key), "this kernel may not have it; run as root"),
        ),
        _ => Outcome::confirmed(Severity::Latent, summary),
    };
    let outcome = outcome.remedy(remedy(persisted, &waiting));
    Ok(waiting.iter().fold(outcome, |outcome, (danger, entry)| {
        let now = evidence.settings.value(danger.key).map(str::to_owned);
        outcome.seen(seen(entry)).seen_all(now.map(|now| Observation::new("/proc/sys", danger.key, now)))
    }))
}

/// The line that sets a dangerous value, unless the kernel has such a value already: other causes judge that.
fn line<'a>(settings: &Facts, persisted: &'a [Persisted], danger: &Danger) -> Option<&'a Persisted> {
    let entry = in_effect(persisted, danger.key).filter(|entry| (danger.is)(&bare(&entry.value)))?;
    let reserved = in_effect(persisted, RESERVED).is_some_and(|entry| !bare(&entry.value).is_empty());
    let excused = danger.key == RANGE && reserved;
    let live = settings.value(danger.key).is_some_and(|value| (danger.is)(&bare(value)));
    (!excused && !live).then_some(entry)
}

/// Every line with such a value goes: a former one would have effect once the last is gone.
fn remedy(persisted: &[Persisted], waiting: &[(&Danger, &Persisted)]) -> Remedy {
    let dangerous = |entry: &&Persisted| {
        !entry.not_read
            && waiting.iter().any(|(danger, _)| danger.key == entry.key && (danger.is)(&bare(&entry.value)))
    };
    let lines: Vec<_> = persisted.iter().filter(dangerous).collect();
    let places = waiting.iter().map(|(_, entry)| format!("Delete {}", place(entry))).collect();
    let keys: Vec<_> = waiting.iter().map(|(danger, _)| danger.key).collect();
    let moves = match keys.as_slice() {
        [key] => format!("{key} stays what it is over the next boot"),
        keys => format!("{} stay what they are over the next boot", keys.join(", ")),
    };
    let changes = edits::delete(persisted, &lines, "the kernel's own value is safe").into_iter();
    let changes = changes.map(|change| change.risks("none: the value has no effect yet"));
    changes.fold(Remedy::new(first_and_more(places), moves), Remedy::change)
}
