//! Debian's ini file of OPcache without the line that loads it.

use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Outcome, Remedy, Severity};

use crate::opcache::{IniFile, Runtime};
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.debian-ini-overwritten",
    title: "The ini file that loads OPcache was overwritten",
    explains: &["cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("debian_ini_overwritten.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = &facts(&evidence.services.opcache)?.runtimes;
    if all.is_empty() {
        return Ok(Outcome::ruled_out(crate::opcache::view::NO_PHP));
    }
    let broken: Vec<_> = all.iter().filter_map(|one| Some((one, overwritten(one)?))).collect();
    let Some((first, file)) = broken.first() else {
        return match all.iter().find(|one| one.loaded.is_none()) {
            Some(one) => Err(Missing::new(
                format!("whether PHP {} ({}) loads OPcache", one.version, one.interface),
                "run narrows as root: some of its ini files could not be read",
            )),
            None => Ok(Outcome::ruled_out("each ini file of OPcache loads it, or there is none")),
        };
    };
    let interfaces: Vec<_> =
        broken.iter().map(|(one, _)| format!("{} ({})", one.version, one.interface)).collect();
    let summary = format!(
        "{} holds no zend_extension: OPcache is not loaded in PHP {}",
        place(file),
        interfaces.join(", ")
    );
    Ok(Outcome::confirmed(Severity::Latent, summary)
        .seen(Observation::new(
            file.path.clone(),
            "links to",
            file.target.clone().unwrap_or_else(|| "nothing".to_owned()),
        ))
        .seen(Observation::new(file.path.clone(), "zend_extension", "absent"))
        .remedy(load_again(first, file)))
}

/// The file of OPcache that is there, and does not load it.
fn overwritten(runtime: &Runtime) -> Option<&IniFile> {
    if runtime.loaded != Some(false) {
        return None;
    }
    let is_opcaches = |file: &&IniFile| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        name.ends_with("opcache.ini") && !file.problems.iter().any(|problem| problem.line == 0)
    };
    runtime.files.iter().find(is_opcaches)
}

/// The file that the name leads to.
fn place(file: &IniFile) -> String {
    file.target.as_ref().map_or_else(|| file.path.clone(), |target| host::linked_path(&file.path, target))
}

fn load_again(runtime: &Runtime, file: &IniFile) -> Remedy {
    let edits = vec![Edit::Ini {
        section: None,
        key: "zend_extension".to_owned(),
        value: Some("opcache.so".to_owned()),
    }];
    let edit = "zend_extension = opcache.so".to_owned();
    let target = Derived::new("opcache.so", "the line that Debian's package writes there");
    let change = Change::new(ChangeKind::File { path: place(file), edit, edits }, None, target)
        .persists_by("the file itself")
        .restarts(&format!("reload of php{}-fpm", runtime.version))
        .risks("the settings in that file take effect together with OPcache: look at them first");
    Remedy::new(
        "Load OPcache again, and keep own settings in a file of your own",
        "scripts are compiled once",
    )
    .change(change)
}
