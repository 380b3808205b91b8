//! The job that runs due events of a site on a clock: a service with limits, and its timer.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Edit};

use super::{Site, sites};
use crate::Evidence;
use crate::cpu::shares;

/// What WordPress lets scheduled work use unless `WP_MAX_MEMORY_LIMIT` says more (`wp_initial_constants()`).
const MEMORY_LIMIT_MIB: u64 = 256;

/// At this use of all CPUs a request waits about as long as it is served (Erlang's C formula, two CPUs).
const COMFORTABLE: f64 = 0.7;

/// The least that is left to the job, in CPUs: it shall end some day.
const LEAST_QUOTA: f64 = 0.1;

/// After this long a run is ended, in seconds: WordPress itself takes a lock that is 10 minutes old for a dead one's.
const LONGEST_RUN_S: u64 = 600;

/// The changes that run due events of a site each minute.
pub(super) fn changes(evidence: &Evidence, site: &Site) -> Vec<Change> {
    let Some((user, version)) = sites::user_of(evidence, site) else {
        let what = ChangeKind::Elsewhere { place: format!("a timer for {}", site.title()) };
        let words = "run wp-cron.php each minute as the user that makes the site's pages";
        return vec![Change::new(what, None, Derived::new(words, "no pool of PHP-FPM is known to serve it"))];
    };
    let name = format!("wordpress-cron-{}", slug(site));
    let file = |kind: &str| format!("/etc/systemd/system/{name}.{kind}");
    let php = format!("/usr/bin/php{}", version.unwrap_or_default());
    let limit = memory_limit_mib(site);
    let command = format!("{php} -d memory_limit={limit}M {}/wp-cron.php", site.root);
    let memory = Derived::new(format!("MemoryMax={}M", limit * 3 / 2), "⌈1.5 × memory limit⌉").input(
        "memory limit",
        format!("{limit} MiB"),
        "WP_MAX_MEMORY_LIMIT, or WordPress's own default",
    );
    let (quota, target) = with_quota(evidence, memory);
    let mut edits = vec![
        edit("Unit", "Description", &format!("Due events of WordPress at {}", site.title())),
        edit("Service", "Type", "oneshot"),
        edit("Service", "User", &user),
        edit("Service", "WorkingDirectory", &site.root),
        edit("Service", "ExecStart", &command),
        edit("Service", "TimeoutStartSec", &LONGEST_RUN_S.to_string()),
        edit("Service", "Nice", "10"),
        edit("Service", "CPUWeight", "20"),
    ];
    edits.extend(quota.map(|quota| edit("Service", "CPUQuota", &quota)));
    edits.push(edit("Service", "MemoryMax", &format!("{}M", limit * 3 / 2)));
    edits.push(edit("Service", "NoNewPrivileges", "yes"));
    edits.push(edit("Service", "PrivateTmp", "yes"));
    if let Some(host) = site.name.as_ref().filter(|name| *name != "default") {
        // Debian's wp-config.php chooses by it; PHP puts the environment into $_SERVER.
        edits.push(edit("Service", "Environment", &format!("HTTP_HOST={host}")));
    }
    let service = Change::new(file_kind(&file("service"), "a service that runs due events", edits), None, target)
        .persists_by(&file("service"))
        .risks(
            "a run is ended after 10 minutes: give longer imports a service of their own. It needs the command line of \
             PHP with the extensions that the site uses",
        );
    let edits = vec![
        edit("Unit", "Description", &format!("Due events of WordPress at {}, each minute", site.title())),
        edit("Timer", "OnCalendar", "minutely"),
        edit("Timer", "AccuracySec", "1s"),
        edit("Timer", "Persistent", "true"),
        edit("Install", "WantedBy", "timers.target"),
    ];
    let target = Derived::new("OnCalendar=minutely", "visits started events at most once each 60 s").input(
        "lock",
        "60 s",
        "WP_CRON_LOCK_TIMEOUT",
    );
    let timer = Change::new(file_kind(&file("timer"), "a timer that starts it", edits), None, target)
        .persists_by(&format!("/etc/systemd/system/timers.target.wants/{name}.timer"))
        .coupled_with(&format!("{name}.service"))
        .risks("none known: a run that has not ended is not started again");
    vec![service, timer]
}

/// A quota of what is left when CPUs are 70 % in use; without one where CPU time was not measured.
fn with_quota(evidence: &Evidence, memory: Derived) -> (Option<String>, Derived) {
    let span = evidence.span(|reading| &reading.cpu).ok();
    let measured = span.and_then(|span| Some((shares::count(span.last)?, shares::total(&span)?)));
    let Some((cpus, total)) = measured else { return (None, memory) };
    let busy = total.busy() + total.steal;
    let spare = ((COMFORTABLE - busy) * cpus).max(LEAST_QUOTA);
    let quota = format!("{:.0}%", (spare * 100.0 + 1e-6).floor());
    let value = format!("CPUQuota={quota}, {}", memory.value);
    let formula = format!("⌊max((0.7 − busy) × CPUs, 0.1) × 100⌋ %; {}", memory.formula);
    let mut target = Derived::new(value, &formula)
        .input("busy", number_text((busy * 100.0).round() / 100.0), "/proc/stat")
        .input("CPUs", number_text(cpus), "/proc/stat");
    target.inputs.extend(memory.inputs);
    (Some(quota), target)
}

/// `WP_MAX_MEMORY_LIMIT` in MiB, or what WordPress takes without it.
fn memory_limit_mib(site: &Site) -> u64 {
    let value = site.constants.get("WP_MAX_MEMORY_LIMIT").and_then(|constant| constant.value.as_deref());
    let parsed = value.and_then(|value| {
        let (number, unit) = value.trim().split_at(value.trim().len().checked_sub(1)?);
        match unit {
            "M" | "m" => number.parse::<u64>().ok(),
            "G" | "g" => number.parse::<u64>().ok()?.checked_mul(1024),
            _ => None,
        }
    });
    parsed.filter(|mib| (16..=1 << 20).contains(mib)).unwrap_or(MEMORY_LIMIT_MIB)
}

/// A name for units: the host's name or the folder, with what a unit's name takes.
fn slug(site: &Site) -> String {
    let text = site.name.as_deref().unwrap_or(&site.root).to_ascii_lowercase();
    let kept = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    let text: String = text.chars().map(kept).collect();
    text.trim_matches(['-', '.']).chars().take(80).collect()
}

fn edit(section: &str, key: &str, value: &str) -> Edit {
    Edit::Systemd { section: section.to_owned(), key: key.to_owned(), value: Some(value.to_owned()) }
}

fn file_kind(path: &str, words: &str, edits: Vec<Edit>) -> ChangeKind {
    ChangeKind::File { path: path.to_owned(), edit: words.to_owned(), edits }
}
