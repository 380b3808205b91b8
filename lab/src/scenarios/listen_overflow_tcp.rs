//! Clients wait a second for their connections, because nginx's accept queue is shorter than the bursts that come while
//! its worker is away.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Result, kernel};
use crate::http_burst;
use crate::scenario::{Scenario, World};
use crate::scenarios;
use crate::score::{Effect, Expected, Score};
use crate::services;
use crate::services::nginx::Nginx;
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "listen-overflow-tcp",
    title: "connections take a second: nginx asks for a queue of 511 and gets 64",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "sockets.accept-queue-overflow";
const RIVALS: &[&str] =
    &["sockets.unix-queue-overflow", "sockets.ephemeral-ports-exhausted", "irq.backlog-short"];
const SITE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 80);
/// What a container was given, and what a kernel has by itself.
const SHORT: &str = "64";
const DEFAULT: &str = "4096";
/// nginx's own default on Linux, said aloud.
const ASKED: &str = "511";
/// How long the worker is away, as one is that waits for a disk.
const AWAY: Duration = Duration::from_millis(300);
/// Visitors who come meanwhile.
const BURST: usize = 200;
/// From one burst to the next: longer than the kernel takes to send a lost SYN again, 1 s.
const EVERY: Duration = Duration::from_millis(1500);

/// nginx in a namespace.
struct Shop {
    nginx: Nginx,
    namespace: Namespace,
    _folder: TempDir,
}

fn server(backlog: &str) -> String {
    format!("        listen 80 backlog={backlog};\n        location / {{ return 200 ok; }}")
}

impl Shop {
    fn open(somaxconn: &str) -> Result<Self> {
        let (namespace, folder) = (Namespace::create()?, services::folder()?);
        namespace.set("net/core/somaxconn", somaxconn)?;
        let nginx = Nginx::start(&namespace, folder.path(), &server(ASKED))?;
        Ok(Self { nginx, namespace, _folder: folder })
    }

    /// A burst that comes while the worker is away.
    fn burst(&self) -> Result<Vec<http_burst::Answer>> {
        let worker = self.nginx.worker()?;
        self.nginx.halt(worker, true)?;
        std::thread::scope(|scope| {
            let visitors = scope.spawn(|| http_burst::send(&self.namespace, SITE, BURST));
            let begun = Instant::now();
            let away = wait_until("the worker's return", || Ok(begun.elapsed() >= AWAY));
            self.nginx.halt(worker, false)?;
            away?;
            visitors.join().map_err(|_| crate::faults::FaultError::new("visitors panicked"))?
        })
    }

    /// The time to connect of some bursts, 99th percentile in milliseconds, and connections turned away meanwhile.
    fn measure(&self) -> Result<(f64, u64)> {
        let before = self.turned_away()?;
        let mut answers = vec![];
        for _ in 0..3 {
            answers.extend(self.burst()?);
        }
        Ok((http_burst::connect_p99_ms(&answers), self.turned_away()? - before))
    }

    fn turned_away(&self) -> Result<u64> {
        kernel::network_counter(self.nginx.pid(), "netstat", "TcpExt", "ListenOverflows")
    }

    fn under_bursts<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        http_burst::meanwhile(EVERY, || self.burst().map(drop), work)
    }
}

fn run(score: &mut Score) -> Result<()> {
    let shop = Shop::open(SHORT)?;
    let site = Site::own(&shop.namespace)?;
    let report = shop.under_bursts(|| site.check(&["--for", "5s"]))?;
    score.judge(&report, CAUSE, RIVALS);
    let (before, lost) = shop.measure()?;

    let plan = shop.under_bursts(|| site.plan(&["--for", "5s", "--only", CAUSE]))?;
    site.apply()?;
    let to = plan.changes.first().map(|change| change.change.target.value.clone()).unwrap_or_default();
    shop.nginx.reload()?;
    let (_, unchanged) = shop.measure()?;
    score.remarks.push(format!(
        "a reload of nginx with the same backlog={ASKED} does not call listen() again: {unchanged} turned away still"
    ));
    shop.nginx.configure(&server(&to))?;
    shop.nginx.reload()?;
    let (after, still_lost) = shop.measure()?;
    score.remarks.push(format!("turned away in 3 bursts of {BURST}: {lost} → {still_lost}"));

    site.undo()?;
    shop.nginx.configure(&server(ASKED))?;
    shop.nginx.reload()?;
    let (undone, lost_again) = shop.measure()?;
    score.restored = Some(site.parameter("net.core.somaxconn")? == SHORT && lost_again > 0);
    score.effects.push(Effect {
        change: format!("net.core.somaxconn {SHORT} → {to}, nginx backlog={to}"),
        metric: "p99 of the time to connect, ms".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.5),
    });
    drop((site, shop));
    let twin = Shop::open(DEFAULT)?;
    let site = Site::own(&twin.namespace)?;
    let options = ["--for", "5s", "--only", scenarios::LAYERS_OF_A_NAMESPACE];
    score.judge_twin(&twin.under_bursts(|| site.check(&options))?);
    Ok(())
}
