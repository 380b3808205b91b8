//! More workers than the session has slots: what they wait for most is each other.

use std::time::Duration;

use model::Verdict;
use model::report::Report;

use crate::faults::Result;
use crate::inside::settle;
use crate::parts::nfs::{Client, Measured, ask_for_slots, serve};
use crate::parts::stat::Work;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nfs-slots",
    title: "50 workers ask an NFS server over 16 session slots",
    world: World::Guest(Guest { cpus: 2, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const CAUSE: &str = "nfs.slot-exhaustion";
const RIVALS: &[&str] = &["nfs.unresponsive-server", "nfs.data-waits"];
const SLOW: &str = "nfs.server-slow";
const CURED_BY: &str = "nfs.attribute-expiry";
const WORKERS: usize = 50;
const FILES: usize = 20;
/// Long enough that an emulated CPU is no rival: 16 slots then carry less than 80 operations a second.
const DELAY: Duration = Duration::from_millis(200);
const SLOTS: u32 = 16;
const NOT_CACHED: &str = "acregmin=0,acregmax=0";
const ROUND: &str = "seconds a worker takes for 20 files";
const QUEUED: &str = "ms that an operation waits for a slot";
const MORE_SLOTS: &str = "nfs.max_session_slots 16 → 128, unmounted and mounted";

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    serve(FILES, DELAY)?;
    ask_for_slots(SLOTS)?;
    let site = Site::machine()?;
    let client = Client::mount(&site, NOT_CACHED)?;
    let fstab = client.fstab()?;
    let work = Work::once(WORKERS, FILES);

    let load = client.load(Work::steadily(WORKERS, FILES))?;
    let report = site.check(&["--for", "4s"])?;
    score.judge(&report, CAUSE, RIVALS);
    score.remarks.push(verdict_of(&report, SLOW));
    site.plan(&["--for", "3s", "--only", CAUSE])?;
    drop(load);
    let before = client.measure(work)?;
    score.remarks.push(against_the_model(&before));

    site.apply()?;
    client.mount_anew()?;
    let more_slots = client.measure(work)?;
    site.undo()?;
    client.mount_anew()?;
    let undone = client.measure(work)?;
    let asked_for = site.read(crate::parts::nfs::SLOTS)?;

    client.write_fstab(&format!("{NOT_CACHED},nconnect=4"))?;
    client.mount_anew()?;
    let more_connections = client.measure(work)?;
    client.write_fstab(NOT_CACHED)?;
    client.mount_anew()?;

    let load = client.load(Work::steadily(WORKERS, FILES))?;
    site.plan(&["--for", "3s", "--only", CURED_BY])?;
    drop(load);
    site.apply()?;
    client.mount_anew()?;
    let cached = client.measure(work)?;
    let load = client.load(Work::steadily(WORKERS, FILES))?;
    score.judge_twin(&site.check(&["--for", "4s"])?);
    drop(load);
    site.undo()?;
    score.restored = Some(asked_for.trim() == SLOTS.to_string() && client.fstab()? == fstab);

    score.effects = effects(&Rounds { before, more_slots, undone, more_connections, cached });
    Ok(())
}

/// A round as it was, and with each change.
struct Rounds {
    before: Measured,
    more_slots: Measured,
    undone: Measured,
    more_connections: Measured,
    cached: Measured,
}

fn effects(rounds: &Rounds) -> Vec<Effect> {
    let Rounds { before, more_slots, undone, more_connections, cached } = rounds;
    let effect =
        |change: &str, metric: &str, of: fn(&Measured) -> f64, [before, after]: [&Measured; 2], expected| {
            let (change, metric) = (change.to_owned(), metric.to_owned());
            Effect { change, metric, before: of(before), after: of(after), undone: None, expected }
        };
    let round_s = |measured: &Measured| measured.round_s;
    let slots = [before, more_slots];
    let shorter = Expected::FallsTo(1.0 / 1.5);
    vec![
        Effect { undone: Some(undone.round_s), ..effect(MORE_SLOTS, ROUND, round_s, slots, shorter) },
        Effect {
            undone: Some(undone.queue_ms()),
            ..effect(MORE_SLOTS, QUEUED, Measured::queue_ms, slots, Expected::FallsTo(0.5))
        },
        effect("a wrong cure, nconnect=4", ROUND, round_s, [undone, more_connections], Expected::Stays(1.25)),
        effect(
            "actimeo=600",
            "operations of a round",
            |measured| measured.operations.count,
            [undone, cached],
            Expected::FallsTo(0.02),
        ),
        effect("actimeo=600", ROUND, round_s, [undone, cached], Expected::FallsTo(0.05)),
    ]
}

fn verdict_of(report: &Report, cause: &str) -> String {
    let found = report.causes.iter().find(|found| found.id == cause);
    let verdict = found.map_or(Verdict::Unknown, |found| found.verdict);
    format!("{cause} is {}: {}", verdict.name(), found.map_or("", |found| &found.summary))
}

/// T = K·R·max(1, N/S), where N > S.
fn against_the_model(measured: &Measured) -> String {
    let model_s = (FILES * WORKERS) as f64 * measured.rtt_ms() / 1000.0 / f64::from(SLOTS);
    format!(
        "K·R·N/S = {FILES} × {:.1} ms × {WORKERS}/{SLOTS} = {model_s:.1} s, measured {:.1} s: model ÷ measured {:.2}",
        measured.rtt_ms(),
        measured.round_s,
        model_s / measured.round_s
    )
}
