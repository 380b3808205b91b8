//! OPcache that is off.

use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::opcache::Runtime;
use crate::opcache::view;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.disabled",
    title: "OPcache is off: every request compiles all its scripts",
    explains: &["cpu.saturated", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("disabled.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let runtimes = view::runtimes(evidence)?;
    let mut unknown = None;
    for runtime in &runtimes {
        let status = view::status_of(evidence, &runtime.version);
        let name = view::name(&runtime.version);
        let enable = view::setting(status, Some(runtime), "opcache.enable", "1");
        let off = match (status, runtime.loaded) {
            (Some(status), _) if status.enabled => continue,
            (_, Some(false)) => format!("{name}: no line loads it"),
            (_, _) if !view::is_on(&enable.0) => format!("{name}: opcache.enable is {}", enable.0),
            (Some(_), _) => format!("{name}: opcache_get_status says that it is off"),
            (None, Some(true)) => continue,
            (None, None) => {
                unknown = Some(Missing::new(
                    format!("whether {name} loads OPcache"),
                    "run narrows as root: some of its ini files could not be read",
                ));
                continue;
            }
        };
        let outcome = Outcome::confirmed(Severity::Latent, off).seen(view::seen("opcache.enable", &enable));
        return Ok(outcome.remedy(on(runtime)));
    }
    match (unknown, runtimes.first()) {
        (Some(missing), _) => Err(missing),
        (None, None) => Ok(Outcome::ruled_out("no PHP-FPM on this host")),
        (None, Some(runtime)) => Ok(Outcome::ruled_out(format!("on in {}", view::name(&runtime.version)))),
    }
}

fn on(runtime: &Runtime) -> Remedy {
    let title = "Turn OPcache on";
    let moves = "CPU time per request falls to that of running, without compiling";
    let target = Derived::new("1", "scripts are compiled once, not at each request");
    if runtime.loaded == Some(false) {
        let place = format!("the package of OPcache: apt-get install php{}-opcache", runtime.version);
        let change = model::Change::new(model::ChangeKind::Elsewhere { place }, None, target);
        return Remedy::new(title, moves).change(change.restarts("restart of PHP-FPM"));
    }
    let current = Some(runtime.value("opcache.enable", "1").to_owned());
    let settings = [("opcache.enable", "1".to_owned())];
    Remedy::new(title, moves).change(view::change(
        &runtime.version,
        Some(runtime),
        current,
        &settings,
        target,
    ))
}
