//! A gateway whose own uplink is the bottleneck, with one deep queue for all.

use std::time::Duration;

use crate::far_path::{FarPath, Load, WebServer, median, root, share_below};
use crate::faults::Result;
use crate::faults::tools::TC;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "bufferbloat",
    title: "four downloads fill the deep queue of a gateway's uplink of 5 Mbit/s, and small answers wait in it",
    world: World::Guest(Guest::PLAIN),
    quick: false,
    run,
};

const CAUSE: &str = "qdisc.standing-queue";
const RIVALS: &[&str] = &["qdisc.root-without-multiqueue", "sockets.loss-limits-cubic", "irq.backlog-short"];
/// A token bucket as shaper guides give it: its queue holds what leaves in 1 s.
const TOKEN_BUCKET: &[&str] = &["handle", "1:", "tbf", "rate", "5mbit", "burst", "16kb", "latency", "1s"];
const FILM: &str = "film";
const ANSWER: &str = "answer";
const PAGE: &str = "page";
const FILES: &[(&str, u64)] = &[(FILM, 16 << 20), (ANSWER, 300), (PAGE, 20_000)];
const DOWNLOADS: usize = 4;
/// Small requests come from this many, each of whom waits half a second after an answer.
const ASKING: usize = 10;

/// How long small answers take, in ms.
struct Waits {
    median: f64,
    worst: f64,
}

fn run(score: &mut Score) -> Result<()> {
    let path = FarPath::create()?;
    root(&path.visitor, FarPath::CARD, &["netem", "delay", "30ms", "limit", "10000"])?;
    path.way_to_visitor(TOKEN_BUCKET)?;
    let _server = WebServer::start(&path.site, FILES)?;
    let gateway = Site::own(&path.way)?;
    score.judge_twin(&with_room(&path, || gateway.check(&["--for", "4s"]))?);
    score.judge(&while_full(&path, || gateway.check(&["--for", "4s"]))?, CAUSE, RIVALS);
    let (attached, before) = (shown(&path)?, small_answers(&path)?);
    while_full(&path, || gateway.plan_in_full(&["--for", "4s", "--only", CAUSE]))?;
    gateway.apply()?;
    let replaced = shown(&path)?;
    let after = small_answers(&path)?;
    gateway.undo()?;
    score.restored = Some(replaced.contains("cake") && shown(&path)? == attached);
    let undone = small_answers(&path)?;
    score.remarks.push(format!("narrows attached {}", replaced.trim()));
    let change = "one queue below tbf 5 Mbit/s → cake 5 Mbit/s";
    let effect = |metric: &str, figure: fn(&Waits) -> f64, share: f64| Effect {
        change: change.to_owned(),
        metric: format!("ms of a small answer, {metric}"),
        before: figure(&before),
        after: figure(&after),
        undone: Some(figure(&undone)),
        expected: Expected::FallsTo(share),
    };
    score.effects.push(effect("median", |waits| waits.median, 0.2));
    score.effects.push(effect("99th percentile", |waits| waits.worst, 0.5));
    fair_queue_below(score, &path, &undone)?;
    wrong_place(score, &path, &undone)
}

/// The other good cure, which a person makes: the token bucket stays, fq_codel takes the place of its queue.
fn fair_queue_below(score: &mut Score, path: &FarPath, before: &Waits) -> Result<()> {
    let place = ["-n", path.way.name(), "qdisc", "replace", "dev", FarPath::TO_VISITOR, "parent", "1:1"];
    TC.run(&[&place[..], &["handle", "2:", "fq_codel"]].concat())?;
    let after = small_answers(path)?;
    TC.run(&["-n", path.way.name(), "qdisc", "delete", "dev", FarPath::TO_VISITOR, "root"])?;
    path.way_to_visitor(TOKEN_BUCKET)?;
    by_hand(score, "by hand: fq_codel below tbf", before, &after, Expected::FallsTo(0.2));
    Ok(())
}

/// CAKE where nothing queues: on the site's card, at a rate that no packet is ever held back for.
fn wrong_place(score: &mut Score, path: &FarPath, before: &Waits) -> Result<()> {
    root(&path.site, FarPath::CARD, &["cake", "bandwidth", "10gbit"])?;
    let after = small_answers(path)?;
    let said = Site::own(&path.site)?.check(&["--for", "2s"])?;
    let named = said.causes.iter().find(|cause| cause.id == "qdisc.shaper-above-the-link");
    let named = named.map_or("nothing", |cause| cause.summary.as_str());
    score.remarks.push(format!("of the wrong cure narrows says: {named}"));
    by_hand(
        score,
        "wrong cure by hand: cake 10 Gbit/s on the site's card",
        before,
        &after,
        Expected::Stays(2.5),
    );
    Ok(())
}

fn by_hand(score: &mut Score, change: &str, before: &Waits, after: &Waits, expected: Expected) {
    score.effects.push(Effect {
        change: change.to_owned(),
        metric: format!("ms of a small answer, median ({change})"),
        before: before.median,
        after: after.median,
        undone: None,
        expected,
    });
    score.remarks.push(format!("{change}: 99th percentile {:.0} → {:.0} ms", before.worst, after.worst));
}

/// What tc shows on the gateway's uplink.
fn shown(path: &FarPath) -> Result<String> {
    TC.run(&["-n", path.way.name(), "qdisc", "show", "dev", FarPath::TO_VISITOR])
}

/// Works while downloads fill the uplink.
fn while_full<T>(path: &FarPath, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let load = Load::of_transfers(&path.visitor, DOWNLOADS, FILM)?;
    std::thread::sleep(Duration::from_secs(10));
    let done = work()?;
    load.check()?;
    Ok(done)
}

/// Works while visitors use less than half of the uplink.
fn with_room<T>(path: &FarPath, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let pause = |visitor: usize| Duration::from_millis(500 + 30 * visitor as u64);
    let load = Load::with_pauses(&path.visitor, 8, PAGE, pause)?;
    std::thread::sleep(Duration::from_secs(3));
    let done = work()?;
    load.check()?;
    Ok(done)
}

/// Times small answers while downloads fill the uplink.
fn small_answers(path: &FarPath) -> Result<Waits> {
    while_full(path, || {
        let asking = Load::with_pauses(&path.visitor, ASKING, ANSWER, |_| Duration::from_millis(500))?;
        std::thread::sleep(Duration::from_secs(10));
        let times = asking.end()?;
        Ok(Waits { median: median(&times), worst: share_below(&times, 0.99) })
    })
}
