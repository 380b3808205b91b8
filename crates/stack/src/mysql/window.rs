//! What a server counted within the window.

use model::Missing;

use super::ServerCounters;
use crate::Evidence;

/// The counters of one server at both ends of the window.
pub(crate) struct Window<'a> {
    evidence: &'a Evidence,
    first: &'a ServerCounters,
    last: &'a ServerCounters,
    pub(crate) seconds: f64,
}

impl<'a> Window<'a> {
    /// The window of the server at an address.
    ///
    /// # Errors
    /// What is missing: two readings of its counters.
    pub(crate) fn of(evidence: &'a Evidence, address: &str) -> Result<Self, Missing> {
        let span = evidence.span(|reading| &reading.mysql)?;
        let at = |counters: &'a super::Counters| {
            let found = counters.servers.iter().find(|server| server.address == address);
            let found = found.ok_or_else(|| {
                Missing::new(
                    format!("the counters of {address}"),
                    "read the host again while the server runs",
                )
            })?;
            match &found.unread {
                Some(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
                None => Ok(found),
            }
        };
        Ok(Self { evidence, first: at(span.first)?, last: at(span.last)?, seconds: span.seconds })
    }

    /// By how much a counter grew; `None` where it went backwards, as after a restart or `FLUSH STATUS`.
    pub(crate) fn grew(&self, name: &str) -> Option<f64> {
        let by = self.last.status.get(name)? - self.first.status.get(name)?;
        (by >= 0.0).then_some(by)
    }

    /// By how much a counter grew in a second.
    pub(crate) fn per_s(&self, name: &str) -> Option<f64> {
        Some(self.grew(name)? / self.seconds)
    }

    /// The mean of a gauge over all readings.
    pub(crate) fn mean(&self, name: &str) -> Option<f64> {
        let readings = self.evidence.readings.iter().filter_map(|reading| reading.mysql.facts());
        let values = readings.filter_map(|counters| {
            let server = counters.servers.iter().find(|server| server.address == self.last.address)?;
            server.status.get(name).copied()
        });
        let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// CPUs that its process kept busy.
    pub(crate) fn cpus_busy(&self) -> Option<f64> {
        let by = self.last.cpu_s? - self.first.cpu_s?;
        (by >= 0.0 && self.first.pid == self.last.pid).then_some(by / self.seconds)
    }
}
