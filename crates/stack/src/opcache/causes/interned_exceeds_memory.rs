//! A buffer of strings that leaves no room for scripts.

use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::opcache::Runtime;
use crate::opcache::view;
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.interned-exceeds-memory",
    title: "OPcache's buffer of strings takes all of its memory",
    explains: &[],
    refutes: &[],
    document: include_str!("interned_exceeds_memory.md"),
    test,
};

const BUFFER: &str = "opcache.interned_strings_buffer";
const WHOLE: &str = "opcache.memory_consumption";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = &facts(&evidence.services.opcache)?.runtimes;
    let loaded = all.iter().filter(|one| one.loaded == Some(true));
    let part = |one: &&Runtime| {
        let (buffer, whole) = sizes(one);
        buffer.saturating_mul(1000) / whole.max(1)
    };
    let Some(worst) = loaded.max_by_key(part) else {
        return match all.iter().find(|one| one.loaded.is_none()) {
            Some(one) => Err(Missing::new(
                format!("every ini file of PHP {} ({})", one.version, one.interface),
                "run narrows as root: some of them could not be read",
            )),
            None => Ok(Outcome::ruled_out("no PHP on this host loads OPcache")),
        };
    };
    let (buffer, whole) = sizes(worst);
    let line = format!("PHP {} ({}): {BUFFER} {buffer} of {WHOLE} {whole}", worst.version, worst.interface);
    let own = |key: &str, default: &str| view::seen(key, &view::setting(None, Some(worst), key, default));
    let seen = [own(BUFFER, "8"), own(WHOLE, "128")];
    let outcome = if buffer >= whole {
        Outcome::confirmed(Severity::Breaking, format!("{line}: PHP does not start with it"))
    } else if buffer.saturating_mul(2) > whole {
        Outcome::confirmed(Severity::Latent, format!("{line}: less than half is left for scripts"))
    } else {
        return Ok(Outcome::ruled_out(line).seen_all(seen));
    };
    Ok(outcome.seen_all(seen).remedy(larger(worst, buffer, whole)))
}

/// The buffer and the whole, in MiB. PHP takes the digits at the beginning and no unit.
fn sizes(runtime: &Runtime) -> (u64, u64) {
    let number = |key: &str, default: u64| {
        let text = runtime.settings.get(key).map(|setting| setting.value.trim());
        let digits = text.map(|text| text.trim_end_matches(|letter: char| !letter.is_ascii_digit()));
        digits.map_or(default, |digits| digits.parse().unwrap_or(0))
    };
    (number(BUFFER, 8), number(WHOLE, 128))
}

fn larger(runtime: &Runtime, buffer: u64, whole: u64) -> Remedy {
    let wanted = whole.max(128).saturating_add(buffer);
    let target =
        Derived::new(wanted, "the larger of what is set and PHP's default 128, with the buffer beside it")
            .input("buffer", format!("{buffer} MiB"), BUFFER)
            .input("set", format!("{whole} MiB"), WHOLE);
    let change = view::change(
        &runtime.version,
        Some(runtime),
        Some(whole.to_string()),
        &[(WHOLE, wanted.to_string())],
        target,
    );
    Remedy::new("Leave room for scripts beside the strings", "PHP-FPM starts, and scripts find room")
        .change(change)
}
