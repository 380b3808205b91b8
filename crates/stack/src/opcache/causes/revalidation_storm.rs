//! Timestamps of scripts that are asked for over the network, all at once.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::composer::Application;
use crate::nfs::rates::{Rates, rates};
use crate::nginx::logs;
use crate::opcache::Runtime;
use crate::opcache::view;
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.revalidation-storm",
    title: "PHP asks a file server about all of its scripts at once",
    explains: &[
        "nginx.periodic-stall",
        "nginx.first-byte-slow",
        "nfs.latency-high",
        "cpu.load-high-while-idle",
    ],
    refutes: &[],
    document: include_str!("revalidation_storm.md"),
    test,
};

const VALIDATE: &str = "opcache.validate_timestamps";
const FREQUENCY: &str = "opcache.revalidate_freq";
const SOURCE: &str = "/proc/self/mountstats";
/// The kernel's default of `acregmax`, in seconds (nfs(5)).
const ACREGMAX_S: f64 = 60.0;
/// Fewer questions per second than this make no one wait.
const LEAST_PER_S: f64 = 5.0;
/// As many questions as scripts, within this factor, are those of OPcache.
const FACTOR: f64 = 2.0;
/// Two timers are the same within this share.
const SAME: f64 = 0.15;
/// The least and most seconds that new code may wait, where nobody reloads PHP-FPM.
const FREQUENCIES_S: (f64, f64) = (60.0, 300.0);

/// What is known of the questions of one PHP-FPM to one mount.
struct Storm<'a> {
    runtime: &'a Runtime,
    application: &'a Application,
    mount: &'a Rates<'a>,
    frequency_s: f64,
    cached_s: f64,
    /// From one burst to the next.
    period_s: f64,
    scripts: Option<f64>,
    asked: f64,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let runtimes = view::runtimes(evidence)?;
    let validate = |runtime: &Runtime| {
        let status = view::status_of(evidence, &runtime.version);
        view::setting(status, Some(runtime), VALIDATE, "1")
    };
    let Some(runtime) = runtimes.iter().find(|runtime| view::is_on(&validate(runtime).0)) else {
        let line =
            runtimes.first().map_or("no PHP-FPM on this host", |_| "PHP-FPM never looks at timestamps");
        return Ok(Outcome::ruled_out(line));
    };
    let applications = &facts(&evidence.services.composer)?.applications;
    let far = |one: &&Application| one.mount.as_ref().is_some_and(|mount| mount.network);
    let Some(application) = applications.iter().find(far) else {
        return Ok(Outcome::ruled_out(near(evidence, runtime)));
    };
    let span = evidence.span(|reading| &reading.nfs)?;
    let rates = rates(&span);
    let mount_point = application.mount.as_ref().map_or("", |mount| mount.mount_point.as_str());
    let Some(mount) = rates.iter().find(|one| one.mount.mount_point == mount_point) else {
        return Err(Missing::new(
            format!("operations of {mount_point}"),
            "only NFS counts them: compare times with opcache.validate_timestamps=0, or move the code to a local disk",
        ));
    };
    Ok(judge(evidence, &storm(evidence, runtime, application, mount)))
}

/// What looking costs where the kernel answers itself.
fn near(evidence: &Evidence, runtime: &Runtime) -> String {
    let status = view::status_of(evidence, &runtime.version);
    let (frequency, _) = view::setting(status, Some(runtime), FREQUENCY, "2");
    match status {
        Some(status) => format!(
            "{} scripts are looked at on local disks, each once in {frequency} s: about a microsecond each",
            status.cached_scripts
        ),
        None => format!(
            "scripts are looked at on local disks, each once in {frequency} s: about a microsecond each"
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of scripts and of operations")]
fn storm<'a>(
    evidence: &Evidence,
    runtime: &'a Runtime,
    application: &'a Application,
    mount: &'a Rates<'a>,
) -> Storm<'a> {
    let status = view::status_of(evidence, &runtime.version);
    let (frequency, _) = view::setting(status, Some(runtime), FREQUENCY, "2");
    let frequency_s = frequency.trim().parse().unwrap_or(2.0_f64).max(0.0);
    let option = |name: &str| mount.mount.option(name).and_then(|value| value.parse::<f64>().ok());
    let cached_s = match mount.mount.has("noac") {
        true => 0.0,
        false => option("actimeo").or_else(|| option("acregmax")).unwrap_or(ACREGMAX_S),
    };
    let period_s =
        if frequency_s > 0.0 { frequency_s * (cached_s / frequency_s).ceil().max(1.0) } else { cached_s };
    let scripts = status.map(|status| status.cached_scripts as f64).filter(|scripts| *scripts > 0.0);
    let asked = mount.sum(|name| name == "GETATTR").operations as f64;
    Storm { runtime, application, mount, frequency_s, cached_s, period_s, scripts, asked }
}

fn judge(evidence: &Evidence, storm: &Storm) -> Outcome {
    let stall = logs::period(evidence).ok().flatten().map(|(_, period)| period);
    let same_timer = stall.filter(|stall| (stall.period_s - storm.period_s).abs() <= storm.period_s * SAME);
    let bursts = (storm.mount.seconds / storm.period_s.max(1.0)).round().max(1.0);
    let expected = storm.scripts.map(|scripts| scripts * bursts);
    let as_many =
        expected.is_some_and(|expected| (expected / FACTOR..=expected * FACTOR).contains(&storm.asked));
    let per_s = storm.asked / storm.mount.seconds;
    let line = line(storm, per_s);
    let outcome = if let Some(stall) = same_timer {
        let stalls = format!(
            "{line}; requests stall for {} s every {} s",
            number_text(stall.stall_s),
            number_text(stall.period_s.round())
        );
        Outcome::confirmed(Severity::Limiting, stalls)
    } else if per_s >= LEAST_PER_S && as_many {
        Outcome::confirmed(Severity::Limiting, line)
    } else if per_s >= LEAST_PER_S {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "as many questions as OPcache has scripts",
            "run narrows as root, for two periods at least: others ask this mount as well",
        ))
    } else if storm.mount.seconds < storm.period_s {
        let how = format!("narrows check --for {}s", number_text((storm.period_s * 2.0).ceil()));
        Outcome::consistent(Severity::Latent, line)
            .lacks(Missing::new("a window longer than the period", how))
    } else {
        return Outcome::ruled_out(line).seen_all(observations(storm));
    };
    outcome.seen_all(observations(storm)).remedy(less(evidence, storm)).remedy(local(storm))
}

fn line(storm: &Storm, per_s: f64) -> String {
    let scripts = storm
        .scripts
        .map_or_else(|| "scripts".to_owned(), |scripts| format!("{} scripts", number_text(scripts)));
    format!(
        "{scripts} on {}: asked for about every {} s ({FREQUENCY} {}, attributes are kept {} s); {} GETATTR/s",
        storm.application.root,
        number_text(storm.period_s),
        number_text(storm.frequency_s),
        number_text(storm.cached_s),
        number_text(per_s)
    )
}

fn observations(storm: &Storm) -> Vec<Observation> {
    let place = &storm.mount.mount.mount_point;
    let mut seen = vec![
        Observation::new(SOURCE, format!("{place} GETATTR"), storm.asked),
        Observation::new(SOURCE, format!("{place} attributes kept"), storm.cached_s).unit("s"),
        view::seen(FREQUENCY, &view::setting(None, Some(storm.runtime), FREQUENCY, "2")),
    ];
    let mean = storm.mount.mean_ms(|operation| operation.execute_ms);
    seen.extend(
        mean.map(|ms| Observation::new(SOURCE, format!("{place} execute per operation"), ms).unit("ms")),
    );
    seen.extend(storm.scripts.map(|scripts| Observation::new(view::STATUS, "num_cached_scripts", scripts)));
    seen
}

/// Whether all code of this host changes by deployments alone.
fn is_immutable(evidence: &Evidence) -> bool {
    let Ok(wordpress) = facts(&evidence.services.wordpress) else { return false };
    wordpress.sites.iter().all(|site| site.is_true("DISALLOW_FILE_MODS") == Some(true))
}

fn less(evidence: &Evidence, storm: &Storm) -> Remedy {
    let (version, runtime) = (storm.runtime.version.as_str(), Some(storm.runtime));
    let scripts = storm.scripts.map_or_else(|| "not counted".to_owned(), number_text);
    if is_immutable(evidence) {
        let target = Derived::new(
            "0",
            "no site here changes its own code; scripts / period questions per second become none",
        )
        .input("scripts", scripts, view::STATUS)
        .input(
            "period",
            format!("{} s", number_text(storm.period_s)),
            "freq × ⌈attribute time / freq⌉",
        );
        let settings = [(VALIDATE, "0".to_owned())];
        let change = view::change(version, runtime, Some("1".to_owned()), &settings, target)
            .coupled_with(&format!("each deployment ends with a reload of php{version}-fpm; opcache_reset() on the command line is none"));
        return Remedy::new(
            "Never look at timestamps, and reload PHP-FPM with each deployment",
            "GETATTR of the mount fall to 0",
        )
        .change(change);
    }
    let (least, most) = FREQUENCIES_S;
    let frequency_s = storm.frequency_s.clamp(least, most);
    let kept_s = frequency_s * 10.0;
    let target = Derived::new(
        number_text(frequency_s),
        "from 60 to 300 s, as new code may wait so long; attributes are kept ten times as long",
    )
    .input("now", format!("{} s", number_text(storm.frequency_s)), FREQUENCY)
    .input("scripts", scripts, view::STATUS);
    let settings = [(FREQUENCY, format!("{frequency_s:.0}"))];
    let now = Some(number_text(storm.frequency_s));
    let frequency = view::change(version, runtime, now, &settings, target).coupled_with(&format!(
        "nocto,actimeo={kept_s:.0} of the mount: without it the questions only come less often"
    ));
    let target = Derived::new(format!("nocto,actimeo={kept_s:.0}"), "10 × revalidate_freq").input(
        "revalidate_freq",
        format!("{frequency_s:.0} s"),
        FREQUENCY,
    );
    let contrary = ["acregmin", "acregmax", "acdirmin", "acdirmax", "noac", "cto"].into_iter();
    let remove = contrary.filter(|name| storm.mount.mount.mount_options.contains_key(*name));
    let what = ChangeKind::Mount {
        mount_point: storm.mount.mount.mount_point.clone(),
        set: vec!["nocto".to_owned(), format!("actimeo={kept_s:.0}")],
        remove: remove.map(str::to_owned).collect(),
    };
    let mount = Change::new(what, Some(format!("{} s", number_text(storm.cached_s))), target)
        .persists_by("/etc/fstab")
        .restarts("umount and mount; `mount -o remount` refuses it")
        .risks("what other hosts change is seen late by as much");
    Remedy::new("Look less often than attributes expire", "GETATTR/s fall to scripts / actimeo")
        .change(frequency)
        .change(mount)
}

fn local(storm: &Storm) -> Remedy {
    let place = format!("the deployment of {}", storm.application.root);
    let target = Derived::new("the code on a local disk or in the image", "GETATTR → 0").input(
        "GETATTR",
        format!("{}/s", number_text(storm.asked / storm.mount.seconds)),
        SOURCE,
    );
    let change = Change::new(ChangeKind::Elsewhere { place }, None, target)
        .risks("every host needs the new code at a deployment");
    Remedy::new("Keep executable code off the network", "NFS operations per request fall to 0").change(change)
}
