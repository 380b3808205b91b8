//! Upstreams take long to begin with their answers.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nginx::{AccessLog, logs};
use crate::quantiles::Quantiles;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nginx.first-byte-slow",
    title: "The first byte of answers comes late",
    document: include_str!("first_byte_slow.md"),
    test,
};

/// The time to first byte that web.dev calls good, in seconds. Network and TLS come on top of what an upstream takes.
const GOOD_S: f64 = 0.8;
/// The 95th of fewer requests is one request.
const LEAST_REQUESTS: u64 = 20;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let logs = logs::access_logs(evidence)?;
    if !logs.is_empty() && !logs.iter().any(|log| log.times_upstreams) {
        return Err(logs::no_times());
    }
    let first_byte = |log: &AccessLog| match (log.upstream_header_time_s, log.upstream_response_time_s) {
        (Some(header), _) => Some((header, "$upstream_header_time")),
        (None, response) => response.map(|response| (response, "$upstream_response_time")),
    };
    let enough = |(times, _): &(Quantiles, &str)| times.count >= LEAST_REQUESTS;
    let slowest = logs
        .into_iter()
        .filter_map(|log| Some((log, first_byte(log).filter(enough)?)))
        .max_by(|(_, (a, _)), (_, (b, _))| a.p95.total_cmp(&b.p95));
    let Some((log, (times, field))) = slowest else {
        let summary = format!("fewer than {LEAST_REQUESTS} requests went to an upstream in the last minutes");
        return Ok(Presence::new(false, summary));
    };
    let present = times.p95 > GOOD_S;
    let summary = format!(
        "of {} requests, 5 % waited {} s and more for an upstream, half {} s and more (good: {GOOD_S} s)",
        number_text(times.count as f64),
        number_text(times.p95),
        number_text(times.p50),
    );
    let longest = log.top.first().and_then(|path| Some((&path.path, path.seconds?))).filter(|_| present);
    let longest =
        longest.map(|(path, seconds)| format!("; most of it: {path}, {} s in all", number_text(seconds)));
    Ok(Presence::new(present, summary + &longest.unwrap_or_default())
        .seen(Observation::new(&*log.path, format!("{field}, 95th of 100"), times.p95).unit("s"))
        .seen(Observation::new(&*log.path, format!("{field}, 50th of 100"), times.p50).unit("s")))
}
