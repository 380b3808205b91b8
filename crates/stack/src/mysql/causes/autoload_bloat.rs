//! Options of WordPress that every page loads.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::Autoload;
use crate::mysql::beside::text;
use crate::mysql::verdicts;
use crate::mysql::view::View;
use crate::php_fpm::view::pools;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.autoload-bloat",
    title: "Each page of WordPress loads more options than it can use",
    explains: &["nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("autoload_bloat.md"),
    test,
};

/// From so many bytes on, WordPress's own Site Health warns (`site_status_autoloaded_options_size_limit`).
const MANY: u64 = 800_000;
/// From so many bytes a second on, unserializing them is a share of a CPU.
const FELT_PER_S: f64 = 20_000_000.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let asked = view.asked_for("what WordPress loads")?;
    let Some(worst) = asked.autoload.iter().max_by_key(|one| one.bytes) else {
        return Ok(Outcome::ruled_out(format!("{}: no table of WordPress's options", view.name())));
    };
    #[expect(clippy::cast_precision_loss, reason = "bytes of options")]
    let bytes = worst.bytes as f64;
    let pages = pages_per_s(view.evidence);
    let mut line = format!("{}: {} options, {} with each page", worst.table, worst.options, text(bytes));
    line.push_str(&pages.map_or_else(String::new, |pages| {
        format!(", {} pages/s = {}/s", number_text(pages), text(pages * bytes))
    }));
    let seen = Observation::new(worst.table.clone(), "autoloaded", bytes).unit("bytes");
    if worst.bytes < MANY {
        return Ok(Outcome::ruled_out(line).seen(seen));
    }
    let largest: Vec<_> = worst.largest.iter().take(3).map(|(name, bytes)| named(name, *bytes)).collect();
    if !largest.is_empty() {
        line.push_str(&format!("; largest: {}", largest.join(", ")));
    }
    let cached = has_object_cache(view.evidence);
    let severity = match pages {
        Some(pages) if pages * bytes >= FELT_PER_S => Severity::Limiting,
        _ => Severity::Latent,
    };
    let outcome = match (cached, pages) {
        (true, _) => Outcome::confirmed(
            Severity::Hygiene,
            format!("{line}; an object cache keeps them from the database, and each page unserializes them"),
        ),
        (false, _) => Outcome::confirmed(severity, line),
    };
    Ok(outcome.seen(seen).remedy(remedy(worst)))
}

#[expect(clippy::cast_precision_loss, reason = "bytes of an option")]
fn named(name: &str, bytes: u64) -> String {
    format!("{name} {}", text(bytes as f64))
}

/// Requests that all pools of PHP-FPM took each second.
fn pages_per_s(evidence: &Evidence) -> Option<f64> {
    let rates: Vec<_> =
        pools(evidence).ok()?.iter().filter_map(crate::php_fpm::view::View::requests_per_s).collect();
    (!rates.is_empty()).then(|| rates.iter().sum())
}

fn has_object_cache(evidence: &Evidence) -> bool {
    let sites = services::facts(&evidence.services.wordpress).map(|facts| facts.sites.as_slice());
    sites.is_ok_and(|sites| {
        !sites.is_empty()
            && sites.iter().all(|site| site.drop_ins.iter().any(|file| file == "object-cache.php"))
    })
}

fn remedy(worst: &Autoload) -> Remedy {
    let largest: Vec<_> = worst.largest.iter().map(|(name, bytes)| named(name, *bytes)).collect();
    let target = Derived::new(
        "options that only their own pages load",
        "bytes that are loaded with each page ≤ 800,000",
    )
    .input("loaded", worst.bytes, &worst.table)
    .input("largest", largest.join(", "), &worst.table);
    let place = "the plugins that store them: `narrows queries advise` names each; transients belong into an object cache";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("an option that is not loaded with the page costs a statement of its own where it is used");
    Remedy::new("Load fewer options with each page", "autoloaded options fall below 800,000 bytes")
        .change(change)
}
