//! A queue so long that whoever waits at its end has left.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::listen::{self, LONGEST_WAIT_S};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.backlog-serves-departed",
    title: "A PHP-FPM pool's queue is so long that it serves clients that have left",
    explains: &[],
    refutes: &[],
    document: include_str!("backlog_serves_departed.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let no_limit = || Missing::new("the limit of the queue", "read net.core.somaxconn and the pool's file");
    let limit = listen::limit(view).ok_or_else(no_limit)?;
    let no_service = || {
        Missing::new(
            format!("how long a request of {} takes", view.name()),
            "give the pool a status page (pm.status_path), or log $upstream_response_time in Nginx",
        )
    };
    let name = view.name();
    let Some((wait_s, service)) = listen::wait_s(view, limit).zip(view.service()) else {
        return Err(no_service());
    };
    let waited = view.depth().map_or(0, |depth| depth.most);
    let waited_s = listen::wait_s(view, u64::from(waited)).unwrap_or(0.0);
    let line = format!(
        "{name}: {limit} may wait × {} / {} workers = {} s",
        listen::milliseconds(service.seconds),
        view.most(),
        seconds(wait_s)
    );
    let asked_for = listen::asked(view) >= 0;
    let outcome = if waited_s > LONGEST_WAIT_S {
        confirmed(Severity::Limiting, format!("{line}; {waited} did, for {} s", seconds(waited_s)), view)
    } else if wait_s <= LONGEST_WAIT_S {
        Outcome::ruled_out(line)
    } else if asked_for {
        confirmed(Severity::Latent, format!("{line}, when it fills"), view)
    } else {
        confirmed(Severity::Hygiene, format!("{line}, when it fills; nobody set its length"), view)
    };
    let source = "listen.backlog × S / workers";
    let asked = view.pool.settings.get("listen.backlog");
    let asked = asked.map(|asked| Observation::new(asked.place(), "listen.backlog", asked.value.clone()));
    let seen =
        Observation::new(source, "wait at the end of a full queue", (wait_s * 10.0).round() / 10.0).unit("s");
    let took = Observation::new(service.source, "S", (service.seconds * 1e4).round() / 10.0).unit("ms");
    Ok(outcome.seen_all(asked).seen(seen).seen(took))
}

fn seconds(seconds: f64) -> String {
    number_text((seconds * 10.0).round() / 10.0)
}

fn confirmed(severity: Severity, line: String, view: &View<'_>) -> Outcome {
    let outcome = Outcome::confirmed(severity, line);
    let Some((_, target)) = listen::wanted(view) else { return outcome };
    let title = format!("Let {} requests wait for {}, no more", target.value, view.name());
    let change = listen::change(view, target)
        .risks("a restart ends requests in progress; a shorter queue refuses at once (502) what would have come too late");
    outcome.remedy(Remedy::new(title, "no request waits in the queue for more than 2 s").change(change))
}
