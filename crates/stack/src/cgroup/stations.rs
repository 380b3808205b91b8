//! The quotas and memory limits of control groups are stations.

use model::Station;

use super::rates::{Quota, held_share, quotas};
use super::{Facts, Group};
use crate::Evidence;

/// So many groups of each kind are shown, nearest to their limit first.
const MOST: usize = 16;

/// Every CPU quota and every memory limit, nearest to its limit first.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let mut cpu: Vec<_> = match evidence.span(|reading| &reading.cgroup) {
        Ok(span) => quotas(&span).iter().map(cpu_station).collect(),
        Err(_) => vec![],
    };
    let mut memory: Vec<_> = match evidence.latest(|reading| &reading.cgroup) {
        Ok(Facts { groups, .. }) => groups.iter().filter_map(memory_station).collect(),
        Err(_) => vec![],
    };
    for stations in [&mut cpu, &mut memory] {
        let use_of = |station: &Station| station.utilization().unwrap_or(0.0);
        stations.sort_by(|a, b| use_of(b).total_cmp(&use_of(a)));
        stations.truncate(MOST);
    }
    cpu.append(&mut memory);
    cpu
}

fn cpu_station(quota: &Quota) -> Station {
    Station {
        servers: Some(quota.cpus),
        busy: quota.used_cpus,
        waiting: quota.throttled_s_per_s,
        ..Station::new(
            "cgroup",
            format!("cgroup.cpu:{}", quota.path),
            format!("the CPU quota of {}", quota.path),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn memory_station(group: &Group) -> Option<Station> {
    let limit = group.memory_max_bytes? as f64;
    Some(Station {
        servers: Some(limit),
        busy: Some(held_share(group)? * limit),
        grows_with_load: false,
        ..Station::new(
            "cgroup",
            format!("cgroup.memory:{}", group.path),
            format!("the memory limit of {}", group.path),
        )
    })
}
