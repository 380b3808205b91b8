//! nginx answers 502 at once while PHP-FPM's queue, a Unix socket's, is full for moments.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tempfile::TempDir;

use crate::faults::Result;
use crate::faults::netns::Namespace;
use crate::http_burst;
use crate::scenario::{Scenario, World};
use crate::scenarios;
use crate::score::{Effect, Expected, Score};
use crate::services;
use crate::services::nginx::Nginx;
use crate::services::php_fpm::PhpFpm;
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "listen-overflow-unix",
    title: "nginx answers 502 in bursts: PHP-FPM's Unix socket has a queue of 16",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "sockets.unix-queue-overflow";
const RIVALS: &[&str] = &["sockets.accept-queue-overflow", "sockets.syn-queue-full", "irq.backlog-short"];
const SITE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 80);
/// What somebody lowered the limit to, and what a kernel has by itself.
const SHORT: &str = "16";
const DEFAULT: &str = "4096";
const WORKERS: u32 = 6;
/// Waits as for a database, and uses no CPU meanwhile: so long is the queue full, and no sample misses it.
const PAGE: &str = "<?php usleep(150000); echo 'ok';";
/// Visitors who come at once: more than the workers and the queue hold, fewer than a queue of 64 does.
const BURST: usize = 48;
/// From one burst to the next: longer than a burst of 48 takes, 48 ÷ 6 × 150 ms.
const EVERY: Duration = Duration::from_millis(1500);
/// Bursts whose errors are counted.
const BURSTS: usize = 4;

/// nginx and PHP-FPM in a namespace.
struct Shop {
    nginx: Nginx,
    fpm: Option<PhpFpm>,
    namespace: Namespace,
    folder: TempDir,
}

impl Shop {
    fn open(somaxconn: &str) -> Result<Self> {
        let (namespace, folder) = (Namespace::create()?, services::folder()?);
        PhpFpm::page(folder.path(), PAGE)?;
        // nginx keeps the long queue that it asked for before the limit was lowered; PHP-FPM was restarted since.
        let nginx = Nginx::start(&namespace, folder.path(), &PhpFpm::server(folder.path()))?;
        namespace.set("net/core/somaxconn", somaxconn)?;
        let fpm = PhpFpm::start(&namespace, folder.path(), WORKERS)?;
        Ok(Self { nginx, fpm: Some(fpm), namespace, folder })
    }

    /// Restarts PHP-FPM: on a reload it would keep the socket as it is.
    fn restart_fpm(&mut self) -> Result<()> {
        drop(self.fpm.take());
        let listen = format!("{}/php.sock", self.folder.path().display());
        self.fpm = Some(PhpFpm::start_again(&self.namespace, self.folder.path(), &listen)?);
        Ok(())
    }

    /// Answers 502 in some bursts.
    fn refused(&self) -> Result<f64> {
        let mut refused = 0;
        for _ in 0..BURSTS {
            let answers = http_burst::send(&self.namespace, SITE, BURST)?;
            refused += http_burst::with_status(&answers, 502);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most a few hundred")]
        Ok(refused as f64)
    }

    /// Does some work while bursts come.
    fn under_bursts<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let burst = || http_burst::send(&self.namespace, SITE, BURST).map(drop);
        http_burst::meanwhile(EVERY, burst, work)
    }
}

fn run(score: &mut Score) -> Result<()> {
    let mut shop = Shop::open(SHORT)?;
    let site = Site::own(&shop.namespace)?;
    let report = shop.under_bursts(|| site.check(&["--for", "8s"]))?;
    score.judge(&report, CAUSE, RIVALS);
    let before = shop.refused()?;
    let errno = shop.nginx.errors("(11: Resource temporarily unavailable)")?;
    score.remarks.push(format!("nginx logged errno 11 {errno} times"));

    let plan = shop.under_bursts(|| site.plan(&["--for", "8s", "--only", CAUSE]))?;
    site.apply()?;
    let unrestarted = shop.refused()?;
    score.remarks.push(format!("before PHP-FPM was restarted: {unrestarted} answers 502 still"));
    shop.restart_fpm()?;
    let after = shop.refused()?;

    site.undo()?;
    shop.restart_fpm()?;
    let undone = shop.refused()?;
    score.restored = Some(site.parameter("net.core.somaxconn")? == SHORT && undone > 0.0);
    let to = plan.changes.first().map(|change| change.change.target.value.clone()).unwrap_or_default();
    score.effects.push(Effect {
        change: format!("net.core.somaxconn {SHORT} → {to}, PHP-FPM restarted"),
        metric: format!("answers 502 in {BURSTS} bursts of {BURST}"),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.0),
    });
    drop(shop);
    let twin = Shop::open(DEFAULT)?;
    let site = Site::own(&twin.namespace)?;
    let options = ["--for", "5s", "--only", scenarios::LAYERS_OF_A_NAMESPACE];
    score.judge_twin(&twin.under_bursts(|| site.check(&options))?);
    Ok(())
}
