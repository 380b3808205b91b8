//! A cached page expires, and everybody who comes then is sent to PHP at once.

use std::thread;
use std::time::Duration;

use crate::faults::Result;
use crate::http_burst::total_ms;
use crate::machine::{COUNT, Machine, SOCKET, Setup, pool, server_to};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

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
const ZONE: &str = "fastcgi_cache_path /run/cache levels=1:2 keys_zone=pages:10m inactive=60m max_size=64m \
                    use_temp_path=off;\n\n";
const CACHE: &str = "        fastcgi_cache pages;\n        \
                     fastcgi_cache_key $scheme$request_method$host$request_uri;\n        fastcgi_cache_valid 200 2s;\n        \
                     add_header X-Cache $upstream_cache_status always;\n";
const SAFE: &str = "        fastcgi_cache_use_stale error timeout updating http_500 http_503;\n        \
                    fastcgi_cache_background_update on;\n        fastcgi_cache_lock on;\n";

fn open(more: &str) -> Result<Machine> {
    Machine::serving(&Setup {
        pool: pool("pm = static\npm.max_children = 40\nlisten.backlog = 4096\n"),
        server: server_to(&format!("unix:{SOCKET}"), ZONE, &format!("{CACHE}{more}")),
        pages: Setup::page(&format!(
            "<?php {COUNT} usleep(300000); header('Content-Type: text/plain'); echo 'ok';\n"
        )),
        ..Setup::default()
    })
}

/// Requests that reach PHP, and the 99th percentile in ms, when a crowd comes after a page has expired.
fn measure(machine: &Machine) -> Result<[f64; 2]> {
    machine.demand("/index.php", "ok")?;
    thread::sleep(EXPIRY);
    machine.forget_hits()?;
    let answers = machine.burst("/index.php", CROWD)?;
    thread::sleep(Duration::from_millis(600));
    Ok([machine.hits()?, total_ms(&answers, 99)])
}

fn crowd(machine: &Machine) -> Result<()> {
    machine.burst("/index.php", CROWD).map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course =
        Course { cause: CAUSE, rivals: RIVALS, cure: &[CAUSE], window: "10s", load: &crowd, every: EXPIRY };
    let metrics = [
        Metric::falls_to(0.05, &format!("requests to PHP, {CROWD} visitors at expiry")),
        Metric::falls_to(0.5, "p99 at expiry, ms"),
    ];
    course.take(score, || open(SAFE), || open(""), metrics, measure).map(drop)
}
