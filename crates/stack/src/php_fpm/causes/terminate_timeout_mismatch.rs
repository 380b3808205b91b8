//! PHP-FPM and Nginx that give up on a request at different times.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::{ErrorKind, configuration::time_s};
use crate::php_fpm::edits;
use crate::php_fpm::passes::{self, Pass};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.terminate-timeout-mismatch",
    title: "PHP-FPM and Nginx give up on a request at different times",
    explains: &["nginx.bad-gateway", "nginx.gateway-timeout"],
    refutes: &[],
    document: include_str!("terminate_timeout_mismatch.md"),
    test,
};

const KEY: &str = "request_terminate_timeout";
/// `fastcgi_read_timeout` where nobody sets it, in seconds.
const READ_TIMEOUT_S: f64 = 60.0;
/// PHP-FPM ends a request at this share of the time that Nginx waits for it.
const SHARE: f64 = 0.9;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    passes::nginx(evidence)?;
    of_running_pools(evidence, |view| Ok(judge(view)))
}

/// When each side gives up.
struct Patience<'a> {
    /// Nginx: the shortest `fastcgi_read_timeout` of all places, in seconds, and where that is.
    nginx_s: f64,
    place: String,
    /// PHP-FPM, in seconds; `None` where it never does.
    fpm_s: Option<f64>,
    passes: Vec<Pass<'a>>,
}

fn judge(view: &View<'_>) -> Outcome {
    let name = view.name();
    let Some(patience) = patience(view) else {
        return Outcome::ruled_out(format!("{name}: no Nginx of this host passes requests to it"));
    };
    let Patience { nginx_s, fpm_s, .. } = patience;
    let (timed_out, terminated) = (timed_out(view), terminated(view));
    let both = format!(
        "{name}: Nginx waits {} s, {}",
        number_text(nginx_s),
        match fpm_s {
            Some(seconds) => format!("PHP-FPM ends a request after {} s", number_text(seconds)),
            None => format!("PHP-FPM never ends a request ({KEY} 0)"),
        }
    );
    let goes_on = fpm_s.is_none_or(|fpm_s| fpm_s >= nginx_s);
    let outcome = match (goes_on, timed_out, terminated) {
        (true, lines, _) if lines > 0 => {
            let line =
                format!("{both}; {lines} × 504 in the log, and each request went on without its visitor");
            Outcome::confirmed(Severity::Limiting, line).remedy(end_before(view, &patience))
        }
        (true, ..) if fpm_s.is_some() => {
            let line = format!("{both}: after a 504 the request goes on without its visitor");
            Outcome::confirmed(Severity::Hygiene, line).remedy(end_before(view, &patience))
        }
        (true, ..) => Outcome::ruled_out(format!("{both}; no 504 so far")),
        (false, _, lines) if lines > 0 => {
            let line = format!(
                "{both}; it ended {lines} in the log's last minutes, a 502 each, in the midst of their work"
            );
            Outcome::confirmed(Severity::Limiting, line).remedy(longer(view, &patience))
        }
        (false, ..) => Outcome::ruled_out(both),
    };
    outcome.seen_all(observations(view, &patience, timed_out, terminated))
}

fn patience<'a>(view: &View<'a>) -> Option<Patience<'a>> {
    let passes = passes::of(view);
    let of = |pass: &Pass<'a>| match pass.context.get("fastcgi_read_timeout") {
        Some(directive) => (time_s(&directive.value()).unwrap_or(READ_TIMEOUT_S), directive.place()),
        None => (READ_TIMEOUT_S, "fastcgi_read_timeout by default".to_owned()),
    };
    let (nginx_s, place) = passes.iter().map(of).min_by(|a, b| a.0.total_cmp(&b.0))?;
    let fpm_s = view.pool.value(KEY).and_then(time_s).filter(|seconds| *seconds > 0.0);
    Some(Patience { nginx_s, place, fpm_s, passes })
}

/// How often Nginx gave up on a request that the pool had, in the last minutes.
fn timed_out(view: &View<'_>) -> u64 {
    let Ok(nginx) = services::facts(&view.evidence.services.nginx) else { return 0 };
    let kinds = nginx.instances.iter().flat_map(|one| &one.error_logs).flat_map(|log| &log.kinds);
    let ours = kinds.filter(|kind| {
        kind.kind == ErrorKind::AnswerTimedOut
            && kind.upstream.as_deref().is_some_and(|upstream| passes::names(upstream, &view.pool.listen))
    });
    ours.map(|kind| kind.count).fold(0, u64::saturating_add)
}

fn terminated(view: &View<'_>) -> u64 {
    let log = view.master.log.as_ref();
    log.and_then(|log| log.terminated.get(&view.pool.name).copied()).unwrap_or(0)
}

fn observations(
    view: &View<'_>,
    patience: &Patience<'_>,
    timed_out: u64,
    terminated: u64,
) -> Vec<Observation> {
    let own = view.pool.settings.get(KEY);
    let own = own.map_or_else(
        || Observation::new(view.pool.file.clone(), KEY, "0 (not set)"),
        |own| Observation::new(own.place(), KEY, own.value.clone()),
    );
    let execution = ["php_admin_value[max_execution_time]", "php_value[max_execution_time]"];
    let execution = execution.iter().find_map(|key| Some((key, view.pool.settings.get(*key)?)));
    let mut all = vec![
        Observation::new(patience.place.clone(), "fastcgi_read_timeout", patience.nginx_s).unit("s"),
        own,
        Observation::new(
            "error log of Nginx",
            format!("timed out, upstream {}", view.pool.listen),
            timed_out,
        ),
    ];
    all.extend(
        execution.map(|(key, setting)| Observation::new(setting.place(), *key, setting.value.clone())),
    );
    let log = view.master.log.as_ref();
    all.extend(log.map(|log| {
        Observation::new(log.path.clone(), format!("[{}] terminating", view.pool.name), terminated)
    }));
    all.extend(
        patience
            .passes
            .iter()
            .take(4)
            .map(|pass| Observation::new(pass.directive.place(), "fastcgi_pass", pass.directive.value())),
    );
    all
}

/// PHP-FPM gives up a little before Nginx, so that no worker works for nobody.
fn end_before(view: &View<'_>, patience: &Patience<'_>) -> Remedy {
    let seconds = (patience.nginx_s * SHARE).floor().max(1.0);
    let formula = "⌊0.9 × fastcgi_read_timeout⌋: no worker goes on for a visitor who has had a 504";
    set(view, patience, seconds, formula)
}

/// As long as Nginx waits anyhow.
fn longer(view: &View<'_>, patience: &Patience<'_>) -> Remedy {
    let seconds = (patience.nginx_s * SHARE).floor().max(1.0);
    let formula = "⌊0.9 × fastcgi_read_timeout⌋: as long as Nginx waits for it; faster pages need less";
    set(view, patience, seconds, formula)
}

fn set(view: &View<'_>, patience: &Patience<'_>, seconds: f64, formula: &str) -> Remedy {
    let value = format!("{seconds}s");
    let target = Derived::new(&value, formula).input(
        "fastcgi_read_timeout",
        format!("{} s", number_text(patience.nginx_s)),
        &patience.place,
    );
    let change = edits::change(view.pool, &[(KEY, value.clone())], target)
        .coupled_with("fastcgi_read_timeout of Nginx, which must be longer")
        .restarts("reload PHP-FPM")
        .risks(&format!(
            "{}; a request is ended where it stands, a payment too: what takes longer by right belongs in a pool of its own",
            edits::reload_risk(view.master)
        ));
    let title = format!("Let PHP-FPM end requests of {} after {value}", view.name());
    let moves = format!("no worker of {} is busy for longer than Nginx waits", view.name());
    Remedy::new(title, moves).change(change)
}
