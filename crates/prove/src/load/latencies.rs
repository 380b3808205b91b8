//! Latencies, kept with a bounded relative error.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Durations from 1 µs to an hour, kept to three significant digits (HdrHistogram).
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

const MOST_US: u64 = 3_600_000_000;
/// What is printed of a histogram.
const QUANTILES: &[(&str, f64)] = &[
    ("p50_ms", 0.5),
    ("p90_ms", 0.9),
    ("p95_ms", 0.95),
    ("p99_ms", 0.99),
    ("p999_ms", 0.999),
    ("max_ms", 1.0),
];

impl Default for Latencies {
    fn default() -> Self {
        match Histogram::new_with_bounds(1, MOST_US, 3) {
            Ok(histogram) => Self(histogram),
            Err(error) => unreachable!("constant bounds that a histogram takes: {error}"),
        }
    }
}

impl Latencies {
    /// Counts one; what is longer than an hour counts as an hour.
    pub fn record(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(microseconds.max(1));
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds, so that it cannot fail.
        let _ = self.0.add(&other.0);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The quantile `q` (0 to 1) in milliseconds; `None` where nothing was counted.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of at most an hour")]
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(q) as f64 / 1000.0)
    }

    /// The mean in milliseconds; `None` where nothing was counted.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.0.mean() / 1000.0)
    }
}

impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("count", &self.count())?;
        map.serialize_entry("mean_ms", &self.mean_ms())?;
        for (name, quantile) in QUANTILES {
            map.serialize_entry(name, &self.quantile_ms(*quantile))?;
        }
        map.end()
    }
}
