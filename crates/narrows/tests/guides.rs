//! Configurations as guides print them, for Nginx, PHP-FPM and what runs PHP beside them: what narrows says of each line.
//!
//! A wrong line must be among the evidence of the cause that names it; a right one must be left alone by every remedy. The trees
//! are files as an administrator would have written them from the guide, laid over `incidents/base`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "the tests write trees and run the program")]
#![allow(clippy::print_stdout, reason = "the table, for whoever runs the tests with --nocapture")]

use std::process::Command;

use serde_json::Value;

#[allow(dead_code, reason = "the incidents use all of it")]
#[path = "incidents/tree.rs"]
mod tree;

use tree::HostTree;

/// A line that does harm, or does not do what the guide says: its claim in the ledger, its place, and what must name it.
struct Wrong {
    claim: &'static str,
    place: &'static str,
    cause: &'static str,
    /// What the summary must say of it.
    says: &'static str,
}

const fn wrong(claim: &'static str, place: &'static str, cause: &'static str, says: &'static str) -> Wrong {
    Wrong { claim, place, cause, says }
}

struct Report(Value);

impl Report {
    fn of(layers: &[&str]) -> Self {
        let layers: Vec<_> = layers.iter().map(|layer| format!("../guides/{layer}")).collect();
        let layers: Vec<_> = layers.iter().map(String::as_str).collect();
        let tree = HostTree::built(&layers);
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.args(["check", "--fail-on", "never", "--format", "json"]).arg(tree.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    fn causes(&self) -> impl Iterator<Item = &Value> {
        self.0["causes"].as_array().unwrap().iter()
    }

    fn cause(&self, id: &str) -> &Value {
        self.causes().find(|cause| cause["id"] == id).unwrap_or_else(|| panic!("no cause {id}"))
    }

    /// What is missing of a wrong line's finding; `None` when it is named as it must be.
    fn unnamed(&self, line: &Wrong) -> Option<String> {
        let cause = self.cause(line.cause);
        let named = cause["observations"].as_array().unwrap().iter().any(|seen| seen["source"] == line.place)
            || cause["summary"].as_str().unwrap().contains(line.place);
        let told = cause["verdict"] == "confirmed" && cause["summary"].as_str().unwrap().contains(line.says);
        (!named || !told).then(|| format!("{} {} by {}: {cause:#}", line.claim, line.place, line.cause))
    }

    fn names_all(&self, lines: &[Wrong]) {
        let unnamed: Vec<_> = lines.iter().filter_map(|line| self.unnamed(line)).collect();
        for Wrong { claim, place, cause, .. } in lines {
            println!("{claim:<8} {place:<46} {cause}");
        }
        assert!(unnamed.is_empty(), "{}", unnamed.join("\n\n"));
    }

    /// No remedy of a confirmed cause edits this directive or setting.
    fn leaves_alone(&self, names: &[&str]) {
        let remedies = self.causes().filter(|cause| cause["verdict"] == "confirmed");
        let remedies = remedies.flat_map(|cause| cause["remedies"].as_array().unwrap());
        let changes = remedies.flat_map(|remedy| remedy["changes"].as_array().unwrap());
        let edits = changes.flat_map(|change| change["what"]["edits"].as_array().into_iter().flatten());
        for edit in edits {
            let edited = ["directive", "key", "option"].iter().find_map(|field| edit[*field].as_str());
            assert!(!names.contains(&edited.unwrap_or_default()), "{edit:#}");
        }
    }

    fn rules_out(&self, causes: &[&str]) {
        for id in causes {
            let cause = self.cause(id);
            assert_eq!(cause["verdict"], "ruled-out", "{id}: {}", cause["summary"]);
        }
    }
}

#[test]
fn a_front_of_tls_with_early_data_and_a_pool_of_800_is_judged_line_by_line() {
    let report = Report::of(&["001"]);
    report.names_all(&[
        wrong(
            "001-38",
            "/etc/nginx/conf.d/upstream.conf:3",
            "php-fpm.keepalive-without-keep-conn",
            "connects anew",
        ),
        wrong("001-95", "/etc/nginx/conf.d/portal.conf:7", "nginx.early-data-replayed", "let through"),
        wrong(
            "001-96",
            "/etc/nginx/conf.d/portal.conf:13",
            "nginx.early-data-replayed",
            "nothing sets before",
        ),
        wrong("001-98", "/etc/nginx/conf.d/portal.conf:19", "nginx.http-to-fastcgi", "502"),
    ]);
    report.leaves_alone(&["ssl_protocols", "pm.max_requests", "listen.owner", "listen.group", "listen.mode"]);
}

#[test]
fn a_pool_over_loopback_is_judged_line_by_line() {
    let report = Report::of(&["001", "001-dynamic"]);
    report.names_all(&[wrong(
        "001-34",
        "/etc/php-fpm.d/www.conf:3",
        "php-fpm.loopback-tcp",
        "127.0.0.1:9000",
    )]);
}

#[test]
fn a_database_beside_800_workers_is_judged_line_by_line() {
    let report = Report::of(&["001", "001-database"]);
    report.names_all(&[
        wrong("001-18", "/etc/my.cnf:4", "mysql.buffer-pool-starves-php", "pool 48 GiB + PHP-FPM 15.6 GiB"),
        wrong("001-19", "/etc/my.cnf:5", "mysql.option-inert", "there is one buffer pool"),
        wrong("001-20", "/etc/my.cnf:6", "mysql.lru-scan-copied", "nobody ever waited"),
        wrong("001-22", "/etc/my.cnf:9", "mysql.durability-relaxed", "loses up to a second of commits"),
    ]);
    // 001-21: nobody said what the storage does. 001-23: one file of 4 GiB, which holds more than an hour.
    assert_eq!(report.cause("mysql.io-capacity-copied")["verdict"], "consistent");
    report.rules_out(&["mysql.redo-small", "mysql.option-removed", "mysql.option-deprecated"]);
    report.leaves_alone(&["innodb_log_file_size", "innodb_io_capacity", "innodb_io_capacity_max"]);
}

#[test]
fn the_same_database_with_what_its_host_holds_is_accused_of_nothing() {
    let report = Report::of(&["001", "001-database-healthy"]);
    let accused =
        report.causes().filter(|cause| cause["layer"] == "mysql" && cause["verdict"] != "ruled-out");
    let accused: Vec<_> = accused.map(|cause| format!("{}: {}", cause["id"], cause["summary"])).collect();
    assert!(accused.is_empty(), "{}", accused.join("\n"));
}

#[test]
fn a_cache_of_an_api_is_judged_line_by_line() {
    const MAIN: &str = "/etc/nginx/nginx.conf";
    const TOURS: &str = "/etc/nginx/sites-enabled/tours";
    let at = |file: &str, line: u32| -> &'static str { Box::leak(format!("{file}:{line}").into_boxed_str()) };
    let report = Report::of(&["002"]);
    report.names_all(&[
        wrong("002-59", at(MAIN, 9), "nginx.cache-unbounded", "fill /run"),
        wrong("002-60", at(MAIN, 9), "nginx.cache-unbounded", "8,192,000 files"),
        wrong("002-61", at(MAIN, 11), "nginx.cache-leaks-cookies", "stored with the Set-Cookie"),
        wrong("002-61", at(MAIN, 10), "nginx.cache-leaks-cookies", "given to all"),
        wrong("002-61", at(TOURS, 10), "nginx.cache-serves-logged-in", "stored and given to others"),
        wrong("002-62", at(MAIN, 12), "nginx.fastcgi-buffers-exceed-memory", "32.5 MiB for each response"),
        wrong("002-62", at(MAIN, 13), "nginx.fastcgi-buffers-exceed-memory", "984 slow clients"),
        wrong("002-62", at(MAIN, 14), "nginx.fastcgi-buffers-exceed-memory", "of 31.3 GiB memory"),
        wrong("002-64", at(MAIN, 16), "nginx.fastcgi-temp-file-off", "does not apply"),
        wrong("002-66", at(TOURS, 5), "nginx.try-files-hides-script", "every request gets an error"),
        wrong("002-67", at(TOURS, 7), "nginx.try-files-hides-script", "looks for a file"),
        wrong("002-42", at(MAIN, 5), "nginx.headers-lost", "loses Link"),
        wrong("002-42", at(MAIN, 8), "nginx.headers-lost", "loses Link"),
        wrong(
            "002-84",
            "/etc/php/8.2/fpm/pool.d/www.conf:6",
            "php-fpm.configuration-refused",
            "`#` begins no comment",
        ),
    ]);
    const TIMER: &str = "/etc/systemd/system/unitravel-sync.timer";
    report.names_all(&[
        wrong("002-10", TIMER, "cron.runs-as-root", "runs as root"),
        wrong("002-15", TIMER, "cron.timer-imprecise", "within 60 s"),
    ]);
    // 002-08, 002-11: the site's own scheduler is off, a timer runs it, and its quota holds.
    report.rules_out(&["wordpress.cron-never-runs", "cron.without-limits"]);
    report.leaves_alone(&["DISABLE_WP_CRON", "CPUQuota", "MemoryMax", "OnCalendar", "Persistent"]);
    // 002-58, 002-69, 002-72 to 002-74, 002-76: what keeps the old page while one request makes the new one is right.
    report.rules_out(&["nginx.cache-stampede", "nginx.cache-key-incomplete", "nginx.http-to-fastcgi"]);
    report.leaves_alone(&[
        "fastcgi_cache_use_stale",
        "fastcgi_cache_background_update",
        "fastcgi_cache_lock",
        "fastcgi_cache_lock_timeout",
        "fastcgi_cache_valid",
        "fastcgi_cache_key",
        "pm.max_requests",
    ]);
}

#[test]
fn the_same_pool_without_its_comment_starts_and_takes_more_memory_than_there_is() {
    let report = Report::of(&["002", "002-without-comment"]);
    report.rules_out(&["php-fpm.configuration-refused"]);
    let cause = report.cause("php-fpm.memory-overcommitted");
    assert_eq!(cause["verdict"], "confirmed", "{cause:#}");
    assert!(cause["summary"].as_str().unwrap().contains("2048 × 20 MiB"), "{cause:#}");
    report.leaves_alone(&["pm.max_requests", "listen.mode"]);
}
