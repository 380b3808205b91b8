//! OPcache's memory that is full.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::growth;
use crate::opcache::view::{self, Fpm, MIB, STATUS};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.memory-full",
    title: "OPcache's memory is full",
    explains: &["cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("memory_full.md"),
    test,
};

/// With less than this share free, a few more scripts fill it.
const LITTLE: f64 = 0.1;
/// Room over what is used once all is warm.
const ROOM: f64 = 1.5;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = view::answered(evidence)?;
    let Some(worst) = all.iter().min_by(|a, b| free(a).total_cmp(&free(b))) else {
        return Ok(Outcome::ruled_out(view::NO_FPM));
    };
    let status = worst.status;
    let restarts = growth::since(evidence, worst.cache, |status| status.oom_restarts);
    let pool = view::name(worst.cache.version.as_deref().unwrap_or_default());
    let line = format!(
        "{pool}: {} of {} used, {} wasted, {} restarts for want of memory since its start",
        view::mib(status.used_bytes),
        view::mib(total(worst)),
        view::mib(status.wasted_bytes),
        status.oom_restarts
    );
    let outcome = if status.cache_full || restarts.is_some_and(|restarts| restarts > 0) {
        Outcome::confirmed(
            Severity::Limiting,
            format!("{line}; what has no place is compiled at each request"),
        )
    } else if free(worst) < LITTLE || status.oom_restarts > 0 {
        Outcome::confirmed(Severity::Latent, line)
    } else {
        return Ok(Outcome::ruled_out(line).seen_all(observations(worst)));
    };
    Ok(outcome.seen_all(observations(worst)).remedy(larger(worst)))
}

fn total(fpm: &Fpm) -> u64 {
    let status = fpm.status;
    status.used_bytes.saturating_add(status.free_bytes).saturating_add(status.wasted_bytes)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn free(fpm: &Fpm) -> f64 {
    let total = total(fpm);
    if total == 0 { 1.0 } else { fpm.status.free_bytes as f64 / total as f64 }
}

fn observations(fpm: &Fpm) -> Vec<Observation> {
    let status = fpm.status;
    let bytes = [
        ("used_memory", status.used_bytes),
        ("free_memory", status.free_bytes),
        ("wasted_memory", status.wasted_bytes),
    ];
    let mut seen: Vec<_> =
        bytes.iter().map(|(field, value)| Observation::new(STATUS, *field, *value).unit("bytes")).collect();
    seen.push(Observation::new(STATUS, "oom_restarts", status.oom_restarts));
    seen.push(Observation::new(STATUS, "cache_full", status.cache_full.to_string()));
    seen
}

/// What a full cache needs is not known, for it holds no more than it can: then twice as much, and another look.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn larger(fpm: &Fpm) -> Remedy {
    let status = fpm.status;
    let held = status.used_bytes.saturating_add(status.wasted_bytes) as f64;
    let clipped = status.cache_full || status.oom_restarts > 0;
    let factor = if clipped { 2.0 } else { ROOM };
    let wanted = view::whole_mib(held * factor);
    let formula = if clipped {
        "2 × (used + wasted), as a full cache does not show what it lacks"
    } else {
        "1.5 × (used + wasted)"
    };
    let target = Derived::new(wanted, formula).input(
        "used + wasted",
        format!("{} MiB", number_text((held / MIB).round())),
        STATUS,
    );
    let version = fpm.cache.version.as_deref().unwrap_or_default();
    let key = "opcache.memory_consumption";
    let (current, _) = view::setting(Some(status), fpm.runtime, key, "128");
    let change = view::change(version, fpm.runtime, Some(current), &[(key, wanted.to_string())], target)
        .coupled_with("memory of the host: it is taken once per PHP-FPM, not per worker");
    Remedy::new(
        "Give OPcache the memory that its scripts need",
        "oom_restarts stay 0, free memory above a third",
    )
    .change(change)
}
