//! What is known of jobs that a clock starts.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

/// The jobs of the host, read once per window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each job.
    pub jobs: Vec<Job>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// What starts a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clockwork {
    /// A line of a crontab(5).
    #[default]
    Crontab,
    /// A systemd.timer(5).
    Timer,
}

/// One job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// What starts it.
    pub clockwork: Clockwork,
    /// The crontab, or the file of the timer.
    pub file: String,
    /// The line in a crontab, counted from 1.
    pub line: u32,
    /// When, as written.
    pub schedule: String,
    /// Seconds from one start to the next, where the schedule is regular.
    pub period_s: Option<f64>,
    /// The user it runs as.
    pub user: Option<String>,
    /// The command, secrets taken out.
    pub command: String,
    /// The service that a timer starts, and where its file lies.
    pub service: Option<Service>,
}

/// The service that a timer starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The unit.
    pub unit: String,
    /// Its file; `None` when there is none, so that the timer starts nothing.
    pub file: Option<String>,
    /// Its settings, drop-ins among them: the last line that sets each.
    pub settings: BTreeMap<String, String>,
    /// Settings of the timer, drop-ins among them.
    pub timer: BTreeMap<String, String>,
}
