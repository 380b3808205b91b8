//! The limits of this layer: connections and workers of each Nginx.

use model::Station;

use super::findings::{Subject, number, per_s};
use super::limits;
use crate::{Evidence, services};

/// Each limit of each Nginx that runs.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(facts) = services::facts(&evidence.services.nginx) else { return vec![] };
    let running = facts.instances.iter().filter(|instance| instance.master.is_some());
    let subjects = running.map(|instance| Subject { evidence, instance });
    subjects.flat_map(|subject| [connections(&subject), workers(&subject)]).flatten().collect()
}

/// What tells several apart: the configuration's file, and the process.
fn named(subject: &Subject, kind: &str) -> Option<(String, String)> {
    let master = subject.instance.master?;
    Some((format!("nginx.{kind}:{master}"), format!("{kind} of Nginx ({})", subject.configuration().file)))
}

/// Connections of all workers: `worker_connections`, or their descriptors where those are fewer. What is busy is what
/// `stub_status` counts, with one connection to an upstream for each answer that is being made, else what is open.
#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn connections(subject: &Subject) -> Option<Station> {
    let (id, what) = named(subject, "connections")?;
    let (configured, _) = limits::worker_connections(subject.configuration());
    let descriptors = limits::descriptors(subject).map_or(f64::INFINITY, |seen| number(&seen));
    let each = (configured as f64).min(descriptors);
    let mut station =
        Station { servers: Some(each * limits::workers(subject) as f64), ..Station::new("nginx", id, what) };
    let counters = subject.counters().ok();
    let status =
        counters.and_then(|(first, last, seconds)| Some((first.stub_status?, last.stub_status?, seconds)));
    if let Some((first, last, seconds)) = status {
        let upstream = if subject.passes_on() { last.writing } else { 0 };
        station.busy = Some(last.active.saturating_add(upstream) as f64);
        station.arrivals_per_s =
            last.accepts.checked_sub(first.accepts).map(|accepts| per_s(accepts, seconds));
        let dropped = |status: super::StubStatus| status.accepts.saturating_sub(status.handled);
        station.lost_per_s = dropped(last).checked_sub(dropped(first)).map(|lost| per_s(lost, seconds));
    } else {
        let open = subject.instance.workers.iter().map(|worker| worker.open_files);
        let open: Option<u64> =
            open.map(|files| Some(files?.saturating_sub(limits::DESCRIPTORS_BESIDE))).sum();
        station.busy = open.filter(|_| !subject.instance.workers.is_empty()).map(|open| open as f64);
    }
    Some(station)
}

/// The CPU time of the workers: each is one thread, and they share the CPUs that they may use.
#[expect(clippy::cast_precision_loss, reason = "a count of workers")]
fn workers(subject: &Subject) -> Option<Station> {
    let (id, what) = named(subject, "workers")?;
    let (cpus, _) = limits::cpus(subject).ok()?;
    let shares = limits::shares(subject).ok().filter(|shares| !shares.is_empty())?;
    let requests = subject.requests_per_s().ok().map(|seen| number(&seen)).filter(|per_s| *per_s > 0.0);
    let busy: f64 = shares.iter().map(|(share, _)| share).sum();
    Some(Station {
        servers: Some((limits::workers(subject) as f64).min(cpus)),
        busy: Some(busy),
        arrivals_per_s: requests,
        service_s: requests.map(|per_s| busy / per_s),
        ..Station::new("nginx", id, what)
    })
}
