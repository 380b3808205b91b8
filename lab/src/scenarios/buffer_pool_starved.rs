//! InnoDB may keep less in memory than is asked for, while most memory is free.

use std::time::Duration;

use crate::faults::Result;
use crate::machine::count;
use crate::parts::course::Metric;
use crate::parts::database::clients::{percentile_ms, steadily};
use crate::parts::database::course::Course;
use crate::parts::database::meter::meanwhile;
use crate::parts::database::{Database, SCHEMA, wordpress};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "buffer-pool-starved",
    title: "questions all over 450 MiB of tables, with Debian's buffer pool of 128 MB and most memory free",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "mysql.buffer-pool-small";
const RIVALS: &[&str] = &["mysql.connections-exhausted", "mysql.buffer-pool-starves-php"];
const POSTS: u32 = 250_000;
/// Debian leaves it at this, and says so nowhere.
const DEFAULT: &str = "";
/// Holds all tables and their indexes.
const ENOUGH: &str = "innodb_buffer_pool_size = 512M\n";
const CLIENTS: usize = 4;

/// What a post has in `wp_postmeta`, for any of them.
fn question(index: usize) -> String {
    let post = index * 7919 % POSTS as usize + 1;
    format!("SELECT meta_key, meta_value FROM wp_postmeta WHERE post_id = {post}")
}

fn ask(database: &Database) -> Result<()> {
    steadily(database, CLIENTS, Duration::from_secs(1), question).map(drop)
}

/// Reads all of the table, so that a pool that holds it is full.
fn warm(database: &Database) -> Result<()> {
    database
        .run(&format!(
            "USE {SCHEMA}; SELECT SUM(LENGTH(meta_value)) FROM wp_postmeta; \
             SELECT COUNT(post_id) FROM wp_postmeta FORCE INDEX (post_id)"
        ))
        .map(drop)
}

/// Pages read from files for 1,000 answers, and the 99th percentile of an answer in ms.
fn measure(database: &Database) -> Result<[f64; 2]> {
    warm(database)?;
    let ask = || steadily(database, CLIENTS, Duration::from_secs(5), question);
    let (answers, measured) = meanwhile(database, ask)?;
    Ok([1000.0 * measured.page_reads / count(answers.len()), percentile_ms(&answers, 99)])
}

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(ENOUGH)?;
    wordpress::newspaper(&database, POSTS)?;
    let bytes = database.number(&format!(
        "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"
    ))?;
    score.remarks.push(format!("tables and indexes of {:.0} MiB", bytes / f64::from(1 << 20)));
    let course = Course {
        cause: CAUSE,
        rivals: RIVALS,
        window: "10s",
        load: &ask,
        every: Duration::from_millis(1010),
    };
    let [pages, p99] = measure(&database)?;
    score.remarks.push(format!(
        "without the fault: {pages:.1} pages read from files for 1,000 answers, p99 of an answer {p99:.2} ms"
    ));
    course.look_at_twin(score, &database)?;
    database.restart_with(DEFAULT)?;
    let metrics = [
        Metric::falls_to(0.1, "pages read from files for 1,000 answers"),
        Metric::remark("p99 of an answer, ms"),
    ];
    course.take(score, &database, metrics, measure).map(drop)
}
