//! The report: the contract between narrows and whoever reads its JSON. Fields are added, never renamed.

use serde::{Deserialize, Serialize};

use crate::{Missing, Observation, Remedy, Severity, Station, Verdict};

/// The version of the contract.
pub const SCHEMA: &str = "narrows.report/1";

/// The machine the evidence is from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostIdentity {
    /// The host's name.
    pub name: Option<String>,
    /// The distribution, as in `PRETTY_NAME` of os-release(5).
    pub distribution: Option<String>,
    /// The kernel's release, as in uname(2).
    pub kernel: Option<String>,
    /// CPUs online.
    pub cpus: Option<u32>,
    /// Memory in bytes (`MemTotal`).
    pub memory_bytes: Option<u64>,
    /// The hypervisor or container the host runs in, `none` on bare metal; `None` when it cannot be told.
    pub virtualization: Option<String>,
    /// Whether it was read with root's rights; `None` in a tree.
    pub root: Option<bool>,
}

/// The span of time that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowSummary {
    /// When it began, in seconds since 1970; `None` when the tree does not say.
    pub started_unix_s: Option<f64>,
    /// How long it was, in seconds, by the monotonic clock.
    pub seconds: f64,
    /// How many full readings were taken.
    pub readings: usize,
    /// How many times tasks and listen queues were sampled.
    pub samples: u32,
    /// The web requests per second that reached the host meanwhile, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
}

/// The one limit that holds the stack back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Narrows {
    /// The station's identity.
    pub station: String,
    /// The sentence that says it.
    pub sentence: String,
    /// The multiple of today's load at which it breaks; 1 when it breaks now.
    pub breaks_at_times: f64,
    /// The rate of web requests at which it breaks, where the rate of now is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks_at_requests_per_s: Option<f64>,
}

/// A station with what follows from its measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StationReport {
    /// Identity within the report.
    pub id: String,
    /// The station as measured.
    pub station: Station,
    /// Share of the limit in use.
    pub utilization: Option<f64>,
    /// Share of the limit left.
    pub headroom: Option<f64>,
    /// The multiple of today's load at which the limit is reached.
    pub saturates_at_times: Option<f64>,
    /// The request rate at which the limit is reached.
    pub saturates_at_requests_per_s: Option<f64>,
}

/// One row of a differential: a cause that could explain the symptom, and what the evidence says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferentialRow {
    /// The cause's identity.
    pub cause: String,
    /// What the evidence says of it, for this symptom.
    pub verdict: Verdict,
    /// The numbers that decided.
    pub summary: String,
}

/// A symptom and the causes that could explain it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SymptomReport {
    /// The symptom's identity.
    pub id: String,
    /// What it is, as a person calls it.
    pub title: String,
    /// Whether it is there; `None` when that could not be told.
    pub present: Option<bool>,
    /// What was seen, in one line.
    pub summary: String,
    /// What was seen.
    pub observations: Vec<Observation>,
    /// The causes that could explain it.
    pub differential: Vec<DifferentialRow>,
}

/// A cause and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseReport {
    /// The cause's identity.
    pub id: String,
    /// Its layer.
    pub layer: String,
    /// What it is, as a person calls it.
    pub title: String,
    /// What the evidence says of it.
    pub verdict: Verdict,
    /// How bad it is; `None` unless confirmed or consistent.
    pub severity: Option<Severity>,
    /// The numbers that decided.
    pub summary: String,
    /// The evidence.
    pub observations: Vec<Observation>,
    /// The present symptoms it explains.
    pub explains: Vec<String>,
    /// What would move the limit.
    pub remedies: Vec<Remedy>,
    /// What evidence is missing.
    pub missing: Vec<Missing>,
}

/// A layer, or a part of one, that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadReport {
    /// The layer.
    pub layer: String,
    /// What happened.
    pub why: String,
    /// What to do about it.
    pub how_to_enable: String,
}

/// Everything narrows has to say about a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The machine.
    pub host: HostIdentity,
    /// The span of time.
    pub window: WindowSummary,
    /// The one limit, where one was measured.
    pub narrows: Option<Narrows>,
    /// Every limit, nearest first.
    pub stations: Vec<StationReport>,
    /// Every symptom that is looked for, present ones first.
    pub symptoms: Vec<SymptomReport>,
    /// Every cause, confirmed and most severe first.
    pub causes: Vec<CauseReport>,
    /// What could not be read.
    pub unread: Vec<UnreadReport>,
}

impl Report {
    /// The worst severity among confirmed causes.
    pub fn worst(&self) -> Option<Severity> {
        let confirmed = self.causes.iter().filter(|cause| cause.verdict == Verdict::Confirmed);
        confirmed.filter_map(|cause| cause.severity).max()
    }
}
