//! All interrupts of a card with eight queues on one CPU.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use crate::caller::{Caller, Figures, Order, serve};
use crate::faults::{Attempt, FaultError, Result};
use crate::inside::{self, ETHTOOL};
use crate::scenario::{Guest, Outside, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "irq-concentration",
    title: "all interrupts of a virtio card with 8 queues on CPU 0",
    world: World::Guest(Guest {
        cpus: QUEUES,
        outside: Some(Outside { queues: QUEUES, ..Outside::serving(serve) }),
        ..Guest::PLAIN
    }),
    quick: false,
    run,
};

const QUEUES: u32 = 8;
const CAUSE: &str = "irq.skew";
const RIVALS: &[&str] = &[
    "irq.backlog-short",
    "irq.steering-on-full-queues",
    "irq.irqbalance-fights",
    "disk.saturated",
    "cpu.steal",
    "cpu.io-uring-waiters",
    "cgroup.cpu-quota-exhausted",
];
const WINDOW: &[&str] = &["--for", "8s"];
/// The port that datagrams go to (discard, RFC 863).
const PORT: u16 = 9;
/// How long shares of a CPU are counted.
const COUNTED: Duration = Duration::from_secs(5);

/// Requests per second, and datagrams in a burst: more and more, until CPU 0 is busy with them. How many that takes depends on
/// the machine.
const LOADS: &[Load] = &[
    Load { http_per_s: 150.0, burst: 4 },
    Load { http_per_s: 200.0, burst: 8 },
    Load { http_per_s: 300.0, burst: 12 },
    Load { http_per_s: 400.0, burst: 20 },
    Load { http_per_s: 550.0, burst: 30 },
    Load { http_per_s: 750.0, burst: 40 },
    Load { http_per_s: 1000.0, burst: 50 },
];
/// From one burst to the next, in milliseconds: apart, so that each costs an interrupt.
const EVERY_MS: u64 = 2;
/// From this share of CPU 0 in soft interrupts on (percent), the concentration is beyond doubt.
const BUSY: f64 = 48.0;

fn run(score: &mut Score) -> Result<()> {
    inside::settle()?;
    let card = inside::card()?;
    ETHTOOL.run(&["-L", &card, "combined", &QUEUES.to_string()])?;
    let _nginx = inside::answering_nginx(QUEUES)?;
    inside::sink(PORT)?;
    let (caller, site) = (Caller::new(), Site::guest()?);
    let spread = affinities(&card)?;
    let pin = || spread.keys().try_for_each(|irq| place(*irq, "0"));

    pin()?;
    let load = enough(&caller, &card)?;
    spread.iter().try_for_each(|(irq, cpus)| place(*irq, cpus))?;
    let (healthy, _) = loaded(&caller, load, || {
        score.judge_twin(&site.check(WINDOW)?);
        shares(&card)
    })?;

    pin()?;
    let pinned = affinities(&card)?;
    let (before, slow) = loaded(&caller, load, || {
        score.judge(&site.check(WINDOW)?, CAUSE, RIVALS);
        let shares = shares(&card)?;
        site.plan_something(&[WINDOW, &["--only", CAUSE]].concat())?;
        Ok(shares)
    })?;
    site.apply()?;
    let (after, fast) = loaded(&caller, load, || shares(&card))?;
    site.undo()?;
    score.restored = Some(affinities(&card)? == pinned);
    let (undone, _) = loaded(&caller, load, || shares(&card))?;

    let effect = |metric: &str, of: fn(&Shares) -> f64, most: f64| Effect {
        change: format!("{} interrupts: all on CPU 0 → queue K on CPU K", pinned.len()),
        metric: metric.to_owned(),
        before: of(&before),
        after: of(&after),
        undone: Some(of(&undone)),
        expected: Expected::FallsTo(most),
    };
    score.effects.push(effect("CPU 0's share of the card's interrupts, %", |shares| shares.interrupts, 0.4));
    score.effects.push(effect("CPU 0's share of NET_RX, %", |shares| shares.receive, 0.5));
    score.effects.push(effect("soft interrupts of CPU 0, % of its time", |shares| shares.softirq, 0.6));
    score.remarks.push(format!(
        "with the driver's own placement CPU 0 takes {:.0} % of the interrupts and {:.0} % of NET_RX, {:.0} % of its \
         time",
        healthy.interrupts, healthy.receive, healthy.softirq
    ));
    score.remarks.push(format!(
        "HTTP at {}/s beside {} datagrams/s, 8 virtual CPUs on the cores of this machine: pinned {}; spread {}",
        load.http_per_s,
        load.datagrams_per_s(),
        told(&slow),
        told(&fast)
    ));
    Ok(())
}

fn told(figures: &Figures) -> String {
    let shown = |quantile: Option<f64>| quantile.map_or("–".to_owned(), |ms| format!("{ms:.0}"));
    format!(
        "{:.0} answers/s, p50 {} ms, p99 {} ms, {} frames lost at the tap",
        figures.per_s,
        shown(figures.p50_ms),
        shown(figures.p99_ms),
        figures.dropped_outside
    )
}

/// Steady load: requests, and datagrams of many flows, which spread over all queues.
#[derive(Clone, Copy)]
struct Load {
    http_per_s: f64,
    burst: u32,
}

impl Load {
    fn datagrams_per_s(self) -> u64 {
        u64::from(self.burst) * 1000 / EVERY_MS
    }
}

/// The load with which CPU 0 is busy while all interrupts are there.
fn enough(caller: &Caller, card: &str) -> Result<Load> {
    let mut most = 0.0_f64;
    for load in LOADS {
        let (shares, _) = loaded(caller, *load, || shares(card))?;
        most = most.max(shares.softirq);
        if shares.softirq >= BUSY {
            return Ok(*load);
        }
    }
    Err(FaultError::new(format!("no load brings CPU 0 to {BUSY} % in soft interrupts, at most {most:.0} %")))
}

/// Works while the load comes; gives what came of it, and what visitors had.
fn loaded<T>(caller: &Caller, load: Load, work: impl FnOnce() -> Result<T>) -> Result<(T, Figures)> {
    let http = Order::Http { path: "/".to_owned(), per_s: load.http_per_s, connections: 64 };
    let datagrams = Order::Datagrams { port: PORT, flows: 64, burst: load.burst, every_ms: EVERY_MS };
    let (http, datagrams) = (caller.order(&http)?, caller.order(&datagrams)?);
    thread::sleep(Duration::from_secs(1));
    let result = work();
    datagrams.end()?;
    Ok((result?, http.end()?))
}

/// CPU 0's part, in percent.
struct Shares {
    interrupts: f64,
    receive: f64,
    softirq: f64,
}

fn shares(card: &str) -> Result<Shares> {
    let before = Counts::read(card)?;
    thread::sleep(COUNTED);
    let after = Counts::read(card)?;
    let share = |of: fn(&Counts) -> (u64, u64)| {
        let ((part, whole), (first_part, first_whole)) = (of(&after), of(&before));
        percent(part.saturating_sub(first_part), whole.saturating_sub(first_whole))
    };
    Ok(Shares {
        interrupts: share(|counts| counts.interrupts),
        receive: share(|counts| counts.receive),
        softirq: share(|counts| counts.softirq),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// Each with CPU 0's part first, then the whole.
struct Counts {
    interrupts: (u64, u64),
    receive: (u64, u64),
    softirq: (u64, u64),
}

impl Counts {
    fn read(card: &str) -> Result<Self> {
        let rows = rows(card)?;
        let interrupts = rows.iter().map(|row| first_and_sum(&row.counts));
        let softirqs = read("/proc/softirqs")?;
        let stat = read("/proc/stat")?;
        let line = |text: &str, label: &str| -> Result<Vec<u64>> {
            let found = text.lines().find_map(|line| line.trim_start().strip_prefix(label).map(numbers));
            found.ok_or_else(|| FaultError::new(format!("no line {label} in the kernel's counters")))
        };
        let times = line(&stat, "cpu0 ")?;
        Ok(Self {
            interrupts: interrupts.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1)),
            receive: first_and_sum(&line(&softirqs, "NET_RX:")?),
            // proc(5): user nice system idle iowait irq softirq steal; guests are counted in the first two.
            softirq: (times.get(6).copied().unwrap_or(0), times.iter().take(8).sum()),
        })
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn first_and_sum(counts: &[u64]) -> (u64, u64) {
    (counts.first().copied().unwrap_or(0), counts.iter().sum())
}

/// An interrupt of the card's queues.
struct Row {
    irq: u32,
    counts: Vec<u64>,
}

fn rows(card: &str) -> Result<Vec<Row>> {
    let device = fs::canonicalize(format!("/sys/class/net/{card}/device"));
    let device = device.attempt(|| format!("find the device of {card}"))?;
    let device = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let table = read("/proc/interrupts")?;
    let rows = table.lines().filter_map(|line| {
        let (label, rest) = line.split_once(':')?;
        let name = rest.split_whitespace().last()?;
        let queue = name.strip_prefix(&format!("{device}-"))?;
        let of_a_queue = queue.starts_with("input.") || queue.starts_with("output.");
        let irq = label.trim().parse().ok()?;
        of_a_queue.then(|| Row { irq, counts: numbers(rest) })
    });
    let rows: Vec<_> = rows.collect();
    match rows.len() {
        count if count == 2 * QUEUES as usize => Ok(rows),
        count => Err(FaultError::new(format!("{card} has {count} interrupts of queues, not {}", 2 * QUEUES))),
    }
}

/// Where each interrupt of the card may go.
fn affinities(card: &str) -> Result<BTreeMap<u32, String>> {
    let rows = rows(card)?.into_iter();
    rows.map(|row| {
        let cpus = read(&format!("/proc/irq/{}/smp_affinity_list", row.irq))?;
        Ok((row.irq, cpus.trim().to_owned()))
    })
    .collect()
}

fn place(irq: u32, cpus: &str) -> Result<()> {
    let path = format!("/proc/irq/{irq}/smp_affinity_list");
    fs::write(&path, cpus).attempt(|| format!("write {cpus} to {path}"))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).attempt(|| format!("read {path}"))
}
