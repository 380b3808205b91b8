//! A lossy way to visitors far away, which CUBIC takes for congestion.

use std::time::Duration;

use crate::far_path::{FarPath, Load, WebServer};
use crate::faults::Result;
use crate::faults::wait::wait_until;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "loss-cubic",
    title: "random loss on a way of 20 Mbit/s and 80 ms, to which the site sends with CUBIC",
    world: World::Guest(Guest::PLAIN),
    quick: false,
    run,
};

const CAUSE: &str = "sockets.loss-limits-cubic";
const RIVALS: &[&str] = &[
    "sockets.send-buffer-short",
    "sockets.receive-buffer-short",
    "sockets.slow-start-after-idle",
    "qdisc.queue-overflows",
];
const CONTROL: &str = "net.ipv4.tcp_congestion_control";
const FILE: &str = "film";
/// What a visitor loads at a time.
const FILE_BYTES: u64 = 32 << 20;
/// Visitors while narrows looks.
const VISITORS: usize = 3;

fn run(score: &mut Score) -> Result<()> {
    let path = FarPath::create()?;
    path.delay_requests(40)?;
    lose(&path, "2%")?;
    path.site.set("net/ipv4/tcp_congestion_control", "cubic")?;
    let _server = WebServer::start(&path.site, &[(FILE, FILE_BYTES)])?;
    let site = Site::own(&path.site)?;
    score.judge(&under_load(&path, || site.check(&["--for", "8s"]))?, CAUSE, RIVALS);
    let rate = || path.transfer_rate(FILE, Duration::from_secs(2), Duration::from_secs(8));
    let before = rate()?;
    under_load(&path, || site.plan_in_full(&["--for", "8s", "--only", CAUSE]))?;
    site.apply()?;
    let with_bbr = site.parameter(CONTROL)? == "bbr";
    let after = rate()?;
    wait_until("the last connection of bbr gone", || users("tcp_bbr", "1"))?;
    site.undo()?;
    score.restored = Some(with_bbr && site.parameter(CONTROL)? == "cubic" && !loaded("tcp_bbr"));
    let undone = rate()?;
    score.effects.push(Effect {
        change: "congestion control cubic → bbr".to_owned(),
        metric: "Mbit/s of one transfer".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::RisesTo(3.0),
    });
    lose(&path, "0%")?;
    score.judge_twin(&under_load(&path, || site.check(&["--for", "8s"]))?);
    Ok(())
}

/// 20 Mbit/s, 40 ms, and a queue of 0.2 s on the way to visitors, where this share of packets is lost.
fn lose(path: &FarPath, share: &str) -> Result<()> {
    path.way_to_visitor(&["netem", "rate", "20mbit", "delay", "40ms", "loss", share, "limit", "400"])
}

fn under_load<T>(path: &FarPath, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let load = Load::of_transfers(&path.visitor, VISITORS, FILE)?;
    // Beyond the first slow start, whose end overshoots the queue.
    std::thread::sleep(Duration::from_secs(4));
    let done = work()?;
    load.check()?;
    Ok(done)
}

fn loaded(module: &str) -> bool {
    std::path::Path::new("/sys/module").join(module).exists()
}

/// Whether a module has so many users: the default of a network namespace is one, each connection another.
fn users(module: &str, wanted: &str) -> Result<bool> {
    let users = std::fs::read_to_string(format!("/sys/module/{module}/refcnt"));
    Ok(users.is_ok_and(|users| users.trim() == wanted))
}
