//! A cached page expires, and everybody who comes then is sent to PHP at once.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::faults::Result;
use crate::http_burst::total_ms;
use crate::machine::{COUNT, Machine, ROOT, SOCKET, Setup, pool};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;
use crate::services::page_cache::{self, PageCache};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cache-stampede",
    title: "800 visitors as a page of Nginx's FastCGI cache expires",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "nginx.cache-stampede";
const RIVALS: &[&str] = &["nginx.cache-leaks-cookies", "sockets.unix-queue-overflow"];
const CROWD: usize = 800;
/// Longer than the page lives, by a clock of whole seconds.
const EXPIRY: Duration = Duration::from_millis(3600);
const LIFE: &str = "2s";

/// A machine whose nginx caches the only page so.
pub(super) fn open(kind: PageCache, page: &str, life: &str, backlog: u32) -> Result<Machine> {
    let folder = Path::new(ROOT);
    let machine = Machine::boot()?;
    machine.site.write("/etc/nginx/conf.d/cache.conf", &page_cache::http(folder, kind))?;
    let setup = Setup {
        pool: pool(&format!("pm = static\npm.max_children = 40\nlisten.backlog = {backlog}\n")),
        server: format!("server {{\n{}}}\n", page_cache::server(folder, SOCKET, kind, life)),
        pages: Setup::page(page),
        ..Setup::default()
    };
    setup.lay_out(&machine)?;
    machine.start()?;
    machine.demand("/", "ok")?;
    Ok(machine)
}

/// Requests that reach PHP, and the 99th percentile in ms, when a crowd comes after a page has expired.
fn measure(machine: &Machine) -> Result<[f64; 2]> {
    machine.demand("/", "ok")?;
    thread::sleep(EXPIRY);
    machine.forget_hits()?;
    let answers = machine.burst("/", CROWD)?;
    thread::sleep(Duration::from_millis(600));
    Ok([machine.hits()?, total_ms(&answers, 99)])
}

/// A crowd after the page has expired, and a few visitors who come while it is fresh.
fn crowd(machine: &Machine) -> Result<()> {
    machine.burst("/", CROWD)?;
    for _ in 0..60 {
        machine.demand("/", "ok")?;
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(EXPIRY);
    Ok(())
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "15s",
        load: &crowd,
        calm: None,
        every: EXPIRY,
    };
    let metrics = [
        Metric::falls_to(0.05, &format!("requests to PHP, {CROWD} visitors at expiry")),
        Metric::falls_to(0.5, "p99 at expiry, ms"),
    ];
    let page = format!("<?php {COUNT} usleep(100000); header('Content-Type: text/plain'); echo 'ok';\n");
    let open = |kind, backlog| open(kind, &page, LIFE, backlog);
    let (twin, faulty) = (|| open(PageCache::Healthy, 200), || open(PageCache::Stampede, 4096));
    course.take(score, twin, faulty, metrics, measure).map(drop)
}
