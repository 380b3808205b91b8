//! Parameters whose value is not the one that files give them.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::settings::Persisted;
use crate::settings::lines::{assignments, bare, first_and_more, is_numeric, is_vendors, place, same, seen};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "settings.not-applied",
    title: "Kernel parameters differ from what their files set",
    explains: &[],
    refutes: &[],
    document: include_str!("not_applied.md"),
    test,
};

/// More keys than this are counted, not shown.
const SHOWN: usize = 8;

/// An assignment and the value that the kernel has instead.
type Difference<'a> = (&'a Persisted, &'a str);

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let persisted = assignments(evidence)?;
    if evidence.settings.values.is_empty() {
        return Err(Missing::new("/proc/sys", "no parameter was readable; read the host itself"));
    }
    let compared: Vec<Difference> = persisted
        .iter()
        .filter(|entry| !entry.overridden && will_be_taken(entry))
        .filter_map(|entry| Some((entry, evidence.settings.value(&entry.key)?)))
        .collect();
    let differ = |(entry, now): &Difference| !same(now, &entry.value);
    let (vendors, operators): (Vec<_>, Vec<_>) =
        compared.iter().copied().filter(differ).partition(|(entry, _)| is_vendors(&entry.file));
    if !operators.is_empty() {
        let outcome = Outcome::confirmed(Severity::Hygiene, summary(&operators));
        return Ok(outcome.seen_all(observations(&operators)).remedy(remedy(&operators)));
    }
    if !vendors.is_empty() {
        let missing = Missing::new(
            "whether systemd-sysctl runs at boot here",
            "look at `systemctl status systemd-sysctl`; in a container it does not",
        );
        let outcome = Outcome::consistent(Severity::Hygiene, summary(&vendors));
        return Ok(outcome.seen_all(observations(&vendors)).lacks(missing));
    }
    Ok(Outcome::ruled_out(match compared.len() {
        0 => "no file sets a parameter that was read".to_owned(),
        count => format!("{count} parameters set by files have the files' values"),
    }))
}

/// A name with a comment behind it is refused at boot, so that the file sets nothing.
fn will_be_taken(entry: &Persisted) -> bool {
    !entry.comment_like || is_numeric(&entry.value)
}

fn summary(differences: &[Difference]) -> String {
    let line = |(entry, now): &Difference| {
        format!("{} is {now}, {} says {}", entry.key, place(entry), bare(&entry.value))
    };
    first_and_more(differences.iter().map(line).collect())
}

fn observations(differences: &[Difference]) -> Vec<Observation> {
    let both =
        |(entry, now): &Difference| [Observation::new("/proc/sys", entry.key.clone(), *now), seen(entry)];
    differences.iter().take(SHOWN).flat_map(both).collect()
}

fn remedy(differences: &[Difference]) -> Remedy {
    let remedy = Remedy::new(
        "Decide which value is meant, and make file and kernel agree",
        "no parameter differs from its file",
    );
    differences.iter().take(SHOWN).fold(remedy, |remedy, (entry, now)| {
        let target = Derived::new(
            format!("{now} or {}", bare(&entry.value)),
            "the value that is meant, in both places",
        )
        .input("kernel", now, &format!("/proc/sys {}", entry.key))
        .input("file", &entry.value, &place(entry));
        let place = format!("whoever set {} while the host ran", entry.key);
        let change = Change::new(ChangeKind::Elsewhere { place }, Some((*now).to_owned()), target)
            .owned_by(Some(format!("{}:{}", entry.file, entry.line)))
            .risks("until then the next boot brings the file's value back");
        remedy.change(change)
    })
}
