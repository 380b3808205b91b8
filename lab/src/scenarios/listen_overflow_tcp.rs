//! A listen queue that is too short for the bursts that come while the server is away.

use crate::faults::bursty_listener::{BurstyListener, Family};
use crate::faults::{Fault, Result};
use crate::scenario::{Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "listen-overflow-tcp",
    title: "a TCP listen queue shorter than the bursts that come while its server is away",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "sockets.accept-queue-overflow";
const RIVALS: &[&str] = &["sockets.syn-queue-full", "irq.backlog-short"];

fn run(score: &mut Score) -> Result<()> {
    let fault = BurstyListener::start(Family::Tcp)?;
    let site = Site::own(fault.namespace())?;
    fault.wait_until_established()?;
    score.judge(&site.check(&["--for", "3s"])?, CAUSE, RIVALS);
    let turned_away = || -> Result<f64> {
        let before = fault.turned_away()?;
        fault.wait_for_bursts(5)?;
        Ok((fault.turned_away()? - before) as f64)
    };
    let before = turned_away()?;
    site.plan(&["--for", "3s", "--only", CAUSE])?;
    site.apply()?;
    fault.reload()?;
    let after = turned_away()?;
    score.judge_twin(&site.check(&["--for", "3s"])?);
    site.undo()?;
    fault.reload()?;
    let undone = turned_away()?;
    score.restored = Some(undone > 0.0);
    score.effects.push(Effect {
        change: "net.core.somaxconn 16 → 64".to_owned(),
        metric: "connections turned away in 5 bursts".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.0),
    });
    Ok(())
}
