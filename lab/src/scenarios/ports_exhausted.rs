//! Pages fail at once, because the web host has no local port left towards its database: what helps, and what does not.

use std::time::Duration;

use crate::faults::Result;
use crate::faults::wait::wait_within;
use crate::scenario::{Scenario, World};
use crate::scenarios;
use crate::score::{Effect, Expected, Score};
use crate::shop::{Database, Seen, Shop};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ports-exhausted",
    title: "PHP cannot reach MariaDB: 500 local ports, and TIME_WAIT keeps each for 60 s",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "sockets.ephemeral-ports-exhausted";
const FOLKLORE: &str = "sockets.fin-timeout-for-time-wait";
const RIVALS: &[&str] = &[
    FOLKLORE,
    "sockets.time-wait-buckets-changed",
    "sockets.time-wait-table-full",
    "sockets.timestamps-off-with-reuse",
    "sockets.accept-queue-overflow",
    "sockets.unix-queue-overflow",
];
/// 15 s of such visitors are 450 ports, so that `tcp_fin_timeout=15` would carry them if it did what is believed of it.
/// 60 s of them are 1,800.
const PER_S: u32 = 30;
/// From then on a port that is kept for 15 s only would have come back, and none that is kept for 60 s has.
const LATER_S: usize = 18;
/// How many seconds are counted.
const COUNTED: usize = 3;
const PATIENCE: Duration = Duration::from_secs(90);

fn run(score: &mut Score) -> Result<()> {
    // All three stand beside each other, so that one wait serves for all.
    let shop = Shop::open(Database::Apart)?;
    let wrongly_cured = Shop::open(Database::Apart)?;
    wrongly_cured.web.set("net/ipv4/tcp_fin_timeout", "15")?;
    let twin = Shop::open(Database::Beside)?;
    shop.visited(PER_S, |seen| {
        let before = wrongly_cured.visited(PER_S, |seen_there| {
            twin.visited(PER_S, |seen_beside| {
                let (before, there) = (failed_later(seen)?, failed_later(seen_there)?);
                wrong_cure(score, &wrongly_cured, before, there)?;
                loopback(score, &twin, failed_later(seen_beside)?)?;
                Ok(before)
            })
        })?;
        let site = Site::own(&shop.web)?;
        score.judge(&site.check(&["--for", "3s"])?, CAUSE, RIVALS);
        cure(score, &site, seen, before, "3")?;
        cure(score, &site, seen, before, "4")
    })
}

/// Pages that failed in the next seconds, once enough time has passed.
fn failed_later(seen: &Seen) -> Result<f64> {
    failed(seen, seen.begun().max(LATER_S))
}

fn failed(seen: &Seen, from: usize) -> Result<f64> {
    let counted = wait_within(PATIENCE, "pages to count", || {
        let seconds = seen.complete();
        Ok(seconds.get(from..from + COUNTED).map(|counted| counted.iter().map(|second| second.failed).sum()))
    })?;
    let counted: u32 = counted;
    Ok(f64::from(counted))
}

fn wrong_cure(score: &mut Score, shop: &Shop, before: f64, after: f64) -> Result<()> {
    let site = Site::own(&shop.web)?;
    let report = site.check(&["--for", "2s"])?;
    score.judge_folklore(&report, FOLKLORE);
    score.effects.push(Effect {
        change: "tcp_fin_timeout 60 → 15, the wrong cure".to_owned(),
        metric: metric(),
        before,
        after,
        undone: None,
        expected: Expected::Stays(1.1),
    });
    Ok(())
}

fn metric() -> String {
    format!("pages failed of {}", COUNTED * PER_S as usize)
}

/// Over loopback the kernel's default already uses ports in TIME_WAIT again: nothing fails, and nothing is found.
fn loopback(score: &mut Score, twin: &Shop, failed: f64) -> Result<()> {
    let site = Site::own(&twin.web)?;
    score.judge_twin(&site.check(&["--for", "3s", "--only", scenarios::LAYERS_OF_A_NAMESPACE])?);
    score
        .remarks
        .push(format!("the twin, whose database is on loopback: {failed} pages failed with tcp_tw_reuse 2"));
    if failed > 0.0 {
        score.false_findings.get_or_insert_default().push(format!("{failed} pages failed"));
    }
    Ok(())
}

/// Takes the remedy of this number there and back.
fn cure(score: &mut Score, site: &Site, seen: &Seen, before: f64, number: &str) -> Result<()> {
    let remedy = format!("{CAUSE}={number}");
    let plan = site.plan(&["--for", "2s", "--only", CAUSE, "--remedy", &remedy])?;
    site.apply()?;
    let after = failed(seen, seen.begun())?;
    site.undo()?;
    let undone = failed(seen, seen.begun())?;
    let changes = plan.changes.iter().map(|planned| {
        let now =
            planned.change.current.as_deref().unwrap_or("?").split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} {now} → {}", planned.id, planned.change.target.value)
    });
    let restored = plan.changes.iter().all(|planned| {
        let there = site.parameter(&planned.id).unwrap_or_default();
        planned
            .change
            .current
            .as_deref()
            .is_some_and(|was| was.split_whitespace().eq(there.split_whitespace()))
    });
    score.restored = Some(score.restored != Some(false) && restored && undone > 0.0);
    score.effects.push(Effect {
        change: changes.collect::<Vec<_>>().join(", "),
        metric: metric(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.0),
    });
    Ok(())
}
