//! Preloading that is set and does nothing.

use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::Runtime;
use crate::opcache::view::{self, STATUS};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.preload-useless",
    title: "Preloading is set up, and nothing is preloaded",
    explains: &[],
    refutes: &[],
    document: include_str!("preload_useless.md"),
    test,
};

const PRELOAD: &str = "opcache.preload";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let runtimes = view::runtimes(evidence)?;
    let Some(runtime) = runtimes.iter().find(|one| !one.value(PRELOAD, "").is_empty()) else {
        let line = runtimes.first().map_or("no PHP-FPM on this host", |_| "no preloading is set");
        return Ok(Outcome::ruled_out(line));
    };
    let name = view::name(&runtime.version);
    let setting = view::setting(None, Some(runtime), PRELOAD, "");
    if runtime.loaded == Some(false) || !runtime.is_on("opcache.enable", true) {
        let line = format!("{name}: {PRELOAD} is set, and OPcache is off");
        return Ok(useless(runtime, line, &setting));
    }
    let Some(status) = view::status_of(evidence, &runtime.version) else {
        return Err(Missing::new(
            format!("preload_statistics of {name}"),
            "run narrows as root while the pool has an idle worker",
        ));
    };
    let loaded =
        Observation::new(STATUS, "preload_statistics.scripts", status.preloaded_scripts.unwrap_or(0));
    match status.preloaded_scripts {
        Some(scripts) if scripts > 1 => {
            let memory = view::mib(status.preloaded_bytes.unwrap_or(0));
            let line = format!(
                "{name}: {scripts} scripts are preloaded, {memory}; only requests after a start gain"
            );
            Ok(Outcome::ruled_out(line).seen(loaded))
        }
        _ => {
            let line = format!("{name}: {PRELOAD} names {}, and no script is preloaded", setting.0);
            Ok(useless(runtime, line, &setting).seen(loaded))
        }
    }
}

fn useless(runtime: &Runtime, line: String, setting: &(String, String)) -> Outcome {
    let target = Derived::new(
        "empty",
        "what does nothing is taken out; PHP-FPM that was not restarted since needs a restart instead",
    )
    .input("script", &setting.0, &setting.1);
    let path = runtime.settings.get(PRELOAD).map(|own| own.file.clone()).unwrap_or_default();
    let edits = vec![Edit::Ini { section: None, key: PRELOAD.to_owned(), value: None }];
    let edit = format!("take {PRELOAD} out");
    let change = Change::new(ChangeKind::File { path, edit, edits }, Some(setting.0.clone()), target)
        .persists_by("the file itself")
        .restarts(&format!("restart of php{}-fpm", runtime.version))
        .risks("none: nothing is preloaded now");
    let remedy = Remedy::new(
        "Take the setting out, or restart PHP-FPM for it to act",
        "the setting says what is the case",
    );
    Outcome::confirmed(Severity::Hygiene, line)
        .seen(view::seen(PRELOAD, setting))
        .remedy(remedy.change(change))
}
