//! Kept connections that hold workers which could serve others.

use model::observation::number_text;
use model::{
    Change, ChangeKind, Derived, DirectiveEdit, Edit, Missing, Observation, Outcome, Remedy, Severity,
};

use crate::cpu::shares::percent;
use crate::php_fpm::passes::{self, Pass, Upstream};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.keepalive-pins-workers",
    title: "Kept connections of Nginx hold workers of PHP-FPM that could serve others",
    explains: &["nginx.gateway-timeout", "nginx.first-byte-slow"],
    refutes: &[],
    document: include_str!("keepalive_pins_workers.md"),
    test,
};

/// Kept connections may hold this share of a pool's workers.
const SHARE: f64 = 0.25;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    passes::nginx(evidence)?;
    of_running_pools(evidence, |view| Ok(judge(view)))
}

/// Connections that Nginx keeps to a pool.
struct Kept<'a> {
    passes: Vec<Pass<'a>>,
    /// `keepalive` of the largest upstream, and where it stands.
    keepalive: u64,
    place: String,
    processes: u64,
}

impl Kept<'_> {
    fn connections(&self) -> u64 {
        self.keepalive.saturating_mul(self.processes)
    }
}

fn judge(view: &View<'_>) -> Outcome {
    let name = view.name();
    let Some(kept) = kept(view) else {
        return Outcome::ruled_out(format!("{name}: Nginx keeps no connection to it"));
    };
    let (most, may) = (f64::from(view.most().max(1)), number(kept.connections()));
    let held = held(view);
    let line = format!(
        "{name}: {} nginx workers × keepalive {} may hold {} of {} workers{}",
        kept.processes,
        kept.keepalive,
        number_text(may.min(most)),
        view.most(),
        match held {
            Some(held) if held > 0 => format!("; {held} wait for a request on a kept connection"),
            _ => String::new(),
        }
    );
    let holds_now = held.is_some_and(|held| f64::from(held) >= SHARE * most);
    let outcome = if holds_now {
        Outcome::confirmed(Severity::Limiting, line).remedy(without(view, &kept))
    } else if may >= SHARE * most {
        Outcome::confirmed(Severity::Latent, line).remedy(without(view, &kept))
    } else {
        Outcome::ruled_out(line)
    };
    let conn = kept.passes.iter().filter_map(|pass| pass.context.get("fastcgi_keep_conn"));
    let conn =
        conn.map(|directive| Observation::new(directive.place(), "fastcgi_keep_conn", directive.value()));
    outcome
        .seen(Observation::new(kept.place.clone(), "keepalive", kept.keepalive))
        .seen(Observation::new("worker_processes", "nginx workers", kept.processes))
        .seen(
            Observation::new(
                "keepalive × nginx workers / pm.max_children",
                "may be held",
                percent(may / most),
            )
            .unit("%"),
        )
        .seen_all(held.map(|held| {
            Observation::new("workers in read(2) on a socket, or Reading headers", "held now", held)
        }))
        .seen_all(conn.take(4))
}

/// Workers that wait on a connection which Nginx keeps, and so serve nobody.
pub(super) fn pinned(view: &View<'_>) -> u32 {
    kept(view).and_then(|_| held(view)).unwrap_or(0)
}

fn kept<'a>(view: &View<'a>) -> Option<Kept<'a>> {
    let keeping = |pass: &Pass<'a>| {
        pass.keeps_connections()
            && pass.upstream.as_ref().and_then(Upstream::keepalive).is_some_and(|(kept, _)| kept > 0)
    };
    let passes: Vec<_> = passes::of(view).into_iter().filter(keeping).collect();
    let most = passes
        .iter()
        .max_by_key(|pass| pass.upstream.as_ref().and_then(Upstream::keepalive).map(|(kept, _)| kept))?;
    let (keepalive, directive) = most.upstream.as_ref().and_then(Upstream::keepalive)?;
    let place = directive.place();
    let processes = processes(view, most);
    Some(Kept { passes, keepalive, place, processes })
}

/// Nginx's workers: those that run, else as configured, `auto` being one for each CPU.
fn processes(view: &View<'_>, pass: &Pass<'_>) -> u64 {
    let running = u64::try_from(pass.instance.workers.len()).unwrap_or(1);
    if running > 0 {
        return running;
    }
    let written =
        pass.instance.configuration.main("worker_processes").and_then(|directive| directive.first());
    match written {
        Some("auto") => u64::from(view.evidence.host.cpus.unwrap_or(1)),
        Some(count) => count.parse().unwrap_or(1),
        None => 1,
    }
}

/// Workers that wait for the next request of a connection: in read(2) on a socket at the end of the window, or `Reading headers`.
fn held(view: &View<'_>) -> Option<u32> {
    let waits = |worker: &&super::super::Worker| {
        worker.syscall.as_deref() == Some("read") && worker.waits_for.as_deref() == Some("socket")
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let known = view.pool.workers.iter().any(|worker| worker.syscall.is_some());
    let by_call = known.then(|| count(view.pool.workers.iter().filter(waits).count()));
    let by_status = view.status().filter(|status| !status.processes.is_empty()).map(|status| {
        count(status.processes.iter().filter(|process| process.state == "Reading headers").count())
    });
    by_call.max(by_status)
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn number(count: u64) -> f64 {
    count as f64
}

/// `fastcgi_keep_conn` off wherever requests are passed to the pool.
fn without(view: &View<'_>, kept: &Kept<'_>) -> Remedy {
    let name = view.name();
    let mut places: Vec<_> = vec![];
    for directive in kept.passes.iter().filter_map(|pass| pass.context.get("fastcgi_keep_conn")) {
        if !places.iter().any(|other: &&crate::nginx::Directive| other.place() == directive.place()) {
            places.push(directive);
        }
    }
    let changes = places.into_iter().filter_map(|directive| {
        let holds = |pass: &&Pass<'_>| pass.context.get("fastcgi_keep_conn").is_some_and(|own| own.place() == directive.place());
        let pass = kept.passes.iter().find(holds)?;
        let block = passes::place_of(&pass.context, directive)?;
        let to = DirectiveEdit::Arguments { arguments: "off".to_owned() };
        let edit = Edit::Nginx { block, directive: "fastcgi_keep_conn".to_owned(), first_argument: None, to };
        let what = ChangeKind::File {
            path: directive.file.clone(),
            edit: "fastcgi_keep_conn off".to_owned(),
            edits: vec![edit],
        };
        let formula = "off where keepalive × nginx workers ≥ 0.25 × pm.max_children: each kept connection holds a worker";
        let target = Derived::new("off", formula)
            .input("keepalive", kept.keepalive, &kept.place)
            .input("nginx workers", kept.processes, "worker_processes")
            .input("pm.max_children", view.most(), "the pool's file");
        let change = Change::new(what, Some("on".to_owned()), target)
            .owned_by(Some(directive.place()))
            .persists_by("the file itself")
            .restarts("reload nginx")
            .risks("each request connects anew, which takes tens of microseconds on a Unix socket");
        let moves = format!("no worker of {name} waits in read(2) on a kept connection");
        Some(Remedy::new(format!("Close connections to {name} after each request"), moves).change(change))
    });
    together(changes)
        .unwrap_or_else(|| Remedy::new("Close connections after each request", "no worker waits in read(2)"))
}
