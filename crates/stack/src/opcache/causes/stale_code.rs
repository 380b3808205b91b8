//! Code that changes on a host that never looks whether it did.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::Runtime;
use crate::opcache::view;
use crate::services::facts;
use crate::wordpress::Site;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.stale-code",
    title: "WordPress may update itself, and PHP-FPM would run the old code",
    explains: &[],
    refutes: &[],
    document: include_str!("stale_code.md"),
    test,
};

const VALIDATE: &str = "opcache.validate_timestamps";
const NO_CHANGES: &str = "DISALLOW_FILE_MODS";
/// How long old code may run once timestamps are looked at, in seconds.
const FREQUENCY_S: u32 = 60;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let runtimes = view::runtimes(evidence)?;
    let validate = |runtime: &Runtime| {
        view::setting(view::status_of(evidence, &runtime.version), Some(runtime), VALIDATE, "1")
    };
    let Some(runtime) = runtimes.iter().find(|runtime| !view::is_on(&validate(runtime).0)) else {
        let line = runtimes.first().map_or("no PHP-FPM on this host", |_| "PHP-FPM looks at timestamps");
        return Ok(Outcome::ruled_out(line));
    };
    let sites = &facts(&evidence.services.wordpress)?.sites;
    let Some(site) = sites.iter().find(|site| site.is_true(NO_CHANGES) != Some(true)) else {
        let line = if sites.is_empty() {
            "no WordPress on this host".to_owned()
        } else {
            format!("{NO_CHANGES} forbids updates")
        };
        return Ok(Outcome::ruled_out(line));
    };
    let off = validate(runtime);
    let summary =
        format!("{VALIDATE} is 0 ({}), and {} may be updated: {NO_CHANGES} is not set", off.1, site.root);
    let seen = [
        view::seen(VALIDATE, &off),
        Observation::new(
            site.config_file.clone().unwrap_or_else(|| site.root.clone()),
            NO_CHANGES,
            "not true",
        ),
    ];
    let outcome = match replaces_from_outside(evidence, site) {
        Some(why) => Outcome::confirmed(Severity::Latent, format!("{summary}; {why}")),
        None => Outcome::consistent(Severity::Latent, summary).lacks(Missing::new(
            "who updates this site",
            "updates in wp-admin tell OPcache of each file (wp_opcache_invalidate, since 5.5); those of wp-cli, of a deployment \
             or of another host do not",
        )),
    };
    Ok(outcome.seen_all(seen).remedy(look_again(runtime)).remedy(forbid(site)))
}

/// Why updates may happen outside of the PHP-FPM whose memory would have to be told.
fn replaces_from_outside(evidence: &Evidence, site: &Site) -> Option<String> {
    let old = site.version.as_deref().and_then(major_minor).filter(|version| *version < (5, 5));
    if old.is_some() {
        return Some("its WordPress is older than 5.5 and tells OPcache nothing".to_owned());
    }
    if site.is_true("DISABLE_WP_CRON") == Some(true) {
        return Some("automatic updates run from the command line, whose OPcache is another".to_owned());
    }
    let applications = &facts(&evidence.services.composer).ok()?.applications;
    let own = applications.iter().find(|one| one.root == site.root || one.document_root == site.root)?;
    let mount = own.mount.as_ref().filter(|mount| mount.network)?;
    Some(format!("its code lies on {}, where other hosts may change it", mount.filesystem))
}

fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next().unwrap_or("0").parse().ok()?))
}

fn look_again(runtime: &Runtime) -> Remedy {
    let key = "opcache.revalidate_freq";
    let target = Derived::new("1", "code that may change is looked at, once a minute and script").input(
        "revalidate_freq",
        format!("{FREQUENCY_S} s"),
        "how long old code may run",
    );
    let settings = [(VALIDATE, "1".to_owned()), (key, FREQUENCY_S.to_string())];
    let change = view::change(&runtime.version, Some(runtime), Some("0".to_owned()), &settings, target)
        .coupled_with("actimeo of at least 10 × revalidate_freq where the code lies on NFS");
    Remedy::new("Look at timestamps once a minute", "updates take effect within a minute").change(change)
}

fn forbid(site: &Site) -> Remedy {
    let place = site.config_file.clone().unwrap_or_else(|| format!("{}/wp-config.php", site.root));
    let target = Derived::new(
        format!("define('{NO_CHANGES}', true)"),
        "code that only a deployment changes, followed by a reload of PHP-FPM",
    );
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("nobody can install or update in wp-admin any more; security updates become the deployment's business");
    Remedy::new(
        "Change code by deployments alone, and reload PHP-FPM with each",
        "start_time of opcache_get_status follows each deployment",
    )
    .change(change)
}
