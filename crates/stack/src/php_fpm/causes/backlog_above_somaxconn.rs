//! A `listen.backlog` that the kernel cuts.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::listen;
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.backlog-above-somaxconn",
    title: "A PHP-FPM pool asks for a longer queue than the kernel allows",
    explains: &[],
    refutes: &[],
    document: include_str!("backlog_above_somaxconn.md"),
    test,
};

const KEY: &str = "net.core.somaxconn";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let name = view.name();
    let Some((asked, setting)) =
        view.pool.number("listen.backlog").zip(view.pool.settings.get("listen.backlog"))
    else {
        return Ok(Outcome::ruled_out(format!("{name}: nobody set listen.backlog")));
    };
    if asked < 0 {
        return Ok(Outcome::ruled_out(format!(
            "{name}: listen.backlog = {asked} asks for what the kernel allows"
        )));
    }
    let clamp = view
        .evidence
        .settings
        .number(KEY)
        .ok_or_else(|| Missing::new(KEY, "run narrows on the host itself, with /proc/sys mounted"))?;
    let seen = [
        Observation::new(setting.place(), "listen.backlog", setting.value.clone()),
        Observation::new("/proc/sys/net/core/somaxconn", KEY, clamp.to_string()),
    ];
    let outcome = match asked > clamp {
        false => Outcome::ruled_out(format!("{name}: listen.backlog {asked}, {KEY} {clamp}")),
        true => {
            let line = format!("{name}: listen.backlog {asked}, but {KEY} cuts it to {clamp}");
            Outcome::confirmed(Severity::Folklore, line).remedy(what_is_so(view, clamp))
        }
    };
    Ok(outcome.seen_all(seen))
}

/// The file says what holds, or what is useful where that is less.
fn what_is_so(view: &View<'_>, clamp: i64) -> Remedy {
    let useful =
        listen::wanted(view).filter(|(wanted, _)| i64::try_from(*wanted).is_ok_and(|wanted| wanted < clamp));
    let target = useful.map_or_else(
        || {
            Derived::new(clamp, "net.core.somaxconn, the limit in effect").input(
                KEY,
                clamp,
                "/proc/sys/net/core/somaxconn",
            )
        },
        |(_, target)| target,
    );
    let title = format!("Set listen.backlog of {} to what has effect", view.name());
    Remedy::new(title, "the file says what the kernel does").change(listen::change(view, target))
}
