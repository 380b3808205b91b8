//! Nginx caches pages with the cookies that they set, and hands one visitor's session to the next.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::faults::Result;
use crate::machine::{Machine, SOCKET, Setup, count, pool, server_to};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cookie-leak",
    title: "a visitor gets the session of another: Nginx caches pages that set cookies",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "nginx.cache-leaks-cookies";
const RIVALS: &[&str] = &["nginx.cache-stampede"];
const VISITORS: usize = 20;
const ZONE: &str = "fastcgi_cache_path /run/cache levels=1:2 keys_zone=pages:10m inactive=60m max_size=64m \
                    use_temp_path=off;\n\n";
const CACHE: &str = "        fastcgi_cache pages;\n        \
                     fastcgi_cache_key $scheme$request_method$host$request_uri;\n        fastcgi_cache_valid 200 60s;\n        \
                     fastcgi_cache_use_stale updating;\n        fastcgi_cache_background_update on;\n        \
                     fastcgi_cache_lock on;\n        add_header X-Cache $upstream_cache_status always;\n";
const IGNORING: &str = "        fastcgi_ignore_headers Set-Cookie Cache-Control Expires;\n";
const PAGE: &str = "<?php session_start(); echo 'ok';\n";

fn open(more: &str) -> Result<Machine> {
    Machine::serving(&Setup {
        pool: pool("pm = static\npm.max_children = 4\n"),
        server: server_to(&format!("unix:{SOCKET}"), ZONE, &format!("{CACHE}{more}")),
        pages: Setup::page(PAGE),
        ..Setup::default()
    })
}

/// Visitors who were given the cookie of one before.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    // What was cached before the last change is none of it.
    machine.run(&["sh", "-c", "find /run/cache -type f -delete"])?;
    let (mut known, mut leaked) = (BTreeSet::new(), 0);
    for _ in 0..VISITORS {
        let answer = machine.demand("/index.php", "ok")?;
        if let Some(cookie) = answer.value("Set-Cookie") {
            leaked += usize::from(!known.insert(cookie.to_owned()));
        }
    }
    Ok([count(leaked)])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/index.php", "ok").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "5s",
        load: &visit,
        every: Duration::from_millis(200),
    };
    let metric = Metric::falls_to(0.0, &format!("visitors with the cookie of another, of {VISITORS}"));
    course.take(score, || open(""), || open(IGNORING), [metric], measure).map(drop)
}
