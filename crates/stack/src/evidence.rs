//! Evidence: the facts of every layer at several instants, and what was sampled in between.

use host::Clock;
use model::report::HostIdentity;
use model::{Layered, Missing};
use serde::{Deserialize, Serialize};

use crate::samples::Samples;
use crate::services::{Services, no_counters};
use crate::{
    cgroup, cpu, disk, irq, memory, mysql, nfs, nginx, nic, opcache, php_fpm, proxysql, qdisc, settings,
    sockets, tasks,
};

/// The facts of every layer at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was taken.
    pub clock: Clock,
    /// CPU time, load, pressure.
    pub cpu: Layered<cpu::Facts>,
    /// Interrupts and soft interrupts.
    pub irq: Layered<irq::Facts>,
    /// Network interfaces and their drivers.
    pub nic: Layered<nic::Facts>,
    /// Queueing disciplines.
    pub qdisc: Layered<qdisc::Facts>,
    /// Sockets and protocol counters.
    pub sockets: Layered<sockets::Facts>,
    /// Memory.
    pub memory: Layered<memory::Facts>,
    /// Block devices.
    pub disk: Layered<disk::Facts>,
    /// Network file systems.
    pub nfs: Layered<nfs::Facts>,
    /// Processes and threads.
    pub tasks: Layered<tasks::Facts>,
    /// Control groups.
    pub cgroup: Layered<cgroup::Facts>,
    /// What counts up in Nginx.
    #[serde(default = "no_counters")]
    pub nginx: Layered<nginx::Counters>,
    /// What counts up in PHP-FPM.
    #[serde(default = "no_counters")]
    pub php_fpm: Layered<php_fpm::Counters>,
    /// What the shared memory of OPcache holds.
    #[serde(default = "no_counters")]
    pub opcache: Layered<opcache::Counters>,
    /// What counts up in database servers.
    #[serde(default = "no_counters")]
    pub mysql: Layered<mysql::Counters>,
    /// What counts up in ProxySQL.
    #[serde(default = "no_counters")]
    pub proxysql: Layered<proxysql::Counters>,
}

/// Everything that was read of a host: what a diagnosis reasons over, and what a bundle holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The machine.
    pub host: HostIdentity,
    /// Kernel parameters and the configuration files behind them, read once.
    pub settings: settings::Facts,
    /// The services of a PHP site: configuration, code and logs, read once, at the end of the window.
    #[serde(default)]
    pub services: Services,
    /// Full readings, oldest first.
    pub readings: Vec<Reading>,
    /// What was sampled between the first and the last reading.
    pub samples: Samples,
}

/// The first and the last reading of a layer, and the time between them.
#[derive(Debug)]
pub struct Span<'a, T> {
    /// The layer at the first reading.
    pub first: &'a T,
    /// The layer at the last reading.
    pub last: &'a T,
    /// Seconds between them, by the monotonic clock; more than 0.
    pub seconds: f64,
}

impl Evidence {
    /// The length of the window in seconds, by the monotonic clock; 0 where that clock stood still or is not to be
    /// believed.
    pub fn seconds(&self) -> f64 {
        let ends = self.readings.first().zip(self.readings.last());
        ends.and_then(|(first, last)| between(first, last)).unwrap_or(0.0)
    }

    /// A layer at the last reading that has it.
    ///
    /// # Errors
    /// What is missing, when no reading has it.
    pub fn latest<'a, T: 'a>(&'a self, layer: fn(&'a Reading) -> &'a Layered<T>) -> Result<&'a T, Missing> {
        if let Some(facts) = self.readings.iter().rev().find_map(|reading| layer(reading).facts()) {
            return Ok(facts);
        }
        Err(self.why_unread(layer))
    }

    /// A layer at the first and the last reading that have it.
    ///
    /// # Errors
    /// What is missing: the layer itself, or a second reading at a later time.
    pub fn span<'a, T: 'a>(
        &'a self,
        layer: fn(&'a Reading) -> &'a Layered<T>,
    ) -> Result<Span<'a, T>, Missing> {
        let mut read = self.readings.iter().filter(|reading| layer(reading).facts().is_some());
        let (first, last) = (read.next(), read.next_back());
        let Some(first) = first else { return Err(self.why_unread(layer)) };
        let seconds = last.and_then(|last| between(first, last));
        let facts = |reading: &'a Reading| layer(reading).facts();
        match (facts(first), last.and_then(facts), seconds) {
            (Some(first), Some(last), Some(seconds)) => Ok(Span { first, last, seconds }),
            _ => Err(Missing::new(
                "a second reading at a later time",
                "rates need two readings: run `narrows check` on the live host, or record a tree of several instants",
            )),
        }
    }

    fn why_unread<'a, T: 'a>(&'a self, layer: fn(&'a Reading) -> &'a Layered<T>) -> Missing {
        let unread = self.readings.iter().rev().find_map(|reading| match layer(reading) {
            Layered::Unread(unread) => Some(unread),
            Layered::Facts(_) => None,
        });
        match unread {
            Some(unread) => Missing::new(unread.why.clone(), unread.how_to_enable.clone()),
            None => Missing::new("any reading", "read the host once"),
        }
    }
}

/// The seconds from one reading to another; `None` unless they are more than 0 and finite.
fn between(first: &Reading, last: &Reading) -> Option<f64> {
    let seconds = last.clock.monotonic_s - first.clock.monotonic_s;
    (seconds > 0.0 && seconds.is_finite()).then_some(seconds)
}
