//! Nginx caches pages with the cookies that they set, and hands one visitor's session to the next.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cache_stampede::open;
use crate::faults::Result;
use crate::machine::{Machine, ROOT, count};
use crate::parts::course::{Course, Metric};
use crate::scenario::{Scenario, World};
use crate::score::Score;
use crate::services::page_cache::PageCache;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cookie-leak",
    title: "a visitor gets the session of another: Nginx caches pages that set cookies",
    world: World::Namespaces,
    quick: true,
    run,
};

const CAUSE: &str = "nginx.cache-leaks-cookies";
const RIVALS: &[&str] = &["nginx.cache-stampede"];
const VISITORS: usize = 20;
const PAGE: &str = "<?php session_start(); echo 'ok';\n";

/// Visitors who were given the cookie of one before.
fn measure(machine: &Machine) -> Result<[f64; 1]> {
    // What was cached before the last change is none of it.
    machine.run(&["sh", "-c", &format!("find {ROOT}/cache -type f -delete")])?;
    let (mut known, mut leaked) = (BTreeSet::new(), 0);
    for _ in 0..VISITORS {
        let answer = machine.demand("/", "ok")?;
        if let Some(cookie) = answer.value("Set-Cookie") {
            leaked += usize::from(!known.insert(cookie.to_owned()));
        }
    }
    Ok([count(leaked)])
}

fn visit(machine: &Machine) -> Result<()> {
    machine.demand("/", "ok").map(drop)
}

fn run(score: &mut Score) -> Result<()> {
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        cure: &[CAUSE],
        window: "5s",
        load: &visit,
        calm: None,
        every: Duration::from_millis(200),
    };
    let metric = Metric::falls_to(0.0, &format!("visitors with the cookie of another, of {VISITORS}"));
    let open = |kind| open(kind, PAGE, "60s", 200);
    course
        .take(score, || open(PageCache::Healthy), || open(PageCache::CookieLeak), [metric], measure)
        .map(drop)
}
