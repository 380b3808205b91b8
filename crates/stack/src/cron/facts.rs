//! What is known of jobs that a clock starts.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

use super::command;

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
    /// Whether it is started at all: a timer that no target wants waits for a person. `None` where that is not known.
    pub enabled: Option<bool>,
}

impl Job {
    /// `file:line`, or the file of a timer.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.file.clone(),
            line => format!("{}:{line}", self.file),
        }
    }

    /// Whether it runs due events of WordPress.
    pub fn starts_wp_cron(&self) -> bool {
        command::starts_wp_cron(&self.command)
    }

    /// Whether it asks the site over HTTP, so that a worker of the site's own pool does the work.
    pub fn asks_over_http(&self) -> bool {
        command::asks_over_http(&self.command)
    }

    /// The script that PHP is given, as written.
    pub fn script(&self) -> Option<&str> {
        command::script(&self.command)
    }

    /// The folder it is run in, where it says so.
    pub fn working_directory(&self) -> Option<&str> {
        let of_service = self.service.as_ref().and_then(|service| service.settings.get("WorkingDirectory"));
        of_service.map(String::as_str).or_else(|| command::goes_to(&self.command))
    }

    /// A setting of its service.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.service.as_ref()?.settings.get(key).map(String::as_str)
    }
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
