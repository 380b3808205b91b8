//! A preload script that changes what the application does.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::view;
use crate::opcache::{PreloadScript, Runtime};
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.preload-unsafe",
    title: "Preloading changes what the application does",
    explains: &[],
    refutes: &[],
    document: include_str!("preload_unsafe.md"),
    test,
};

/// Folders of applications rather than of libraries: what they declare depends on what is active.
const NO_LIBRARY: [&str; 6] = ["wp-includes", "wp-admin", "wp-content", "plugins", "themes", "mu-plugins"];
const ENABLE_CLI: &str = "opcache.enable_cli";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = &facts(&evidence.services.opcache)?.runtimes;
    let Some((runtime, script)) = all.iter().find_map(|one| Some((one, one.preload.as_ref()?))) else {
        let line = if all.is_empty() { view::NO_PHP } else { "nothing is preloaded" };
        return Ok(Outcome::ruled_out(line));
    };
    if !script.read {
        let what = format!("the preload script {}", script.file);
        return Err(Missing::new(what, "run narrows as root; a script on a network file system is not read"));
    }
    let whole: Vec<_> = script.folders.iter().filter(|folder| is_no_library(folder)).collect();
    let cli = all
        .iter()
        .find(|one| one.interface == "cli" && one.preload.is_some() && one.is_on(ENABLE_CLI, false));
    let outcome = if let Some(folder) = whole.first() {
        let line = format!(
            "{} takes all of {folder}: classes of plugins exist though they are not active",
            script.file
        );
        Outcome::confirmed(Severity::Latent, line)
    } else if let Some((file, why)) = script.harmful.first() {
        let line = format!(
            "{} preloads {file}, which {why}; so do or are {} of {} files looked at",
            script.file,
            script.harmful.len(),
            script.checked
        );
        Outcome::confirmed(Severity::Latent, line)
    } else if let Some(cli) = cli {
        let line = format!(
            "{}: {ENABLE_CLI} is on, so each command of PHP {} preloads it as well",
            script.file, cli.version
        );
        Outcome::confirmed(Severity::Hygiene, line)
    } else {
        return Ok(Outcome::ruled_out(format!(
            "{} files of {} declare classes and do nothing else",
            script.checked, script.file
        )));
    };
    Ok(outcome.seen_all(observations(runtime, script)).remedy(list(runtime, script)))
}

fn is_no_library(folder: &str) -> bool {
    folder.split('/').any(|name| NO_LIBRARY.contains(&name)) && !folder.contains("/vendor")
}

fn observations(runtime: &Runtime, script: &PreloadScript) -> Vec<Observation> {
    let place =
        runtime.settings.get("opcache.preload").map_or_else(String::new, crate::php_fpm::Setting::place);
    let mut seen = vec![Observation::new(place, "opcache.preload", script.file.clone())];
    let folders = script.folders.iter().take(4);
    seen.extend(
        folders.map(|folder| Observation::new(script.file.clone(), "takes the folder", folder.clone())),
    );
    let files = script.harmful.iter().take(4);
    seen.extend(files.map(|(file, why)| Observation::new(file.clone(), "obstacle", why.clone())));
    seen
}

fn list(runtime: &Runtime, script: &PreloadScript) -> Remedy {
    let target = Derived::new(
        "a script made by `narrows preload FOLDER -o FILE`, or no preloading",
        "only classes of libraries, whose parents are all there, and that nobody looks for without loading them",
    )
    .input("files looked at", script.checked, &script.file)
    .input("of them no mere classes", script.harmful.len(), &script.file);
    let change = Change::new(ChangeKind::Elsewhere { place: script.file.clone() }, None, target)
        .coupled_with("opcache.enable_cli=0")
        .restarts(&format!("restart of php{}-fpm", runtime.version))
        .risks("every pool of this PHP-FPM shares the preloaded classes");
    Remedy::new(
        "Preload classes of libraries alone",
        "no `Can't preload` in the log, class_exists() says what is active",
    )
    .change(change)
}
