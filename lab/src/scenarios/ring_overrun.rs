//! A receive ring that is shorter than the bursts that come.

use std::thread;
use std::time::Duration;

use crate::caller::{Caller, Figures, Order, serve};
use crate::faults::{FaultError, Result};
use crate::inside::{self, ETHTOOL, MODPROBE};
use crate::scenario::{Card, Guest, Outside, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

/// On virtio a full ring loses packets on the hypervisor, out of the guest's sight (narrows then says `unknown`, and why). The
/// card of VMware's guests counts them where they are missed.
pub(super) const SCENARIO: Scenario = Scenario {
    name: "ring-overrun",
    title: "a vmxnet3 receive ring of 128 descriptors under bursts of packets",
    world: World::Guest(Guest {
        cpus: 2,
        outside: Some(Outside { card: Card::Vmxnet3, ..Outside::serving(serve) }),
        ..Guest::PLAIN
    }),
    quick: false,
    run,
};

const CAUSE: &str = "nic.receive-ring-short";
const RIVALS: &[&str] = &["irq.skew", "irq.backlog-short", "disk.saturated", "cpu.steal"];
const WINDOW: &[&str] = &["--for", "6s"];
/// The port that datagrams go to (discard, RFC 863).
const PORT: u16 = 9;
/// Descriptors of the ring that is too short.
const SHORT: u64 = 128;
/// Datagrams in a burst: some five times the ring, and fewer than the tap's queue of 1,000 holds.
const BURST: u32 = 600;
/// From one burst to the next.
const EVERY_MS: u64 = 250;
/// How long losses are counted.
const COUNTED: Duration = Duration::from_secs(8);

fn run(score: &mut Score) -> Result<()> {
    inside::settle()?;
    MODPROBE.run(&["vmxnet3"])?;
    let card = inside::card()?;
    inside::sink(PORT)?;
    let (caller, site) = (Caller::new(), Site::guest()?);
    let most = ring(&card)?.most;

    lengthen(&card, most)?;
    let (healthy, _) = loaded(&caller, &card, || score_twin(score, &site))?;
    lengthen(&card, SHORT)?;
    let (before, offered) = loaded(&caller, &card, || {
        score.judge(&site.check(WINDOW)?, CAUSE, RIVALS);
        site.plan_something(&[WINDOW, &["--only", CAUSE]].concat())?;
        Ok(())
    })?;
    site.apply()?;
    let longer = ring(&card)?.now;
    let (after, _) = loaded(&caller, &card, || Ok(()))?;
    site.undo()?;
    score.restored = Some(ring(&card)?.now == SHORT);
    let (undone, _) = loaded(&caller, &card, || Ok(()))?;

    score.effects.push(Effect {
        change: format!("{card} receive ring {SHORT} → {longer}"),
        metric: "packets/s that the ring had no room for".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.2),
    });
    score.remarks.push(format!(
        "{:.0} datagrams/s in bursts of {BURST}; a ring of {most} loses {healthy:.1} packets/s before anything is broken",
        offered.per_s
    ));
    Ok(())
}

fn score_twin(score: &mut Score, site: &Site) -> Result<()> {
    score.judge_twin(&site.check(WINDOW)?);
    Ok(())
}

/// Counts what the ring loses under the bursts, then works under them.
fn loaded(caller: &Caller, card: &str, work: impl FnOnce() -> Result<()>) -> Result<(f64, Figures)> {
    let order = Order::Datagrams { port: PORT, flows: 8, burst: BURST, every_ms: EVERY_MS };
    let datagrams = caller.order(&order)?;
    thread::sleep(Duration::from_secs(1));
    let (before, begin) = (overflows(card)?, std::time::Instant::now());
    thread::sleep(COUNTED);
    let lost = overflows(card)?.saturating_sub(before);
    let seconds = begin.elapsed().as_secs_f64();
    work()?;
    #[expect(clippy::cast_precision_loss, reason = "packets of a few seconds")]
    Ok((lost as f64 / seconds, datagrams.end()?))
}

/// Packets that found no free descriptor, since the driver was loaded (`ethtool -S`).
fn overflows(card: &str) -> Result<u64> {
    let text = ETHTOOL.run(&["-S", card])?;
    let counts = text.lines().filter_map(|line| line.trim().strip_prefix("pkts rx OOB:"));
    let counts: Vec<u64> = counts.filter_map(|count| count.trim().parse().ok()).collect();
    match counts.is_empty() {
        true => Err(FaultError::new(format!("{card} does not count what overflows its ring:\n{text}"))),
        false => Ok(counts.iter().sum()),
    }
}

/// Descriptors of the receive ring.
struct Ring {
    most: u64,
    now: u64,
}

fn ring(card: &str) -> Result<Ring> {
    let text = ETHTOOL.run(&["-g", card])?;
    let sizes = text.lines().filter_map(|line| line.trim().strip_prefix("RX:"));
    let sizes: Vec<u64> = sizes.filter_map(|size| size.trim().parse().ok()).collect();
    match sizes[..] {
        [most, now] => Ok(Ring { most, now }),
        _ => Err(FaultError::new(format!("{card} does not tell the size of its ring:\n{text}"))),
    }
}

fn lengthen(card: &str, descriptors: u64) -> Result<()> {
    ETHTOOL.run(&["-G", card, "rx", &descriptors.to_string()]).map(drop)
}
