//! OPcache's buffer of strings that is full.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::view::{self, Fpm, STATUS};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.interned-strings-exhausted",
    title: "OPcache's buffer of strings is full",
    explains: &[],
    refutes: &[],
    document: include_str!("interned_strings_exhausted.md"),
    test,
};

/// One part of so many must be free.
const LITTLE: u64 = 10;
/// OPcache takes no more (`accel_configuration` of ext/opcache/zend_accelerator_module.c).
const MOST_MIB: u64 = 4095;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = view::answered(evidence)?;
    let known = all.iter().filter_map(|fpm| {
        let status = fpm.status;
        Some((fpm, status.interned_buffer_bytes?, status.interned_used_bytes?, status.interned_free_bytes?))
    });
    let worst = known.min_by_key(|(_, buffer, _, free)| free.saturating_mul(1000) / (*buffer).max(1));
    let Some((fpm, buffer, used, free)) = worst else {
        if all.is_empty() {
            return Ok(Outcome::ruled_out(view::NO_FPM));
        }
        return Ok(Outcome::ruled_out("OPcache has no buffer of strings here"));
    };
    let version = fpm.cache.version.as_deref().unwrap_or_default();
    let line = format!("{}: {} of {} used", view::name(version), view::mib(used), view::mib(buffer));
    let seen = [
        Observation::new(STATUS, "interned_strings_usage.used_memory", used).unit("bytes"),
        Observation::new(STATUS, "interned_strings_usage.free_memory", free).unit("bytes"),
    ];
    if free.saturating_mul(LITTLE) >= buffer {
        return Ok(Outcome::ruled_out(line).seen_all(seen));
    }
    let summary =
        format!("{line}; strings without a place are kept once per script, in OPcache's other memory");
    Ok(Outcome::confirmed(Severity::Latent, summary).seen_all(seen).remedy(larger(fpm, used)))
}

/// The buffer is a part of the whole, which must grow with it.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn larger(fpm: &Fpm, used: u64) -> Remedy {
    let wanted = view::whole_mib(used as f64 * 1.5).min(MOST_MIB);
    let version = fpm.cache.version.as_deref().unwrap_or_default();
    let number = |key: &str, default: &str| {
        view::setting(Some(fpm.status), fpm.runtime, key, default).0.trim().parse::<u64>().ok()
    };
    let (key, whole_key) = ("opcache.interned_strings_buffer", "opcache.memory_consumption");
    let (now, whole) = (number(key, "8").unwrap_or(8), number(whole_key, "128").unwrap_or(128));
    let more = wanted.saturating_sub(now);
    let target = Derived::new(wanted, "1.5 × used, in whole MiB; the whole grows by as much")
        .input("used", view::mib(used), STATUS)
        .input("the whole", format!("{whole} MiB"), whole_key);
    let settings = [(key, wanted.to_string()), (whole_key, whole.saturating_add(more).to_string())];
    let change = view::change(version, fpm.runtime, Some(now.to_string()), &settings, target)
        .coupled_with("opcache.memory_consumption, which the buffer is a part of");
    Remedy::new("Give OPcache room for its strings", "interned_strings_usage.free_memory above a third")
        .change(change)
}
