//! Few workers and a server that is far away: each file costs a round trip, and no queue has anything to do with it.

use std::time::Duration;

use crate::faults::Result;
use crate::inside::settle;
use crate::parts::nfs::{Client, Measured, ask_for_slots, serve};
use crate::parts::stat::Work;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nfs-latency",
    title: "11 workers ask a slow NFS server about 180 files each, over 16 session slots",
    world: World::Guest(Guest { cpus: 2, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const CAUSE: &str = "nfs.server-slow";
const RIVALS: &[&str] = &["nfs.slot-exhaustion", "nfs.unresponsive-server", "nfs.data-waits"];
const CURED_BY: &str = "nfs.attribute-expiry";
const WORKERS: usize = 11;
const FILES: usize = 180;
/// Long enough that an emulated CPU is no rival: 11 workers then ask less than 220 times a second.
const DELAY: Duration = Duration::from_millis(50);
const SLOTS: u32 = 16;
const MORE_SLOTS: u32 = 128;

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    serve(FILES, DELAY)?;
    ask_for_slots(SLOTS)?;
    let site = Site::machine()?;
    let client = Client::mount(&site, "acregmin=0,acregmax=0")?;
    let fstab = client.fstab()?;
    let load = client.load(Work::steadily(WORKERS, FILES))?;
    score.judge(&site.check(&["--for", "4s"])?, CAUSE, RIVALS);
    site.plan(&["--for", "3s", "--only", CURED_BY])?;
    drop(load);
    let work = Work::once(WORKERS, FILES);
    let before = client.measure(work)?;
    score.remarks.push(against_the_model(&before));

    ask_for_slots(MORE_SLOTS)?;
    client.mount_anew()?;
    let with_more_slots = client.measure(work)?;
    ask_for_slots(SLOTS)?;

    site.apply()?;
    client.mount_anew()?;
    let cached = client.measure(work)?;
    let load = client.load(Work::steadily(WORKERS, FILES))?;
    score.judge_twin(&site.check(&["--for", "4s"])?);
    drop(load);
    site.undo()?;
    client.mount_anew()?;
    let undone = client.measure(work)?;
    score.restored = Some(client.fstab()? == fstab);
    // The machine around the guest is not always equally busy: what came in between is held against both ends.
    let around_s = (before.round_s + undone.round_s) / 2.0;
    let round = |change: &str, before_s: f64, after: Measured, undone: Option<Measured>, expected| Effect {
        change: change.to_owned(),
        metric: "seconds a worker takes for 180 files".to_owned(),
        before: before_s,
        after: after.round_s,
        undone: undone.map(|undone| undone.round_s),
        expected,
    };
    score.effects.extend([
        round(
            "actimeo=600, unmounted and mounted",
            before.round_s,
            cached,
            Some(undone),
            Expected::FallsTo(0.1),
        ),
        round("a wrong cure, 128 session slots", around_s, with_more_slots, None, Expected::Stays(1.25)),
    ]);
    Ok(())
}

/// T = K·R·max(1, N/S), where N ≤ S.
fn against_the_model(measured: &Measured) -> String {
    let model_s = FILES as f64 * measured.rtt_ms() / 1000.0;
    format!(
        "K·R = {FILES} × {:.1} ms = {model_s:.1} s, measured {:.1} s: model ÷ measured {:.2}",
        measured.rtt_ms(),
        measured.round_s,
        model_s / measured.round_s
    )
}
