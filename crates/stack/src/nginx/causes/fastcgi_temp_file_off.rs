//! Temporary files that are turned off: workers wait for slow clients.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::passing;
use crate::nginx::caches::seen::{and_more, instances, line, none_found, title};
use crate::nginx::configuration::size_bytes;
use crate::nginx::{Context, Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.fastcgi-temp-file-off",
    title: "Slow clients hold workers, for large responses have nowhere to wait",
    explains: &[],
    refutes: &[],
    document: include_str!("fastcgi_temp_file_off.md"),
    test,
};

struct Found<'a> {
    instance: &'a Instance,
    context: Context<'a>,
    off: &'a Directive,
    /// Whether all its responses are stored, which go through files whatever the directive says.
    cached: bool,
    /// What fits into memory of one response.
    buffers: u64,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let all = instances.iter().flat_map(|instance| {
        passing(&instance.configuration)
            .into_iter()
            .filter_map(move |(family, context)| found(instance, family, context))
    });
    let (inert, pinning): (Vec<_>, Vec<_>) = all.partition(|one| one.cached);
    let seen = |of: &[Found]| of.iter().map(|one| line(one.off)).collect::<Vec<_>>();
    let titles = |of: &[Found]| and_more(&of.iter().map(|one| title(&one.context)).collect::<Vec<_>>());
    let Some(first) = pinning.first() else {
        return match inert.is_empty() {
            true => none_found(instances, "large responses may wait in temporary files"),
            false => {
                let text = format!(
                    "{}: responses are stored in the cache's files; the directive does not apply to those",
                    titles(&inert)
                );
                Ok(Outcome::confirmed(Severity::Folklore, text).seen_all(seen(&inert)).remedy(remedy(&inert)))
            }
        };
    };
    let text = format!(
        "{}: what is larger than {} KiB is taken from the worker at the client's own pace",
        titles(&pinning),
        first.buffers >> 10
    );
    let logs = pinning.iter().flat_map(|one| &one.instance.access_logs);
    let largest =
        logs.filter_map(|log| log.upstream_bytes.or(log.body_bytes)).max_by(|a, b| a.p99.total_cmp(&b.p99));
    let outcome = match largest {
        // All of a hundred responses fit: then nobody waits.
        Some(bytes) if bytes.max <= first.buffers as f64 => {
            return Ok(Outcome::ruled_out(format!(
                "the largest response of the log, {} KiB, fits into the buffers",
                number_text((bytes.max / 1024.0).round())
            ))
            .seen_all(seen(&pinning)));
        }
        Some(bytes) => {
            let size =
                Observation::new("access log", "bytes of responses, p99", (bytes.p99 / 1024.0).round())
                    .unit("KiB");
            Outcome::confirmed(Severity::Latent, text).seen(size)
        }
        None => Outcome::consistent(Severity::Latent, text).lacks(Missing::new(
            "how large responses are",
            "log $upstream_response_length or $body_bytes_sent in the access log's format",
        )),
    };
    Ok(outcome.seen_all(seen(&pinning)).remedy(remedy(&pinning)))
}

fn found<'a>(instance: &'a Instance, family: &'static str, context: Context<'a>) -> Option<Found<'a>> {
    let get = |rest: &str| context.get(&format!("{family}_{rest}"));
    let off = get("max_temp_file_size").filter(|one| one.first().and_then(size_bytes) == Some(0))?;
    let is_on = |one: &&Directive| one.first() != Some("off");
    let cached = get("cache").filter(is_on).is_some() || get("store").filter(is_on).is_some();
    let buffers = get("buffers").and_then(|one| {
        Some(one.first()?.parse::<u64>().ok()?.saturating_mul(size_bytes(one.arguments.get(1)?)?))
    });
    let buffers = buffers.unwrap_or(8 * 4096);
    Some(Found { instance, off, cached, buffers, context })
}

fn remedy(found: &[Found]) -> Remedy {
    let reason = Derived::new(
        "",
        "the default, 1 GiB: what does not fit into the buffers waits in a file, and the worker is free",
    );
    let risk =
        "large responses to slow clients pass through the page cache, and to the disk when memory is short";
    let remedy =
        Remedy::new("Let large responses wait in files", "workers are free as soon as they have answered");
    let mut done: Vec<*const Instance> = vec![];
    found.iter().fold(remedy, |remedy, one| {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in found.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            edits.remove(&same.context.home(same.off), same.off);
        }
        edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}
