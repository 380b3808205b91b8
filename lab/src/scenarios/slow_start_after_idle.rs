//! Kept connections over a long way, which lose their windows in every pause.

use std::time::Duration;

use crate::far_path::{Connection, FarPath, Load, WebServer, median};
use crate::faults::Result;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow-start-after-idle",
    title: "kept connections over 150 ms, which start slowly again after each pause",
    world: World::Guest(Guest::PLAIN),
    quick: false,
    run,
};

const CAUSE: &str = "sockets.slow-start-after-idle";
const RIVALS: &[&str] = &["sockets.loss-limits-cubic", "sockets.send-buffer-short", "qdisc.queue-overflows"];
const KEY: &str = "net.ipv4.tcp_slow_start_after_idle";
const FILE: &str = "page";
const FILE_BYTES: u64 = 150_000;
const VISITORS: usize = 24;

fn run(score: &mut Score) -> Result<()> {
    let path = FarPath::create()?;
    path.delay_requests(75)?;
    path.way_to_visitor(&["netem", "delay", "75ms", "limit", "10000"])?;
    let _server = WebServer::start(&path.site, &[(FILE, FILE_BYTES)])?;
    let site = Site::own(&path.site)?;
    // An emulated machine that is busy as well takes too long over the pages of a program that it never ran.
    site.check(&["--for", "1s"])?;
    score.judge(&with_pauses(&path, || site.check(&["--for", "4s"]))?, CAUSE, RIVALS);
    let before = second_transfer(&path)?;
    with_pauses(&path, || site.plan_in_full(&["--for", "4s", "--only", CAUSE, "--severity", "hygiene"]))?;
    site.apply()?;
    let changed = site.parameter(KEY)? == "0";
    let after = second_transfer(&path)?;
    score.judge_twin(&with_pauses(&path, || site.check(&["--for", "4s"]))?);
    site.undo()?;
    score.restored = Some(changed && site.parameter(KEY)? == "1");
    let undone = second_transfer(&path)?;
    score.effects.push(Effect {
        change: "tcp_slow_start_after_idle 1 → 0".to_owned(),
        metric: "ms of 150 kB after a pause of 2 s".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.6),
    });
    Ok(())
}

/// Visitors who read what they loaded, each for 0.8 to 2.2 s.
fn with_pauses<T>(path: &FarPath, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let pause = |visitor: usize| Duration::from_millis(800 + 60 * visitor as u64);
    let load = Load::with_pauses(&path.visitor, VISITORS, FILE, pause)?;
    std::thread::sleep(Duration::from_secs(6));
    let done = work()?;
    load.check()?;
    Ok(done)
}

/// The median time of a transfer over a connection that carried one 2 s before.
fn second_transfer(path: &FarPath) -> Result<f64> {
    path.visitor.run(|| {
        let mut connection = Connection::open()?;
        connection.fetch(FILE)?;
        let mut times = vec![];
        for _ in 0..7 {
            std::thread::sleep(Duration::from_secs(2));
            times.push(connection.fetch(FILE)?);
        }
        Ok(median(&times))
    })
}
