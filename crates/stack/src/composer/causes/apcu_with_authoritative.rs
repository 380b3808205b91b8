//! APCu beside a map that is complete.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "composer.apcu-with-authoritative",
    title: "APCu is set up beside a complete map of classes",
    explains: &[],
    refutes: &[],
    document: include_str!("apcu_with_authoritative.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = &facts(&evidence.services.composer)?.applications;
    let known: Vec<_> = all.iter().filter_map(|one| Some((one, one.autoloader.as_ref()?))).collect();
    let Some((application, autoloader)) = known.iter().find(|(_, own)| own.authoritative && own.apcu) else {
        if let (true, Some(one)) = (known.is_empty(), all.iter().find(|one| one.php_files.is_none())) {
            let what = format!("the autoloader of {}", one.root);
            return Err(Missing::new(what, "look for setApcuPrefix in vendor/composer/autoload_real.php"));
        }
        return Ok(Outcome::ruled_out("no autoloader here has both"));
    };
    let summary = format!("{}: the map is complete, so that APCu is never asked", application.root);
    let place = format!("the build of {}", application.root);
    let target = Derived::new(
        "composer dump-autoload --classmap-authoritative",
        "findFile() returns before it asks APCu",
    );
    let change = Change::new(ChangeKind::Elsewhere { place }, Some("--apcu".to_owned()), target);
    Ok(Outcome::confirmed(Severity::Folklore, summary)
        .seen(Observation::new(&autoloader.file, "setClassMapAuthoritative", "true"))
        .seen(Observation::new(&autoloader.file, "setApcuPrefix", "set"))
        .remedy(Remedy::new("Leave --apcu out", "nothing: it changes no metric").change(change)))
}
