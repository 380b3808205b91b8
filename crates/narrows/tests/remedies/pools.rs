//! Pools of PHP-FPM before Debian's nginx: queue, size, kept connections, the way to it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use change::plan::Plan;
use lab::http_burst::{self, with_status};
use lab::machine::{self, Machine, POOL, SERVER, Setup};

use super::round::{Expected, there_and_back, there_and_back_restarting};
use crate::faults::tools::machine_alone;
use crate::faults::wait::wait_until;
use crate::faults::{FaultError, Result};

/// The link to nginx's only server, by which its configuration includes it.
const ENABLED: &str = "/etc/nginx/sites-enabled/default";
const SOMAXCONN: &str = "net.core.somaxconn";
/// Waits as for a database, and uses no CPU meanwhile.
const PAGE: &str = "<?php usleep(150000); echo 'ok';";
/// From one burst to the next: longer than a burst takes.
const EVERY: Duration = Duration::from_millis(1500);

/// An error instead of a panic: bursts go on until the work between them ends.
fn hold(condition: bool, complaint: impl FnOnce() -> String) -> Result<()> {
    if condition { Ok(()) } else { Err(FaultError::new(complaint())) }
}

/// The change of a cause in a file, whose number among all changes of that file depends on what else is found.
fn change_of(machine: &Machine, options: &[&str], cause: &'static str, file: &str) -> Result<Expected> {
    let plan = machine.site.plan(options)?;
    let found = plan.changes.iter().find(|change| change.id.split('#').next() == Some(file));
    let ids = || plan.changes.iter().map(|change| change.id.as_str()).collect::<Vec<_>>().join(", ");
    let found = found.ok_or_else(|| FaultError::new(format!("no change of {file}: {}", ids())))?;
    Ok(Expected::file(cause, &found.id))
}

/// Bursts that come again and again, and what became of their requests.
#[derive(Default)]
struct Bursts {
    ended: AtomicUsize,
    refused: AtomicUsize,
    answered: AtomicUsize,
}

impl Bursts {
    fn send(&self, machine: &Machine, visitors: usize) -> Result<()> {
        let answers = machine.burst("/index.php", visitors)?;
        self.refused.fetch_add(with_status(&answers, 502), Relaxed);
        self.answered.fetch_add(with_status(&answers, 200), Relaxed);
        self.ended.fetch_add(1, Relaxed);
        Ok(())
    }

    /// How many requests of the next bursts are refused. That which is on its way is left out.
    fn refused_of_next(&self, bursts: usize) -> Result<usize> {
        let from = self.ended.load(Relaxed);
        wait_until("the burst on its way", || Ok(self.ended.load(Relaxed) > from))?;
        let (from, refused) = (self.ended.load(Relaxed), self.refused.load(Relaxed));
        wait_until("bursts", || Ok(self.ended.load(Relaxed) >= from + bursts))?;
        Ok(self.refused.load(Relaxed) - refused)
    }
}

#[test]
fn a_longer_queue_of_a_pool_takes_the_bursts_that_nginx_answered_502() -> Result<()> {
    let machine = Machine::boot()?;
    let settings = "pm = static\npm.max_children = 6\nlisten.backlog = 16\npm.status_path = /fpm-status\n";
    let setup = Setup {
        pool: machine::pool(settings),
        server: machine::server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    setup.lay_out(&machine)?;
    machine.start()?;
    // nginx keeps the long queue that it asked for before the limit was lowered; PHP-FPM is started anew.
    machine.run(&["sysctl", "-qw", &format!("{SOMAXCONN}=16")])?;
    machine.service(machine::FPM, "restart")?;
    machine.demand("/index.php", "ok")?;
    let bursts = Bursts::default();
    let (cause, options) = ("php-fpm.backlog-short", ["--for", "8s", "--only", "php-fpm.backlog-short"]);
    let expected = [Expected::parameter(cause, SOMAXCONN, "16", "64"), Expected::file(cause, POOL)];
    let work = || {
        let before = bursts.refused_of_next(3)?;
        hold(before > 0, || "no burst was refused before".to_owned())?;
        let moved = |_: &Plan| {
            let pool = machine.site.read(POOL)?;
            hold(pool.contains("\nlisten.backlog = 64\n"), || pool.clone())?;
            let after = bursts.refused_of_next(3)?;
            hold(after == 0, || format!("{after} are still refused"))?;
            println!("answers 502 in 3 bursts of 48: {before} before, {after} after");
            Ok(())
        };
        let back = || {
            let undone = bursts.refused_of_next(3)?;
            hold(undone > 0, || "after undo no burst is refused".to_owned())
        };
        there_and_back_restarting(&machine.site, &options, &expected, moved, back)
    };
    http_burst::meanwhile(EVERY, || bursts.send(&machine, 48), work)?;
    Ok(())
}

#[test]
fn a_larger_pool_takes_all_who_waited() -> Result<()> {
    let setup = Setup {
        pool: machine::pool("pm = static\npm.max_children = 4\n"),
        server: machine::server(""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    let machine = Machine::serving(&setup)?;
    // What else this machine does is not to decide over the size.
    machine.site.pretend("/proc/stat", "cpu 1 0 0 1 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\n")?;
    machine.site.pretend("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n")?;
    let bursts = Bursts::default();
    let (cause, options) = ("php-fpm.pool-saturated", ["--for", "6s", "--only", "php-fpm.pool-saturated"]);
    let work = || {
        let workers = || Ok(machine.workers()?.len());
        let moved = |plan: &Plan| {
            let wanted: usize = plan.changes[0].change.target.value.parse().unwrap_or(0);
            hold((13..=20).contains(&wanted), || format!("{wanted} workers for 12 visitors at once"))?;
            wait_until("more workers", || Ok(workers()? == wanted))?;
            println!("4 workers before, {wanted} after");
            Ok(())
        };
        let back = || wait_until("four workers again", || Ok(workers()? == 4));
        there_and_back(&machine.site, &options, &[Expected::file(cause, POOL)], moved, back)
    };
    http_burst::meanwhile(Duration::from_millis(700), || bursts.send(&machine, 12), work)?;
    assert!(bursts.answered.load(Relaxed) > 0);
    Ok(())
}

/// Each kept connection holds a worker, so that a request by another way finds none.
#[test]
fn connections_that_are_closed_leave_workers_to_others() -> Result<()> {
    let server = "upstream php {\n    server unix:/run/php/php8.2-fpm.sock;\n    keepalive 8;\n}\n\
        server {\n    listen 80 default_server;\n    root /var/www/site;\n    include fastcgi_params;\n    \
        fastcgi_param SCRIPT_FILENAME $document_root/index.php;\n    fastcgi_read_timeout 1s;\n    \
        location / {\n        fastcgi_pass php;\n        fastcgi_keep_conn on;\n    }\n    \
        location /direct {\n        fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n    }\n}\n";
    let setup = Setup {
        pool: machine::pool("pm = static\npm.max_children = 4\n"),
        server: server.to_owned(),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    let machine = Machine::serving(&setup)?;
    let served_by_others = || -> Result<usize> {
        machine.burst("/", 4)?;
        Ok(with_status(&machine.burst("/direct", 4)?, 200))
    };
    let before = served_by_others()?;
    assert_eq!(before, 0, "no worker is held");
    let cause = "php-fpm.keepalive-pins-workers";
    let moved = |_: &Plan| {
        assert!(machine.site.read(SERVER)?.contains("fastcgi_keep_conn off;"));
        wait_until("workers that are free", || Ok(served_by_others()? == 4))?;
        println!("of 4 requests by another way {before} served before, 4 after");
        Ok(())
    };
    let back = || wait_until("workers that are held again", || Ok(served_by_others()? == 0));
    let options = ["--for", "1s", "--only", cause];
    let expected = [change_of(&machine, &options, cause, ENABLED)?];
    there_and_back(&machine.site, &options, &expected, moved, back)?;
    Ok(())
}

#[test]
fn the_way_to_a_pool_moves_to_a_unix_socket_and_back() -> Result<()> {
    let _alone = machine_alone()?;
    let setup = Setup {
        pool: machine::pool_on("127.0.0.1:9000", "pm = static\npm.max_children = 2\n"),
        server: machine::server_to("127.0.0.1:9000", "", ""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    let machine = Machine::serving(&setup)?;
    let cause = "php-fpm.loopback-tcp";
    let served = || machine.demand("/index.php", "ok").is_ok();
    let moved = |_: &Plan| {
        wait_until("a page over the socket", || Ok(served()))?;
        let sockets = machine.run(&["ss", "-Hltn", "src", "127.0.0.1:9000"])?;
        assert_eq!(sockets, "", "the port is still listened at");
        Ok(())
    };
    let back = || wait_until("a page over the port", || Ok(served()));
    let options = ["--for", "1s", "--severity", "hygiene", "--only", cause];
    let expected =
        [change_of(&machine, &options, cause, POOL)?, change_of(&machine, &options, cause, ENABLED)?];
    there_and_back(&machine.site, &options, &expected, moved, back)?;
    Ok(())
}

#[test]
fn a_pool_that_php_fpm_would_not_start_with_is_put_back() -> Result<()> {
    let setup = Setup {
        pool: machine::pool_on("127.0.0.1:9000", "pm = static\npm.max_children = 2\n"),
        server: machine::server_to("127.0.0.1:9000", "", ""),
        pages: Setup::page(PAGE),
        ..Setup::default()
    };
    let machine = Machine::serving(&setup)?;
    let site = &machine.site;
    let etc = site.etc()?;
    let mut plan = site.plan(&["--for", "1s", "--severity", "hygiene", "--only", "php-fpm.loopback-tcp"])?;
    // An edit as a program with a mistake would make it.
    for operation in plan.changes.iter_mut().flat_map(|change| &mut change.operations) {
        let text =
            serde_json::to_string(&operation.action).map_err(|error| FaultError::new(error.to_string()))?;
        let text = text.replace("listen.mode", "listen.mood");
        operation.action = serde_json::from_str(&text).map_err(|error| FaultError::new(error.to_string()))?;
    }
    plan.hash = plan.digest().map_err(|error| FaultError::new(error.to_string()))?;
    site.lay_plan(&plan)?;
    let Err(refused) = site.apply() else { return Err(FaultError::new("php-fpm -t did not refuse it")) };
    let refused = refused.to_string();
    assert!(refused.contains("php-fpm8.2 -t") && refused.contains("listen.mood"), "{refused}");
    assert_eq!(site.etc()?, etc, "what was refused is put back");
    machine.demand("/index.php", "ok")?;
    Ok(())
}
