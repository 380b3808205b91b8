//! Lines for another server, copied into this one's option file.

use std::thread;
use std::time::Duration;

use crate::faults::Result;
use crate::machine::count;
use crate::parts::course::Metric;
use crate::parts::database::clients::steadily;
use crate::parts::database::course::Course;
use crate::parts::database::{Database, wordpress};
use crate::scenario::{Scenario, World};
use crate::score::{Expected, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "mycnf-copied",
    title: "options for a news site on MySQL, copied onto MariaDB 10.11 where orders are kept",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "mysql.durability-relaxed";
const FOLKLORE: [&str; 2] = ["mysql.option-inert", "mysql.lru-scan-copied"];
const RIVALS: &[&str] =
    &["mysql.option-removed", "mysql.connections-exhausted", "mysql.buffer-pool-small", "mysql.redo-small"];
/// The lines of the report, but for sizes: its pool was three quarters of its memory, and its log four times as long.
const COPIED: &str = "# Allocate 75% of available RAM to the Buffer Pool
innodb_buffer_pool_size = 512M
# Split the buffer pool to reduce mutex contention
innodb_buffer_pool_instances = 16
# Tune the Least Recently Used (LRU) algorithm
innodb_lru_scan_depth = 2048
innodb_io_capacity = 4000
innodb_io_capacity_max = 8000
# Optimize transaction log flushing
innodb_flush_log_at_trx_commit = 2
innodb_log_file_size = 1G
";
/// Debian's files alone.
const STOCK: &str = "";
/// WooCommerce's, as far as it matters here.
const ORDERS: &str = "CREATE TABLE wp_wc_orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, status varchar(20), \
                      total_amount decimal(26,8), date_created_gmt datetime, KEY status (status)) ENGINE=InnoDB";

fn order(_: usize) -> String {
    "INSERT INTO wp_wc_orders (status, total_amount, date_created_gmt) VALUES ('wc-processing', 25, NOW())"
        .to_owned()
}

/// Ten orders a second, which is a shop that does well.
fn orders(database: &Database) -> Result<()> {
    let slowly = |index| {
        thread::sleep(Duration::from_millis(100));
        order(index)
    };
    steadily(database, 1, Duration::from_secs(1), slowly).map(drop)
}

/// Flushes of the log to disk for 100 orders.
fn measure(database: &Database) -> Result<[f64; 1]> {
    let flushes = || database.counter("Innodb_data_fsyncs");
    let before = flushes()?;
    let orders = steadily(database, 1, Duration::from_secs(4), order)?;
    Ok([100.0 * (flushes()? - before) / count(orders.len())])
}

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(STOCK)?;
    wordpress::newspaper(&database, 10_000)?;
    wordpress::within(&database, ORDERS)?;
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        window: "8s",
        load: &orders,
        every: Duration::from_millis(1010),
    };
    // What the tables were filled with is no load of the site's.
    database.restart_with(STOCK)?;
    course.look_at_twin(score, &database)?;
    database.restart_with(COPIED)?;
    let report = course.check(&database)?;
    for cause in FOLKLORE {
        score.judge_folklore(&report, cause);
    }
    // Right where the storage does as much; narrows cannot know.
    let capacity = report.causes.iter().find(|cause| cause.id == "mysql.io-capacity-copied");
    let capacity = capacity.map(|found| format!("{:?}, {}", found.verdict, found.summary));
    score.remarks.push(format!("mysql.io-capacity-copied: {}", capacity.unwrap_or_default()));
    let metric = Metric {
        name: "flushes of the log for 100 orders".to_owned(),
        expected: Some(Expected::RisesTo(10.0)),
    };
    course.take(score, &database, [metric], measure).map(drop)
}
