//! A table of slab caches that cannot be true.

use model::observation::number_text;
use model::{Missing, Observation, Outcome, Severity};

use crate::memory::rates::bytes_text;
use crate::memory::{Facts, Slab, slabs_matter};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.slab-table-inconsistent",
    title: "The table of slab caches contradicts itself",
    explains: &[],
    refutes: &[],
    document: include_str!("slab_table_inconsistent.md"),
    test,
};

/// The smallest page.
const PAGE_BYTES: u64 = 4096;
/// So many slabs may come or go while a row is put together.
const MOVING_SLABS: u64 = 16;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let memory = evidence.latest(|reading| &reading.memory)?;
    if memory.slabs.is_none() && !slabs_matter(&memory.meminfo) {
        let slab = memory.meminfo.get("Slab").copied().unwrap_or(0);
        return Ok(Outcome::ruled_out(format!("the kernel's caches take {} in all", bytes_text(slab))));
    }
    let slabs = memory
        .slabs
        .as_ref()
        .ok_or_else(|| Missing::new("/proc/slabinfo", "run narrows as root: only root may read it"))?;
    let wrong: Vec<_> = slabs.iter().filter_map(|slab| Some((slab, contradiction(slab)?))).collect();
    if let Some((slab, what)) = wrong.first() {
        let seen = wrong
            .iter()
            .take(8)
            .map(|(slab, what)| Observation::new("/proc/slabinfo", slab.name.as_str(), what.as_str()));
        return Ok(Outcome::confirmed(Severity::Hygiene, format!("{}: {what}", slab.name)).seen_all(seen));
    }
    if let Some(what) = larger_than_all(memory, slabs) {
        return Ok(Outcome::confirmed(Severity::Hygiene, what));
    }
    let dentry = slabs.iter().find(|slab| slab.name == "dentry");
    let dentry = dentry.map_or_else(String::new, |slab| {
        format!("; dentry {}", bytes_text(slab.objects.saturating_mul(slab.object_bytes)))
    });
    Ok(Outcome::ruled_out(format!("{} caches agree with themselves{dentry}", slabs.len())))
}

/// What is impossible about a row, where something is.
fn contradiction(slab: &Slab) -> Option<String> {
    let room = slab.slabs.saturating_mul(slab.objects_per_slab);
    let moving = slab.objects_per_slab.saturating_mul(MOVING_SLABS).max(room / 100);
    let count = |number: u64| number_text(as_number(number));
    if slab.objects > room.saturating_add(moving) {
        return Some(format!("{} objects, but its slabs hold {}", count(slab.objects), count(room)));
    }
    if slab.active_objects > slab.objects.saturating_add(moving) {
        return Some(format!("{} objects in use of {}", count(slab.active_objects), count(slab.objects)));
    }
    let fit = slab.pages_per_slab.saturating_mul(PAGE_BYTES).checked_div(slab.object_bytes)?;
    if slab.objects_per_slab > 0 && slab.objects_per_slab.saturating_mul(2) <= fit {
        let bytes = slab.objects.saturating_mul(slab.object_bytes);
        let claimed = slab.slabs.saturating_mul(slab.pages_per_slab).saturating_mul(PAGE_BYTES);
        return Some(format!(
            "{} objects a slab where {fit} fit: {}, not {}",
            slab.objects_per_slab,
            bytes_text(bytes),
            bytes_text(claimed)
        ));
    }
    None
}

/// A cache that is larger than all caches together (`Slab` of `/proc/meminfo`).
fn larger_than_all(memory: &Facts, slabs: &[Slab]) -> Option<String> {
    let all = memory.meminfo.get("Slab").copied()?;
    let bytes = |slab: &Slab| slab.objects.saturating_mul(slab.object_bytes);
    let largest = slabs.iter().max_by_key(|slab| bytes(slab))?;
    (bytes(largest) > all.saturating_add(all / 20)).then(|| {
        format!(
            "{} has {}, all caches together {}",
            largest.name,
            bytes_text(bytes(largest)),
            bytes_text(all)
        )
    })
}

#[expect(clippy::cast_precision_loss, reason = "a number that is shown")]
fn as_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_live_kernel_hold_no_contradiction() {
        // Linux 6.18 and 6.1: SLUB rounds the objects of a slab down to what fits its pages.
        for (objects, object_bytes, objects_per_slab, pages_per_slab, slabs) in [
            (117_012, 192, 21, 1, 5572),
            (50, 160, 25, 1, 2),
            (0, 312, 13, 1, 0),
            (32, 8192, 4, 8, 8),
            (30, 1088, 30, 8, 1),
        ] {
            let slab = Slab {
                name: "any".to_owned(),
                active_objects: objects,
                objects,
                object_bytes,
                objects_per_slab,
                pages_per_slab,
                slabs,
            };
            assert_eq!(contradiction(&slab), None);
        }
    }

    #[test]
    fn a_row_of_zeros_is_no_contradiction() {
        assert_eq!(contradiction(&Slab::default()), None);
    }
}
