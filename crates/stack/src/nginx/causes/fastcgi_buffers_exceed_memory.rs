//! Buffers of responses that would take more memory than there is.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::passing;
use crate::nginx::caches::seen::{and_more, instances, line, none_found, title};
use crate::nginx::configuration::size_bytes;
use crate::nginx::{Context, Directive, Instance};
use crate::quantiles::Quantiles;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.fastcgi-buffers-exceed-memory",
    title: "Buffers of responses can take more memory than there is",
    explains: &[],
    refutes: &[],
    document: include_str!("fastcgi_buffers_exceed_memory.md"),
    test,
};

/// A page of x86-64 and most others, the size of a buffer where none is configured.
const PAGE_BYTES: u64 = 4096;
/// The size of each buffer of the remedy.
const BUFFER_BYTES: u64 = 16 << 10;
/// The buffers that Nginx has by default.
const LEAST_BUFFERS: u64 = 8;
/// Responses whose size was logged; fewer say nothing of the largest.
const ENOUGH: u64 = 100;
const MIB: u64 = 1 << 20;

struct Found<'a> {
    instance: &'a Instance,
    family: &'static str,
    context: Context<'a>,
    /// Bytes of one response whose client is slow.
    each: u64,
    /// Connections to clients at once.
    connections: u64,
}

impl Found<'_> {
    fn all(&self) -> u64 {
        self.each.saturating_mul(self.connections)
    }

    fn get(&self, rest: &str) -> Option<&Directive> {
        self.context.get(&format!("{}_{rest}", self.family))
    }
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut found: Vec<Found> = vec![];
    for instance in instances {
        let connections = connections(evidence, instance);
        for (family, context) in passing(&instance.configuration) {
            let buffering =
                context.get(&format!("{family}_buffering")).and_then(Directive::first) != Some("off");
            let each = if buffering { each(family, &context) } else { PAGE_BYTES };
            found.push(Found { instance, family, context, each, connections });
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.all()));
    let Some(worst) = found.first() else { return none_found(instances, "no block passes requests on") };
    let memory = memory(evidence)?;
    let text = format!(
        "{} for each response whose client is slow, {} connections: {} of {} memory",
        bytes(worst.each),
        number_text(worst.connections as f64),
        bytes(worst.all()),
        bytes(memory)
    );
    let seen = [
        Observation::new("/proc/meminfo", "MemTotal", memory / MIB).unit("MiB"),
        Observation::new(
            "worker_processes × worker_connections / 2",
            "connections of clients",
            worst.connections,
        ),
    ];
    if worst.all() <= memory {
        return Ok(none_found(instances, text)?.seen_all(seen));
    }
    let titles: Vec<_> =
        found.iter().filter(|one| one.all() > memory).map(|one| title(&one.context)).collect();
    let at_once = memory / worst.each.max(1);
    let text = format!("{}: {text}; {} slow clients fill it", and_more(&titles), number_text(at_once as f64));
    let names = ["buffers", "buffer_size", "busy_buffers_size"];
    let lines: Vec<_> = names.iter().filter_map(|rest| worst.get(rest)).map(line).collect();
    Ok(Outcome::confirmed(Severity::Latent, text)
        .seen_all(lines)
        .seen_all(seen)
        .remedy(remedy(&found, memory)))
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..10_737_418_240 => {
            format!("{} MiB", number_text((bytes as f64 / MIB as f64 * 10.0).round() / 10.0))
        }
        _ => format!("{} GiB", number_text((bytes as f64 / (MIB << 10) as f64 * 10.0).round() / 10.0)),
    }
}

fn memory(evidence: &Evidence) -> Result<u64, Missing> {
    let facts = evidence.latest(|reading| &reading.memory)?;
    facts
        .meminfo
        .get("MemTotal")
        .copied()
        .ok_or_else(|| Missing::new("MemTotal", "make /proc/meminfo readable"))
}

/// `N × size + buffer_size` of a block.
fn each(family: &str, context: &Context) -> u64 {
    let get = |rest: &str| context.get(&format!("{family}_{rest}"));
    let buffers = get("buffers").and_then(|one| {
        Some(one.first()?.parse::<u64>().ok()?.saturating_mul(size_bytes(one.arguments.get(1)?)?))
    });
    let header = get("buffer_size").and_then(|one| size_bytes(one.first()?));
    buffers.unwrap_or(LEAST_BUFFERS * PAGE_BYTES).saturating_add(header.unwrap_or(PAGE_BYTES))
}

/// Clients at once: each needs a connection to an upstream as well.
fn connections(evidence: &Evidence, instance: &Instance) -> u64 {
    let configured = || {
        let workers = instance.configuration.main("worker_processes").and_then(Directive::first);
        match workers {
            Some("auto") => {
                evidence.latest(|reading| &reading.cpu).ok().map_or(1, |facts| facts.cpus.len() as u64)
            }
            other => other.and_then(|workers| workers.parse().ok()).unwrap_or(1),
        }
    };
    let workers = match instance.workers.len() as u64 {
        0 => configured(),
        running => running,
    };
    let each = instance
        .configuration
        .in_block("events", "worker_connections")
        .and_then(|one| one.first()?.parse().ok());
    workers.max(1).saturating_mul(each.unwrap_or(512)) / 2
}

/// Sizes of responses as logged: what upstreams answered, else what clients were sent.
fn sizes(instance: &Instance) -> Option<Quantiles> {
    let logs = instance.access_logs.iter().filter_map(|log| log.upstream_bytes.or(log.body_bytes));
    logs.filter(|bytes| bytes.count >= ENOUGH).max_by(|a, b| a.p99.total_cmp(&b.p99))
}

/// As many buffers of 16 KiB as hold 99 of 100 responses, where all connections together then take a twentieth of memory at most.
fn remedy(found: &[Found], memory: u64) -> Remedy {
    let mut remedy = Remedy::new(
        "Size the buffers for the responses",
        "memory of Nginx with slow clients stays below a twentieth",
    );
    let mut done: Vec<*const Instance> = vec![];
    for one in found.iter().filter(|one| one.all() > memory) {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            continue;
        }
        done.push(instance);
        let sizes = sizes(one.instance);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of a response")]
        let p99 = sizes.map(|sizes| sizes.p99.max(0.0) as u64);
        let affordable = memory / 20 / one.connections.max(1) / BUFFER_BYTES;
        let wanted = p99.map_or(LEAST_BUFFERS, |p99| p99.div_ceil(BUFFER_BYTES));
        let number = wanted.min(affordable.saturating_sub(1)).max(LEAST_BUFFERS);
        let mut reason = Derived::new(
            "",
            "buffers of 16 KiB: p99 / 16 KiB, at most memory / 20 / connections, at least 8",
        )
        .input("memory", bytes(memory), "/proc/meminfo MemTotal")
        .input("connections", one.connections, "worker_processes × worker_connections / 2");
        reason = match p99 {
            Some(p99) => reason.input("p99", bytes(p99), "access log, bytes of responses"),
            None => reason.input("p99", "unknown", "the log has too few responses, or none of their sizes"),
        };
        let mut edits = Edits::of(&one.instance.configuration);
        for same in
            found.iter().filter(|same| std::ptr::eq(same.instance, one.instance) && same.all() > memory)
        {
            smaller(&mut edits, same, number);
        }
        let risk =
            "a larger response goes through a temporary file, which is memory until the kernel writes it out";
        remedy = edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change);
    }
    remedy
}

/// What depends on the buffers goes back to its default, which follows them.
fn smaller(edits: &mut Edits, found: &Found, number: u64) {
    let place = |existing: Option<&Directive>| match existing {
        Some(existing) => found.context.home(existing),
        None => found.context.clone(),
    };
    let name = |rest: &str| format!("{}_{rest}", found.family);
    for rest in ["busy_buffers_size", "temp_file_write_size"] {
        if let Some(existing) = found.get(rest) {
            edits.remove(&place(Some(existing)), existing);
        }
    }
    for (rest, arguments) in [("buffer_size", "16k".to_owned()), ("buffers", format!("{number} 16k"))] {
        let existing = found.get(rest);
        edits.set(&place(existing), existing, &name(rest), &arguments);
    }
}
