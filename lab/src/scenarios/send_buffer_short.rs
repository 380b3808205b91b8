//! Send buffers that end below what a long way holds.

use std::time::Duration;

use crate::far_path::{FarPath, Load, WebServer};
use crate::faults::Result;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "send-buffer-short",
    title: "send buffers of 64 KiB on a way of 20 Mbit/s and 200 ms, which holds eight times as much",
    world: World::Guest(Guest::PLAIN),
    quick: false,
    run,
};

const CAUSE: &str = "sockets.send-buffer-short";
const RIVALS: &[&str] = &[
    "sockets.loss-limits-cubic",
    "sockets.receive-buffer-short",
    "sockets.slow-start-after-idle",
    "qdisc.queue-overflows",
];
const KEY: &str = "net.ipv4.tcp_wmem";
const SHORT: &str = "4096 16384 65536";
const FILM: &str = "film";
const VISITORS: usize = 2;

fn run(score: &mut Score) -> Result<()> {
    let path = FarPath::create()?;
    path.delay_requests(100)?;
    path.way_to_visitor(&["netem", "rate", "20mbit", "delay", "100ms", "limit", "600"])?;
    path.site.set("net/ipv4/tcp_wmem", SHORT)?;
    let _server = WebServer::start(&path.site, &[(FILM, 32 << 20)])?;
    let site = Site::own(&path.site)?;
    score.judge(&under_load(&path, || site.check(&["--for", "4s"]))?, CAUSE, RIVALS);
    let rate = || path.transfer_rate(FILM, Duration::from_secs(3), Duration::from_secs(6));
    let before = rate()?;
    under_load(&path, || site.plan_in_full(&["--for", "4s", "--only", CAUSE]))?;
    site.apply()?;
    let changed = site.parameter(KEY)?;
    let after = rate()?;
    score.judge_twin(&under_load(&path, || site.check(&["--for", "4s"]))?);
    site.undo()?;
    score.restored = Some(changed != SHORT && site.parameter(KEY)? == SHORT);
    let undone = rate()?;
    score.effects.push(Effect {
        change: format!("tcp_wmem {SHORT} → {changed}"),
        metric: "Mbit/s of one transfer".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::RisesTo(2.5),
    });
    Ok(())
}

fn under_load<T>(path: &FarPath, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let load = Load::of_transfers(&path.visitor, VISITORS, FILM)?;
    std::thread::sleep(Duration::from_secs(4));
    let done = work()?;
    load.check()?;
    Ok(done)
}
