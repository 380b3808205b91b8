//! Memory is a station whose servers are its bytes.

use model::Station;

use crate::Evidence;

/// Memory, with what cannot be had without swapping or killing as busy (`MemTotal` − `MemAvailable`).
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(memory) = evidence.latest(|reading| &reading.memory) else { return vec![] };
    let bytes = |name: &str| memory.meminfo.get(name).copied();
    let (Some(total), Some(available)) = (bytes("MemTotal"), bytes("MemAvailable")) else { return vec![] };
    vec![Station {
        servers: Some(total as f64),
        busy: Some(total.saturating_sub(available) as f64),
        grows_with_load: false,
        ..Station::new("memory", "memory.bytes", "memory")
    }]
}
