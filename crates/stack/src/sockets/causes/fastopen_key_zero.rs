//! A key of TCP Fast Open that everybody knows.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::settings::lines::{assignments, in_effect, place, seen};
use crate::settings::{Persisted, edits};
use crate::sockets::parameters;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.fastopen-key-zero",
    title: "The key of TCP Fast Open is all zeros",
    explains: &[],
    refutes: &[],
    document: include_str!("fastopen_key_zero.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_fastopen_key";
const SETTING: &str = "net.ipv4.tcp_fastopen";
/// The bit of `tcp_fastopen` that lets listeners take part.
const SERVER: i64 = 2;
const PASSIVE: &str = "TcpExt.TCPFastOpenPassive";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let live = evidence.settings.value(KEY);
    if live.is_some_and(|key| key != "zero") {
        return Ok(
            Outcome::ruled_out("the key in use is not all zeros").seen_all(parameters::seen(evidence, KEY))
        );
    }
    let written = assignments(evidence)
        .map(|persisted| in_effect(persisted, KEY).filter(|entry| entry.value == "zero"));
    if let Ok(Some(entry)) = written {
        let summary = format!("{} sets a key of zeros: anyone can compute this host's cookies", place(entry));
        return Ok(found(evidence, summary, Some(entry)));
    }
    let Some(live) = live else {
        return Err(Missing::new(
            format!("{KEY} in /proc/sys"),
            "only root may read it: run narrows as root",
        ));
    };
    let taken = evidence.latest(|reading| &reading.sockets)?.counters.get(PASSIVE).copied();
    match (taken, written) {
        (Some(1..), _) => Ok(found(
            evidence,
            "a key of zeros is in use: anyone can compute this host's cookies".to_owned(),
            None,
        )),
        (_, Err(missing)) => Err(missing),
        (None, _) => {
            Err(Missing::new(PASSIVE, "this kernel or container does not count it; read the host itself"))
        }
        (Some(0), _) => Ok(Outcome::ruled_out("no key was made yet: nothing has used TCP Fast Open")
            .seen(Observation::new("/proc/sys", KEY, live))),
    }
}

fn found(evidence: &Evidence, summary: String, entry: Option<&Persisted>) -> Outcome {
    let serves = evidence.settings.number(SETTING).is_none_or(|bits| bits & SERVER != 0);
    let severity = if serves { Severity::Latent } else { Severity::Hygiene };
    let outcome = Outcome::confirmed(severity, summary)
        .seen_all(entry.map(seen))
        .seen_all([KEY, SETTING].into_iter().filter_map(|key| parameters::seen(evidence, key)));
    outcome.remedy(remedy(assignments(evidence).unwrap_or_default()))
}

/// Every line with such a key goes: a former one would have effect once the last is gone.
fn remedy(persisted: &[Persisted]) -> Remedy {
    const WHY: &str = "without one the kernel makes a random key when it first needs one";
    let zeros = |entry: &&Persisted| entry.key == KEY && entry.value == "zero" && !entry.not_read;
    let mut changes = edits::delete(persisted, &persisted.iter().filter(zeros).collect::<Vec<_>>(), WHY);
    if changes.is_empty() {
        let place = "the program or script that wrote the key".to_owned();
        let target = Derived::new("no key is written", WHY).input("key", "all zeros", KEY);
        changes.push(Change::new(ChangeKind::Elsewhere { place }, Some("zero".to_owned()), target));
    }
    let changes = changes.into_iter().map(|change| {
        change
            .coupled_with(
                "servers behind one address need the same key: a random one, never a written-down one",
            )
            .restarts("a boot; until then the key stays, unless 16 random bytes are written to it")
            .risks("clients with an old cookie pay one handshake more, once")
    });
    let title = "Delete the line that sets the key";
    changes.fold(Remedy::new(title, "two hosts give one client different cookies"), Remedy::change)
}
