//! A station: anything with a limit that requests pass through.

use serde::{Deserialize, Serialize};

/// A limit of the stack with what was measured of it. What was not measured is `None`; nothing is guessed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// Identity within the report, as `layer.station[:instance]`.
    pub id: String,
    /// The layer it belongs to.
    pub layer: String,
    /// What it is, as a person calls it.
    pub what: String,
    /// How many units of work it holds or serves at once: CPUs, slots, ports, queue places.
    pub servers: Option<f64>,
    /// How many may wait for it.
    pub queue: Option<f64>,
    /// Work arriving, per second.
    pub arrivals_per_s: Option<f64>,
    /// Seconds of service one unit of work takes.
    pub service_s: Option<f64>,
    /// How many servers are busy on average over the window (for a queue station: places taken at the peak).
    pub busy: Option<f64>,
    /// How many units of work wait.
    pub waiting: Option<f64>,
    /// Work lost per second.
    pub lost_per_s: Option<f64>,
    /// How often one web request passes here.
    pub visits_per_request: Option<f64>,
    /// Whether what is busy grows in proportion to load. Memory does not: most of it is held whatever arrives.
    #[serde(default = "grows")]
    pub grows_with_load: bool,
}

fn grows() -> bool {
    true
}

impl Station {
    /// A station of which nothing was measured yet.
    pub fn new(layer: &str, id: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            layer: layer.to_owned(),
            what: what.into(),
            servers: None,
            queue: None,
            arrivals_per_s: None,
            service_s: None,
            busy: None,
            waiting: None,
            lost_per_s: None,
            visits_per_request: None,
            grows_with_load: true,
        }
    }

    /// The share of the limit in use: busy servers, or by the utilization law U = X·S/m.
    pub fn utilization(&self) -> Option<f64> {
        let servers = self.servers.filter(|servers| *servers > 0.0)?;
        let busy = self.busy.or_else(|| Some(self.arrivals_per_s? * self.service_s?))?;
        Some((busy / servers).max(0.0))
    }

    /// The share of the limit that today's arrivals come to occupy, by the utilization law. It is more than is busy now where
    /// work is held for long: a local port stays taken for a minute after its connection.
    fn demanded(&self) -> Option<f64> {
        let servers = self.servers.filter(|servers| *servers > 0.0)?;
        Some(self.arrivals_per_s? * self.service_s? / servers).filter(|share| share.is_finite())
    }

    /// The share of the limit that is left; 0 when the limit is reached.
    pub fn headroom(&self) -> Option<f64> {
        Some((1.0 - self.utilization()?).max(0.0))
    }

    /// Whether work is being lost, or the limit is reached.
    pub fn is_saturated(&self) -> bool {
        self.lost_per_s.is_some_and(|lost| lost > 0.0) || self.utilization().is_some_and(|use_| use_ >= 1.0)
    }

    /// The multiple of today's load at which the limit is reached, if load on it grows in proportion.
    ///
    /// 1 when it is reached already; `None` when unmeasured or not in proportion to load, infinite when idle.
    pub fn saturates_at_times(&self) -> Option<f64> {
        if self.is_saturated() {
            return Some(1.0);
        }
        let share = self.utilization()?.max(self.demanded().unwrap_or(0.0));
        self.grows_with_load.then(|| share.recip().max(1.0))
    }

    /// The rate of web requests at which the limit is reached: m / (V·S), as service demand is D = V·S.
    pub fn saturates_at_requests_per_s(&self) -> Option<f64> {
        let demand_s = self.visits_per_request? * self.service_s?;
        (demand_s > 0.0).then_some(self.servers? / demand_s)
    }

    /// Says how often a request passes here, where web requests come at this rate and arrivals were measured.
    #[must_use]
    pub fn at_request_rate(mut self, requests_per_s: f64) -> Self {
        self.visits_per_request = self.arrivals_per_s.map(|arrivals| arrivals / requests_per_s);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> Station {
        Station {
            servers: Some(1.0),
            busy: Some(0.25),
            ..Station::new("disk", "disk.device:vda", "disk vda")
        }
    }

    #[test]
    fn a_quarter_busy_saturates_at_four_times_the_load() {
        assert_eq!(disk().saturates_at_times(), Some(4.0));
        assert_eq!(disk().headroom(), Some(0.75));
    }

    #[test]
    fn losing_work_is_saturation_whatever_the_utilization() {
        let losing = Station { lost_per_s: Some(3.0), ..disk() };
        assert_eq!(losing.saturates_at_times(), Some(1.0));
    }

    #[test]
    fn what_does_not_grow_with_load_breaks_only_when_it_is_full() {
        let memory = |busy| Station { busy: Some(busy), grows_with_load: false, ..disk() };
        assert_eq!(memory(0.9).saturates_at_times(), None);
        assert_eq!(memory(1.0).saturates_at_times(), Some(1.0));
    }

    #[test]
    fn what_arrivals_will_occupy_counts_before_it_is_occupied() {
        let ports = Station {
            servers: Some(600.0),
            busy: Some(20.0),
            arrivals_per_s: Some(2.0),
            service_s: Some(60.0),
            ..Station::new("sockets", "sockets.ports:a>b", "local ports")
        };
        assert_eq!((ports.utilization(), ports.saturates_at_times()), (Some(20.0 / 600.0), Some(5.0)));
        let ports = ports.at_request_rate(4.0);
        assert_eq!((ports.visits_per_request, ports.saturates_at_requests_per_s()), (Some(0.5), Some(20.0)));
        let soon = Station { arrivals_per_s: Some(100.0), ..ports };
        assert_eq!(soon.saturates_at_times(), Some(1.0), "never at less than the load of today");
    }

    #[test]
    fn what_was_not_measured_is_not_guessed() {
        assert_eq!(Station::new("disk", "disk.device:vda", "disk vda").utilization(), None);
    }
}
