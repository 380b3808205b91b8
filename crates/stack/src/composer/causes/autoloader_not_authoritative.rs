//! An autoloader that looks for classes in folders.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::composer::{Application, Autoloader, Profile};
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "composer.autoloader-not-authoritative",
    title: "The autoloader looks for classes in folders",
    explains: &["nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("autoloader_not_authoritative.md"),
    test,
};

/// From this share of path calls that find nothing on, guessing is much of the work.
const MUCH: f64 = 0.3;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let facts = facts(&evidence.services.composer)?;
    let guessing = |one: &'_ Application| one.autoloader.clone().filter(|own| !own.authoritative);
    let found = facts.applications.iter().find_map(|one| Some((one, guessing(one)?)));
    let Some((application, autoloader)) = found else {
        let far = facts.applications.iter().find(|one| one.mount.as_ref().is_some_and(|mount| mount.network));
        if let Some(one) = far {
            let what = format!("the autoloader of {}", one.root);
            return Err(Missing::new(
                what,
                "it lies on a network file system, which narrows does not touch: look for setClassMapAuthoritative in vendor/composer/autoload_real.php",
            ));
        }
        let with = facts.applications.iter().filter(|one| one.autoloader.is_some()).count();
        let line = if with == 0 {
            "no application here has an autoloader of Composer"
        } else {
            "each class map is complete: no folder is searched"
        };
        return Ok(Outcome::ruled_out(line));
    };
    let line = format!(
        "{}: {} classes in the map; others are looked for in up to {} folders each",
        application.root,
        autoloader.mapped_classes,
        most_folders(&autoloader)
    );
    let seen = observations(&autoloader);
    let guesses = facts.profiles.iter().map(|profile| (profile, below(profile, application)));
    let outcome = match guesses.max_by_key(|(_, missing)| *missing) {
        Some((profile, missing)) if share(missing, profile) >= MUCH => {
            let line = format!(
                "{line}; {} of {} calls that name a path found nothing below it",
                missing, profile.path_calls
            );
            Outcome::confirmed(Severity::Latent, line).seen(Observation::new(
                &profile.source,
                "ENOENT below the application",
                missing,
            ))
        }
        Some((profile, missing)) => {
            let line = format!(
                "{line}; only {missing} of {} calls that name a path found nothing below it",
                profile.path_calls
            );
            return Ok(Outcome::ruled_out(line).seen_all(seen));
        }
        None => Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            "the share of path calls that fail with ENOENT",
            "narrows check --profile FILE, with a profile of system calls of a worker",
        )),
    };
    Ok(outcome.seen_all(seen).remedy(complete(application, &autoloader)))
}

/// Calls of a profile that found nothing below an application.
fn below(profile: &Profile, application: &Application) -> u64 {
    let inside = |folder: &str| {
        folder
            .strip_prefix(application.root.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    profile.missing_below.iter().filter(|one| inside(&one.folder)).map(|one| one.calls).sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of system calls")]
fn share(missing: u64, profile: &Profile) -> f64 {
    missing as f64 / (profile.path_calls.max(1)) as f64
}

/// A name of no known prefix is looked for in the fallback folders alone; others in those of their prefix as well.
fn most_folders(autoloader: &Autoloader) -> String {
    let mean = autoloader.psr4_folders.div_ceil(autoloader.psr4_prefixes.max(1));
    number_text(f64::from(
        u32::try_from(mean.saturating_add(autoloader.fallback_folders)).unwrap_or(u32::MAX),
    ))
}

fn observations(autoloader: &Autoloader) -> [Observation; 4] {
    let seen = |field: &str, value: u64| Observation::new(&autoloader.file, field, value);
    [
        Observation::new(&autoloader.file, "setClassMapAuthoritative", "absent"),
        seen("classes in the map", autoloader.mapped_classes),
        seen("folders of PSR-4 prefixes", autoloader.psr4_folders),
        seen("fallback folders", autoloader.fallback_folders),
    ]
}

fn complete(application: &Application, autoloader: &Autoloader) -> Remedy {
    let place = format!("the build of {}", application.root);
    let target = Derived::new(
        "composer dump-autoload --classmap-authoritative",
        "ENOENT per request = names not found × folders → 0; without --apcu, which has no effect with it",
    )
    .input(
        "folders",
        autoloader.psr4_folders.saturating_add(autoloader.fallback_folders),
        &autoloader.file,
    );
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .restarts("reload of PHP-FPM, as with any deployment")
        .risks("classes that are made while the application runs, or added without a build, are not found any more");
    Remedy::new("Have the build write a complete map of classes", "ENOENT per request falls to 0")
        .change(change)
}
