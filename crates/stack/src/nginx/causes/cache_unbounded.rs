//! A cache whose files are not bounded, or whose keys take more memory than its files can use.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::{Edits, http};
use crate::nginx::caches::seen::{and_more, instances, line, none_found};
use crate::nginx::caches::{KEYS_PER_MB, Zone, zones};
use crate::nginx::{CacheFolder, ErrorKind, Instance};
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.cache-unbounded",
    title: "Nothing bounds the files of a cache",
    explains: &[],
    refutes: &[],
    document: include_str!("cache_unbounded.md"),
    test,
};

const MIB: u64 = 1 << 20;
/// Files of pages are hardly smaller than a block of the file system.
const LEAST_FILE_BYTES: u64 = 4096;
/// Keys for this many times the files that fit are plenty.
const PLENTY: u64 = 4;

struct Found<'a> {
    instance: &'a Instance,
    zone: Zone<'a>,
    folder: Option<&'a CacheFolder>,
}

impl Found<'_> {
    fn is_unbounded(&self) -> bool {
        self.zone.max_bytes.is_none() && self.zone.min_free_bytes.is_none()
    }

    /// Keys that the zone has room for.
    fn keys(&self) -> Option<u64> {
        Some(self.zone.keys_bytes? / MIB * KEYS_PER_MB)
    }

    /// The most that its files may take: what is configured, else the whole file system.
    fn room_bytes(&self) -> Option<u64> {
        self.zone.max_bytes.or(self.folder?.size_bytes)
    }

    fn keys_never_used(&self) -> bool {
        let files = self.room_bytes().map(|room| room / LEAST_FILE_BYTES);
        self.keys().zip(files).is_some_and(|(keys, files)| keys > PLENTY * files.max(KEYS_PER_MB))
    }

    fn in_memory(&self) -> bool {
        self.folder.is_some_and(CacheFolder::is_in_memory)
    }
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let folders = &services::facts(&evidence.services.nginx)?.cache_folders;
    let all = instances.iter().flat_map(|instance| {
        let found = |zone: Zone<'_>| folders.iter().find(|folder| folder.path == zone.folder);
        zones(&instance.configuration)
            .into_iter()
            .map(move |zone| (instance, zone))
            .map(move |(instance, zone)| {
                let folder = found(zone.clone());
                Found { instance, zone, folder }
            })
            .collect::<Vec<_>>()
    });
    let all: Vec<_> = all.collect();
    let unbounded: Vec<_> = all.iter().filter(|one| one.is_unbounded()).collect();
    let idle_keys: Vec<_> = all.iter().filter(|one| !one.is_unbounded() && one.keys_never_used()).collect();
    let worst = unbounded.iter().max_by_key(|one| one.in_memory());
    let outcome = match (worst, idle_keys.first()) {
        (Some(worst), _) => {
            let full = worst
                .instance
                .error_logs
                .iter()
                .flat_map(|log| &log.kinds)
                .find(|kind| kind.kind == ErrorKind::NoSpace);
            let severity = if full.is_some() { Severity::Breaking } else { Severity::Latent };
            let text = format!("{} may {}", place(&unbounded), fills(worst));
            let text = match full {
                Some(full) => format!("{text}; no space was left {} times", full.count),
                None => text,
            };
            Outcome::confirmed(severity, text)
        }
        (None, Some(one)) => Outcome::confirmed(Severity::Hygiene, keys_line(one)),
        (None, None) if all.is_empty() => return none_found(instances, "Nginx has no cache"),
        (None, None) => return none_found(instances, "every cache has a bound"),
    };
    let told = if unbounded.is_empty() { idle_keys } else { unbounded };
    let outcome = outcome.seen_all(told.iter().flat_map(|one| lines(one)));
    Ok(told.iter().fold(outcome, |outcome, one| outcome.remedy(remedy(one))))
}

fn place(found: &[&Found]) -> String {
    and_more(
        &found
            .iter()
            .map(|one| format!("{} ({})", one.zone.folder, one.zone.directive.place()))
            .collect::<Vec<_>>(),
    )
}

fn fills(found: &Found) -> String {
    let keys = found.keys().map(|keys| format!("grow to {} files", number_text(keys as f64)));
    let keys = keys.unwrap_or_else(|| "grow without end".to_owned());
    match found.folder {
        Some(folder) if folder.is_in_memory() => {
            let size = folder.size_bytes.map(|bytes| format!(" of {} MiB", bytes / MIB)).unwrap_or_default();
            format!(
                "{keys} and fill {}{size}, which is memory and which other services need",
                folder.mount_point
            )
        }
        Some(folder) => format!("{keys} and fill {} ({})", folder.mount_point, folder.filesystem),
        None => keys,
    }
}

fn keys_line(found: &Found) -> String {
    format!(
        "{} ({}): {} of keys for pages that never fit: a zone holds keys, about 8,000 in a MiB; pages are files",
        found.zone.name,
        found.zone.directive.place(),
        found.zone.keys_bytes.map(|bytes| format!("{} MiB", bytes / MIB)).unwrap_or_default(),
    )
}

fn lines(found: &Found) -> Vec<Observation> {
    let folder = found.folder.map(|folder| {
        let seen =
            Observation::new("/proc/self/mountinfo", folder.mount_point.clone(), folder.filesystem.clone());
        let size = folder.size_bytes.map(|bytes| {
            Observation::new("/proc/self/mountinfo", format!("{} size", folder.mount_point), bytes / MIB)
                .unit("MiB")
        });
        std::iter::once(seen).chain(size).collect::<Vec<_>>()
    });
    let keys =
        found.keys().map(|keys| Observation::new(found.zone.directive.place(), "keys_zone, keys", keys));
    std::iter::once(line(found.zone.directive)).chain(keys).chain(folder.into_iter().flatten()).collect()
}

/// The mean size of a stored page, where a log has it.
fn mean_bytes(instance: &Instance) -> Option<u64> {
    let logs = instance.access_logs.iter().filter(|log| !log.cache.is_empty());
    let means = logs.filter_map(|log| log.upstream_bytes.or(log.body_bytes)).map(|bytes| bytes.mean);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of a page")]
    means.max_by(f64::total_cmp).map(|mean| (mean.max(1.0)) as u64)
}

/// A quarter of the file system for its files, a tenth always free, and keys for the files that fit.
fn remedy(found: &Found) -> Remedy {
    let title = format!("Bound the cache {}", found.zone.name);
    let remedy = Remedy::new(title, format!("files below {} stay below the bound", found.zone.folder));
    let size = found.folder.and_then(|folder| Some((folder, folder.size_bytes?)));
    let bound =
        found.zone.max_bytes.or_else(|| size.map(|(_, bytes)| bytes / 4)).map(|bytes| (bytes / MIB).max(1));
    let (Some(context), Some(bound)) = (http(&found.instance.configuration), bound) else {
        let target = Derived::new(
            "max_size of a quarter of the file system, min_free of a tenth",
            "the size of the file system could not be read",
        )
        .input("folder", found.zone.folder, &found.zone.directive.place());
        let place = found.zone.directive.place();
        return remedy.change(Change::new(ChangeKind::Elsewhere { place }, None, target));
    };
    let page = mean_bytes(found.instance);
    let file_bytes = page.unwrap_or(LEAST_FILE_BYTES).max(LEAST_FILE_BYTES);
    let keys_mib = (bound * MIB / file_bytes).div_ceil(KEYS_PER_MB).max(1);
    let mut reason = Derived::new(
        "",
        "max_size = size / 4; min_free = size / 10; keys_zone = max_size / bytes of a page / 8000 keys per MiB",
    );
    if let Some((folder, bytes)) = size {
        reason = reason.input(
            "size",
            format!("{} MiB", bytes / MIB),
            &format!("the file system at {}", folder.mount_point),
        );
    }
    reason = match page {
        Some(bytes) => reason.input("bytes of a page", bytes, "access log, the mean"),
        None => reason.input("bytes of a page", LEAST_FILE_BYTES, "the least a file takes"),
    };
    let mut edits = Edits::of(&found.instance.configuration);
    let directive = found.zone.directive;
    if found.is_unbounded() {
        edits.parameter(&context, directive, ("max_size", &format!("{bound}m")));
        if let Some((_, bytes)) = size {
            edits.parameter(&context, directive, ("min_free", &format!("{}m", (bytes / 10 / MIB).max(1))));
        }
    }
    if found.zone.keys_bytes.is_none_or(|bytes| bytes > PLENTY * keys_mib * MIB) {
        let keys = format!("{}:{keys_mib}m", found.zone.name);
        edits.parameter(&context, directive, ("keys_zone", &keys));
    }
    let risk = "pages that were asked for longest ago go first; with a new size of the zone its keys are read anew from the files";
    edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
}
