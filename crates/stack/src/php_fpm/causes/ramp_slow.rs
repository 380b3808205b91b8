//! A dynamic pool that is asked for more workers than its ramp forks in time.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::ramp::{MAX_SPAWN_RATE, Ramp};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::php_fpm::{Mode, edits, sizing};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.ramp-slow",
    title: "A PHP-FPM pool forks its workers more slowly than requests come",
    explains: &["nginx.bad-gateway", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("ramp_slow.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

/// A pool that grows, and what was seen of that.
struct Growth {
    /// Workers at the first and the last reading.
    grew: Option<(u32, u32)>,
    /// Workers that were forked in between and are still there. A pool that grows and shrinks within the window may end with
    /// fewer than it began with.
    forked: usize,
    /// Requests that were there at once: the most workers, and the deepest queue.
    burst: u32,
    /// The deepest queue.
    waited: u32,
    /// `seems busy`, in the log of the last minutes.
    seems_busy: u64,
    ramp: Ramp,
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let pool = view.pool;
    if pool.mode != Mode::Dynamic {
        let mode = if pool.mode == Mode::Static { "static" } else { "ondemand" };
        return Ok(Outcome::ruled_out(format!("{}: pm = {mode}, no ramp", view.name())));
    }
    let Some(growth) = growth(view) else {
        return Err(Missing::new(
            format!("pm.max_children and pm.min_spare_servers of {}", view.name()),
            "run narrows with the right to read the pool's file",
        ));
    };
    let queue_known = view.depth().is_some();
    let room = growth.ramp.start < growth.ramp.max_children;
    let most = growth.ramp.max_children;
    // A pool that is as large as it may be at both ends only replaces workers.
    let grows = growth.grew.is_some_and(|(first, last)| last > first || (growth.forked > 0 && last < most));
    let line = line(view, &growth);
    let outcome = match (growth.waited > 0 && room, grows, growth.seems_busy > 0) {
        (true, true, _) | (true, _, true) => {
            with_remedies(Outcome::confirmed(Severity::Limiting, line), view, &growth)
        }
        (_, _, true) => Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "a burst within the window",
            "the log tells of the last minutes, and may have been answered since: look again while a burst comes",
        )),
        (true, false, false) => Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "workers that are forked while requests wait",
            "look again while a burst comes: `narrows check --for 30s`",
        )),
        _ if !queue_known && view.master.log.is_none() => {
            return Err(Missing::new(
                format!("the queue of {} and the log of its master", view.name()),
                "run narrows as root in the network namespace of PHP-FPM, with error_log in a file",
            ));
        }
        _ => Outcome::ruled_out(line),
    };
    Ok(outcome.seen_all(observations(view, &growth)))
}

fn growth(view: &View<'_>) -> Option<Growth> {
    let pool = view.pool;
    let number = |key| pool.number(key).and_then(|number| u32::try_from(number).ok());
    let (max_children, min_spare) = (pool.max_children?, number("pm.min_spare_servers")?);
    let grew = view.grew();
    let waited = view.depth().map_or(0, |depth| depth.most);
    // PHP's own: (min_spare + max_spare) / 2, in whole workers.
    let start = number("pm.start_servers").filter(|start| *start > 0);
    let start = start.unwrap_or(min_spare + number("pm.max_spare_servers")?.saturating_sub(min_spare) / 2);
    let burst = grew.map_or(view.workers(), |(first, last)| first.max(last)).saturating_add(waited);
    let max_spawn_rate = number("pm.max_spawn_rate").unwrap_or(MAX_SPAWN_RATE);
    let ramp = Ramp { start, min_spare, max_children, max_spawn_rate, demand: burst };
    let log = view.master.log.as_ref();
    let seems_busy = log.and_then(|log| log.seems_busy.get(&pool.name).copied()).unwrap_or(0);
    let forked = view.forked().unwrap_or(0);
    Some(Growth { grew, forked, burst, waited, seems_busy, ramp })
}

fn line(view: &View<'_>, growth: &Growth) -> String {
    let Growth { ramp, burst, waited, seems_busy, grew, forked } = growth;
    let mut parts = vec![];
    match grew {
        Some((first, last)) if last > first => parts.push(format!("grew from {first} to {last} workers")),
        _ => parts.push(format!("{} of {} workers", view.workers(), ramp.max_children)),
    }
    if *forked > 0 && grew.is_some_and(|(first, last)| last <= first) {
        parts.push(format!("{forked} of them forked within the window"));
    }
    if *waited > 0 {
        let seconds = number_text(f64::from(ramp.seconds()));
        parts.push(format!(
            "{waited} waited; {burst} at once take {seconds} s to be forked from {}",
            ramp.start
        ));
    }
    if *seems_busy > 0 {
        parts.push(format!("logged {seems_busy} × that it seems busy"));
    }
    format!("{}: {}", view.name(), parts.join("; "))
}

fn observations(view: &View<'_>, growth: &Growth) -> Vec<Observation> {
    let keys = ["pm.start_servers", "pm.min_spare_servers", "pm.max_spare_servers", "pm.max_children"];
    let settings = keys.into_iter().filter_map(|key| {
        let setting = view.pool.settings.get(key)?;
        Some(Observation::new(setting.place(), key, setting.value.clone()))
    });
    let mut all: Vec<_> = settings.collect();
    let source = "pm.max_spawn_rate and the settings above, by fpm_process_ctl.c";
    for seconds in [1, 5, 10] {
        let children = growth.ramp.children_after(seconds);
        all.push(Observation::new(source, format!("workers {seconds} s after a burst"), children));
    }
    all.extend(view.depth().into_iter().flat_map(crate::sockets::queues::observations));
    let log = view.master.log.as_ref();
    all.extend(log.map(|log| {
        Observation::new(log.path.clone(), format!("[{}] seems busy", view.pool.name), growth.seems_busy)
    }));
    all
}

fn with_remedies(outcome: Outcome, view: &View<'_>, growth: &Growth) -> Outcome {
    let memory = sizing::by_memory(view).map(|term| term.workers);
    let spare = outcome_spare(view, growth);
    match memory.filter(|holds| *holds >= u64::from(growth.ramp.max_children)) {
        Some(holds) => outcome.remedy(all_at_once(view, growth, holds)).remedy(spare),
        None => outcome.remedy(spare),
    }
}

fn all_at_once(view: &View<'_>, growth: &Growth, holds: u64) -> Remedy {
    let most = growth.ramp.max_children;
    let target = Derived::new("static", "static where memory holds pm.max_children workers")
        .input("pm.max_children", most, "the pool's file")
        .input("memory holds", holds, "(MemAvailable + own − 15 % of RAM) / p95 private");
    let change = edits::change(view.pool, &[("pm", "static".to_owned())], target)
        .restarts("reload PHP-FPM")
        .risks(&format!("{}; all {most} workers take their memory at once", edits::reload_risk(view.master)));
    let name = view.name();
    Remedy::new(format!("Let all {most} workers of {name} be there before requests come"), moves(view))
        .change(change)
}

/// As many spare workers as the burst needs beyond those that a second of the ramp gives.
fn outcome_spare(view: &View<'_>, growth: &Growth) -> Remedy {
    let Ramp { max_children, .. } = growth.ramp;
    let spare = growth.burst.min(max_children).max(1);
    let number = |key| view.pool.number(key).and_then(|number| u32::try_from(number).ok());
    let max_spare = number("pm.max_spare_servers").unwrap_or(0).max(spare).min(max_children);
    let mut settings = vec![("pm.min_spare_servers", spare.to_string())];
    if number("pm.max_spare_servers") != Some(max_spare) {
        settings.push(("pm.max_spare_servers", max_spare.to_string()));
    }
    if number("pm.start_servers").is_some_and(|start| start < spare) {
        settings.push(("pm.start_servers", spare.to_string()));
    }
    let formula = "min(burst, pm.max_children), so that a burst finds its workers idle; burst = workers + deepest queue";
    let target = Derived::new(spare, formula)
        .input("burst", growth.burst, "workers and Recv-Q of the pool's socket")
        .input("pm.max_children", max_children, "the pool's file")
        .input("ramp", format!("{} s", growth.ramp.seconds()), "what the burst took to be forked");
    let change = edits::change(view.pool, &settings, target)
        .restarts("reload PHP-FPM")
        .risks(edits::reload_risk(view.master));
    let name = view.name();
    Remedy::new(format!("Keep {spare} idle workers in {name}"), moves(view)).change(change)
}

fn moves(view: &View<'_>) -> String {
    format!("Recv-Q of {} stays 0 in the first seconds of a burst; no line \"seems busy\"", view.pool.listen)
}
