//! Cached attributes that expire and are asked for again and again.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nfs::mounted::{NONE, SOURCE, fstab, has_option, mounted};
use crate::nfs::rates::{CHANGES, REVALIDATION, Rates, rates};
use crate::{Cause, Evidence, Refutation};

pub(super) static CAUSE: Cause = Cause {
    id: "nfs.attribute-expiry",
    title: "NFS attributes expire and are asked for again",
    explains: &["nfs.latency-high", "tasks.stuck", "cpu.load-high-while-idle"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "GETATTR, LOOKUP and ACCESS wait in rpc_wait_bit_killable, which sleeps without in_iowait",
    }],
    document: include_str!("attribute_expiry.md"),
    test,
};

/// From this share of all operations on, the mount does little else than revalidate.
const MOST: f64 = 0.8;
/// From this share on it may be what matters.
const HALF: f64 = 0.5;
/// Fewer revalidations per second than this are no load.
const LEAST_PER_S: f64 = 50.0;
/// From one task inside NFS on, on average, pages wait for it.
const FELT: f64 = 1.0;
/// The kernel's default of `acregmax`, in seconds (nfs(5)).
const ACREGMAX_S: u64 = 60;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let Some(span) = mounted(evidence)? else { return Ok(Outcome::ruled_out(NONE)) };
    let rates = rates(&span);
    let Some(mount) = rates.iter().max_by(|a, b| per_s(a).total_cmp(&per_s(b))) else {
        return Ok(Outcome::ruled_out("no mount has counters over the whole window"));
    };
    let severity = if mount.inside() >= FELT { Severity::Limiting } else { Severity::Hygiene };
    let outcome = match (per_s(mount) >= LEAST_PER_S, share(mount)) {
        (true, share) if share >= MOST => Outcome::confirmed(severity, line(mount))
            .remedy(local_code(mount))
            .remedy(longer_cache(evidence, mount)),
        (true, share) if share >= HALF => {
            Outcome::consistent(Severity::Hygiene, line(mount)).lacks(Missing::new(
                "a mount that does little else than revalidate",
                "compare operations per page before and after a longer actimeo",
            ))
        }
        _ => Outcome::ruled_out(line(mount)),
    };
    Ok(outcome.seen_all(observations(mount)))
}

fn revalidations(mount: &Rates) -> u64 {
    mount.sum(|name| REVALIDATION.contains(&name)).operations
}

#[expect(clippy::cast_precision_loss, reason = "operations of a window")]
fn per_s(mount: &Rates) -> f64 {
    revalidations(mount) as f64 / mount.seconds
}

fn share(mount: &Rates) -> f64 {
    let all = mount.per_s();
    if all > 0.0 { per_s(mount) / all } else { 0.0 }
}

fn line(mount: &Rates) -> String {
    let (place, rate) = (&mount.mount.mount_point, number_text(per_s(mount)));
    let cached = match acregmax_s(mount) {
        Some(0) => ", attributes are not cached at all",
        _ => "",
    };
    format!("{place}: {rate} GETATTR+LOOKUP+ACCESS/s, {:.0} % of all{cached}", share(mount) * 100.0)
}

fn acregmax_s(mount: &Rates) -> Option<u64> {
    if mount.mount.has("noac") {
        return Some(0);
    }
    let all = mount.mount.option("actimeo").and_then(|value| value.parse().ok());
    all.or_else(|| mount.mount.option("acregmax")?.parse().ok())
}

fn observations(mount: &Rates) -> Vec<Observation> {
    let place = &mount.mount.mount_point;
    let wanted = mount.operations.iter().filter(|(name, _)| REVALIDATION.contains(name));
    let mut seen: Vec<_> = wanted
        .map(|(name, grown)| Observation::new(SOURCE, format!("{place} {name}"), grown.operations))
        .collect();
    for option in ["acregmin", "acregmax", "acdirmin", "acdirmax"] {
        let value = mount.mount.option(option).and_then(|value| value.parse::<u32>().ok());
        seen.extend(
            value.map(|value| Observation::new(SOURCE, format!("{place} {option}"), value).unit("s")),
        );
    }
    seen.extend(
        mount
            .invalidations
            .map(|events| Observation::new(SOURCE, format!("{place} attrinvalidates"), events)),
    );
    seen.push(Observation::new(SOURCE, format!("{place} tasks inside"), mount.inside()).unit("tasks"));
    seen
}

fn local_code(mount: &Rates) -> Remedy {
    let target = Derived::new(
        "the code in the image or on a local disk; only uploads stay shared",
        "operations/s → 0",
    )
    .input("operations", format!("{}/s", number_text(mount.per_s())), SOURCE);
    let place = format!("the deployment of {}", mount.mount.mount_point);
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("every host needs the new code at a deployment");
    Remedy::new("Keep executable code off the network", "NFS operations per request fall to 0").change(change)
}

/// Longer caching is safe only where nothing was written since the mount (uploads are rarer than windows); otherwise the
/// parts that are have to be separated first.
fn longer_cache(evidence: &Evidence, mount: &Rates) -> Remedy {
    let moves = "GETATTR/s falls below 1";
    let changes = mount.mount.operations.iter().filter(|(name, _)| CHANGES.contains(&name.as_str()));
    let written = changes.fold(0_u64, |sum, (_, operation)| sum.saturating_add(operation.operations));
    let place = mount.mount.mount_point.clone();
    if written > 0 {
        let target = Derived::new("an export of its own for what is written", "changes since the mount = 0")
            .input("changes", written, SOURCE);
        let change = Change::new(
            ChangeKind::Elsewhere { place: format!("the export {}", mount.mount.device) },
            None,
            target,
        )
        .risks("with long caching, files that change are seen late");
        return Remedy::new("Separate what is written from the code, then cache the code longer", moves)
            .change(change);
    }
    let now_s = acregmax_s(mount).filter(|seconds| *seconds > 0).unwrap_or(ACREGMAX_S);
    let actimeo = now_s.saturating_mul(10).clamp(600, 3600);
    let target = Derived::new(
        format!("ro,nocto,actimeo={actimeo}"),
        "10 × acregmax (its default where nothing is cached), from 600 to 3600 s; noac left out",
    )
    .input("acregmax", format!("{now_s} s"), "mountstats opts, or nfs(5)'s default");
    let change = Change::new(
        ChangeKind::Mount {
            set: ["ro".to_owned(), "nocto".to_owned(), format!("actimeo={actimeo}")].to_vec(),
            remove: contrary(evidence, mount),
            mount_point: place,
        },
        mount.mount.option("acregmax").map(|value| format!("acregmax={value}")),
        target,
    )
    .persists_by("/etc/fstab")
    .restarts("umount and mount; `mount -o remount` fails with code 32 (nfs_compare_remount_data)")
    .coupled_with("opcache.revalidate_freq at most a tenth of actimeo")
    .risks("nothing can be written here any more, and changed files are seen up to actimeo late");
    Remedy::new("Cache attributes longer: umount and mount read-mostly code anew", moves).change(change)
}

/// Options of the mount, or of its line in fstab, that say the contrary of `ro,nocto,actimeo`.
fn contrary(evidence: &Evidence, mount: &Rates) -> Vec<String> {
    const CONTRARY: [&str; 8] = ["rw", "cto", "ac", "noac", "acregmin", "acregmax", "acdirmin", "acdirmax"];
    let line = fstab(evidence, &mount.mount.mount_point);
    let has = |option: &&str| {
        mount.mount.mount_options.contains_key(*option) || line.is_some_and(|line| has_option(line, option))
    };
    CONTRARY.into_iter().filter(has).map(str::to_owned).collect()
}
