//! Clients that are turned away because all connections are taken.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::mysql::beside::{input, meminfo, text, whole};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.connections-exhausted",
    title: "The database turns clients away because all its connections are taken",
    explains: &["mysql.too-many-connections"],
    refutes: &[],
    document: include_str!("connections_exhausted.md"),
    test,
};

/// From this share of `max_connections` on, a moment's more would have been turned away.
const NEAR: f64 = 0.85;
/// This share of the connections may be used at the busiest moment.
const COMFORTABLE: f64 = 0.8;
/// This share of the memory that is available may go to more connections.
const MEMORY: f64 = 0.5;
/// Buffers that a connection may take while it runs a statement, and its stack.
const BUFFERS: [&str; 6] = [
    "thread_stack",
    "net_buffer_length",
    "sort_buffer_size",
    "join_buffer_size",
    "read_buffer_size",
    "read_rnd_buffer_size",
];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let most = view.needs("max_connections")?;
    let used = view.gauge("Max_used_connections").or_else(|| view.gauge("Threads_connected"));
    let used = used.ok_or_else(|| {
        Missing::new(format!("Max_used_connections of {}", view.name()), "look at SHOW GLOBAL STATUS")
    })?;
    let now = view.gauge("Threads_connected").unwrap_or(used);
    let errors = "Connection_errors_max_connections";
    let turned_away = view.grown(errors);
    let total = view.gauge(errors).unwrap_or(0.0);
    let line = format!(
        "{}: {} of {} connections taken, {} at most since its start",
        view.name(),
        number_text(now),
        number_text(most),
        number_text(used)
    );
    let outcome = match turned_away {
        Ok(grown) if grown > 0.0 => {
            let rate = view.per_s(errors)?;
            let line = format!("{line}; {}/s turned away (error 1040)", number_text(rate));
            with_remedies(Outcome::confirmed(Severity::Breaking, line), view, most, used)
        }
        Ok(_) if total > 0.0 => Outcome::consistent(
            Severity::Latent,
            format!("{line}; {} turned away since its start, none in this window", number_text(total)),
        )
        .lacks(Missing::new(
            "a client that is turned away within the window",
            "look again at the busiest hour",
        )),
        Ok(_) if now >= NEAR * most => {
            with_remedies(Outcome::confirmed(Severity::Latent, line), view, most, used)
        }
        Ok(_) if used >= NEAR * most => Outcome::consistent(Severity::Latent, line)
            .lacks(Missing::new("a moment at which they are taken", "look again at the busiest hour")),
        Ok(_) => Outcome::ruled_out(line),
        Err(missing) => return Err(missing),
    };
    let outcome = outcome.seen_all(view.seen_variable("max_connections"));
    Ok(outcome
        .seen(view.seen(STATUS, errors, total))
        .seen(view.seen(STATUS, "Max_used_connections", used))
        .seen(view.seen(STATUS, "Threads_connected", now)))
}

fn with_remedies(outcome: Outcome, view: &View<'_>, most: f64, used: f64) -> Outcome {
    let outcome = match larger(view, most, used) {
        Some(remedy) => outcome.remedy(remedy),
        None => outcome.lacks(Missing::new(
            "memory for more connections",
            "queue in front of the database instead, or make pages need it for less time",
        )),
    };
    outcome.remedy(queue(view, most))
}

/// What a connection takes at most while it runs a simple statement, in bytes.
pub(super) fn connection_bytes(view: &View<'_>) -> Option<f64> {
    let known: Vec<_> = BUFFERS.iter().filter_map(|name| view.number(name)).collect();
    (known.len() == BUFFERS.len()).then(|| known.iter().sum())
}

/// More connections, as far as memory holds them; `None` where it holds none, or this host does not say.
fn larger(view: &View<'_>, most: f64, used: f64) -> Option<Remedy> {
    let peak = used.max(most);
    let (let_in, refused) = arrivals(view);
    // Whoever is let in stays for the same time, whether others are refused or not.
    let wanted = (peak * (let_in + refused) / let_in / COMFORTABLE).ceil();
    let each = connection_bytes(view)?;
    let formula = "min(⌈peak × (let in + refused) / let in / 0.8⌉, max_connections + available × 0.5 / bytes of a connection)";
    let mut target = Derived::new("", formula)
        .input("peak", whole(peak), "Max_used_connections, max_connections")
        .input("let in", whole(let_in), "Connections, over the window")
        .input("refused", whole(refused), "Connection_errors_max_connections, over the window")
        .input("bytes of a connection", text(each), "thread_stack and its buffers, all in use");
    let held = match meminfo(view.evidence, "MemAvailable").ok().filter(|_| view.is_here()) {
        Some(free) => {
            target.inputs.push(input("available", text(free), "/proc/meminfo MemAvailable"));
            most + (free * MEMORY / each).floor()
        }
        None => {
            target.inputs.push(input("available", "not known: the server is elsewhere", "/proc/meminfo"));
            wanted
        }
    };
    let value = wanted.min(held);
    if value <= most {
        return None;
    }
    target.value = whole(value);
    let files = view.server.process.as_ref().and_then(|process| process.open_files_limit);
    let files = files.map_or_else(String::new, |limit| format!(" ({limit} now)"));
    let change = edits::set(view, "max_connections", target)
        .coupled_with(&format!("open_files_limit{files}: each connection and each open table takes a file"))
        .coupled_with("pm.max_children of all pools that connect")
        .risks("each connection takes its own buffers, and more statements at once may each be slower");
    let title = format!("Let {} take {} connections", view.name(), number_text(value));
    let moves = "Connection_errors_max_connections stays as it is";
    Some(Remedy::new(title, moves).change(change).lowers("mysql.Connection_errors_max_connections/s"))
}

/// How many clients were let in within the window and how many were refused, whom `Connections` does not count (MariaDB 10.11);
/// 1 and 0 where nothing tells how many were let in.
fn arrivals(view: &View<'_>) -> (f64, f64) {
    let let_in = view.grown("Connections").unwrap_or(0.0);
    let refused = view.grown("Connection_errors_max_connections").unwrap_or(0.0);
    if let_in > 0.0 { (let_in, refused) } else { (1.0, 0.0) }
}

/// A queue in front of it: clients wait for a connection instead of failing.
fn queue(view: &View<'_>, most: f64) -> Remedy {
    let limit = (most * COMFORTABLE).floor();
    let target =
        Derived::new(format!("{limit} connections at once, the others wait"), "⌊0.8 × max_connections⌋")
            .input("max_connections", whole(most), "SHOW GLOBAL VARIABLES");
    let place = "a proxy in front of the database: ProxySQL max_connections of mysql_servers, or HAProxy maxconn of the server";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .coupled_with("the limits of all proxies together, where there are several")
        .risks("what failed at once waits instead: pages are late rather than broken");
    let moves = "Connection_errors_max_connections stays as it is";
    Remedy::new(format!("Let clients wait in front of {}", view.name()), moves)
        .change(change)
        .lowers("mysql.Connection_errors_max_connections/s")
}
