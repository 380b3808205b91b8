//! A nightly import that takes the CPUs from the pages.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::caller::{Caller, Figures, Order, serve};
use crate::faults::tools::Tool;
use crate::faults::wait::wait_for;
use crate::faults::{Attempt, FaultError, Result};
use crate::inside;
use crate::scenario::{Guest, Outside, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cron-hog",
    title: "a nightly import without limits beside nginx and PHP-FPM on 2 CPUs",
    world: World::Guest(Guest {
        cpus: 2,
        systemd: true,
        timeout_s: 480,
        outside: Some(Outside { queues: 2, ..Outside::serving(serve) }),
        ..Guest::PLAIN
    }),
    quick: false,
    run,
};

const CAUSE: &str = "cgroup.cpu-hog";
const RIVALS: &[&str] =
    &["cpu.steal", "cpu.io-uring-waiters", "disk.saturated", "irq.skew", "cgroup.cpu-quota-exhausted"];
const WINDOW: &[&str] = &["--for", "8s"];
const SYSTEMCTL: Tool = Tool { program: "systemctl", package: "systemd" };
/// The import.
const UNIT: &str = "nightly-import.service";
/// Its group.
const GROUP: &str = "/sys/fs/cgroup/system.slice/nightly-import.service";
/// The drop-in by which narrows limits it.
const DROP_IN: &str = "/etc/systemd/system/nightly-import.service.d/90-narrows.conf";
/// How long the import's share is counted.
const COUNTED: Duration = Duration::from_secs(6);
/// Pages per second, open loop.
const PAGES_PER_S: f64 = 8.0;

const IMPORT: &str = "[Unit]\nDescription=Nightly import\n[Service]\nExecStart=/bin/sh -c 'for job in 1 2 3 4; do \
                      /usr/bin/php8.2 /var/lib/import.php & done; wait'\n";
const IMPORT_PHP: &str = "<?php for ($i = 0, $x = ''; ; $i++) $x = md5($x . $i);\n";
const PAGE_PHP: &str = "<?php for ($i = 0, $x = ''; $i < 5000; $i++) $x = md5($x . $i); echo $x;\n";
const SITE: &str = "server {\n    listen 80 default_server;\n    root /var/www/html;\n    location ~ \\.php$ {\n        \
                    include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME \
                    $document_root$fastcgi_script_name;\n        fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n    }\n}\n";

fn run(score: &mut Score) -> Result<()> {
    inside::settle()?;
    inside::card()?;
    serve_pages()?;
    let (caller, site) = (Caller::new(), Site::guest()?);

    let (_, quiet) = loaded(&caller, || {
        score.judge_twin(&site.check(WINDOW)?);
        Ok(())
    })?;
    write("/var/lib/import.php", IMPORT_PHP)?;
    write(&format!("/etc/systemd/system/{UNIT}"), IMPORT)?;
    SYSTEMCTL.run(&["daemon-reload"])?;
    SYSTEMCTL.run(&["start", UNIT])?;
    let unlimited = limit()?;
    let (before, slow) = loaded(&caller, || {
        let share = import_share()?;
        score.judge(&site.check(WINDOW)?, CAUSE, RIVALS);
        site.plan_something(&[WINDOW, &["--only", CAUSE]].concat())?;
        Ok(share)
    })?;
    site.apply()?;
    let limited = limit()?;
    let (after, fast) = loaded(&caller, || {
        let share = import_share()?;
        score.judge_twin(&site.check(WINDOW)?);
        Ok(share)
    })?;
    site.undo()?;
    score.restored = Some(limit()? == unlimited && !Path::new(DROP_IN).exists());
    let undone = import_share()?;

    score.effects.push(Effect {
        change: format!("{UNIT}: cpu.max {unlimited} → {limited}"),
        metric: "CPUs that the import uses, of 2".to_owned(),
        before,
        after,
        undone: Some(undone),
        expected: Expected::FallsTo(0.9),
    });
    score.remarks.push(format!(
        "pages at {PAGES_PER_S}/s, from outside: without the import {}; with it {}; with it limited {}",
        told(&quiet),
        told(&slow),
        told(&fast)
    ));
    Ok(())
}

fn told(figures: &Figures) -> String {
    let shown = |quantile: Option<f64>| quantile.map_or("–".to_owned(), |ms| format!("{ms:.0}"));
    format!("p50 {} ms, p99 {} ms", shown(figures.p50_ms), shown(figures.p99_ms))
}

/// Debian's nginx and PHP-FPM as they are installed, with one page.
fn serve_pages() -> Result<()> {
    write("/etc/nginx/sites-enabled/default", SITE)?;
    write("/var/www/html/page.php", PAGE_PHP)?;
    let units = ["php8.2-fpm.service", "nginx.service"];
    SYSTEMCTL.run(&[&["unmask", "--runtime"], &units[..]].concat())?;
    SYSTEMCTL.run(&["daemon-reload"])?;
    SYSTEMCTL.run(&[&["restart"], &units[..]].concat())?;
    wait_for("a web server on port 80", || Ok(std::net::TcpStream::connect(("127.0.0.1", 80)).ok()))?;
    Ok(())
}

/// Works while pages are asked for; gives what came of it, and what visitors had.
fn loaded<T>(caller: &Caller, work: impl FnOnce() -> Result<T>) -> Result<(T, Figures)> {
    let path = "/page.php".to_owned();
    let pages = caller.order(&Order::Http { path, per_s: PAGES_PER_S, connections: 64 })?;
    thread::sleep(Duration::from_secs(2));
    let result = work()?;
    let figures = pages.end()?;
    match figures.good {
        0 => Err(FaultError::new(format!("of {} pages none was answered", figures.offered))),
        _ => Ok((result, figures)),
    }
}

/// CPUs that the import uses.
fn import_share() -> Result<f64> {
    let path = format!("{GROUP}/cpu.stat");
    let used = || -> Result<u64> {
        let text = fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        line.and_then(|number| number.parse().ok())
            .ok_or_else(|| FaultError::new(format!("{path} has no usage_usec")))
    };
    let (before, begin) = (used()?, std::time::Instant::now());
    thread::sleep(COUNTED);
    let used = Duration::from_micros(used()?.saturating_sub(before));
    Ok(used.as_secs_f64() / begin.elapsed().as_secs_f64())
}

/// The import's quota, as the kernel has it.
fn limit() -> Result<String> {
    let path = format!("{GROUP}/cpu.max");
    match fs::read_to_string(&path) {
        Ok(text) if !text.starts_with("max") => Ok(text.trim().to_owned()),
        // Without a limit of any service in the slice, systemd does not turn the controller on.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).attempt(|| format!("read {path}"))
        }
        _ => Ok("max".to_owned()),
    }
}

fn write(path: &str, contents: &str) -> Result<()> {
    if let Some(folder) = Path::new(path).parent() {
        fs::create_dir_all(folder).attempt(|| format!("make {}", folder.display()))?;
    }
    fs::write(path, contents).attempt(|| format!("write {path}"))
}
