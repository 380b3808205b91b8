//! A scan of the buffer pool that looks further than it has to.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.lru-scan-copied",
    title: "innodb_lru_scan_depth is raised, and no statement ever waited for a free page",
    explains: &[],
    refutes: &[],
    document: include_str!("lru_scan_copied.md"),
    test,
};

/// MySQL's default; a larger one is rarely of use.
const MYSQL: f64 = 1024.0;
/// MariaDB's since 10.5.
const MARIADB: f64 = 1536.0;
/// What counts the waits that a deeper scan is against.
const WAITS: &str = "Innodb_buffer_pool_wait_free";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let name = "innodb_lru_scan_depth";
    let Some(line) = view.line(name) else {
        return Ok(Outcome::ruled_out(format!("{}: no file sets {name}", view.name())));
    };
    let depth = view.needs(name)?;
    let default = if view.is_mariadb() && view.since(10, 5, 0) != Some(false) { MARIADB } else { MYSQL };
    let instances = view.number("innodb_buffer_pool_instances").filter(|_| !is_one(view)).unwrap_or(1.0);
    let waits = view.gauge(WAITS);
    let words = format!(
        "{}: {name} {} × {} = {} pages looked at each second",
        view.name(),
        number_text(depth),
        if instances > 1.0 { format!("{} instances", number_text(instances)) } else { "one pool".to_owned() },
        number_text(depth * instances)
    );
    let outcome = match waits {
        _ if depth <= default => Outcome::ruled_out(words),
        None => {
            return Err(Missing::new(format!("{WAITS} of {}", view.name()), "look at SHOW GLOBAL STATUS"));
        }
        Some(waits) if waits > 0.0 => {
            Outcome::ruled_out(format!("{words}; statements waited {} × for a free page", number_text(waits)))
        }
        Some(_) => {
            let words =
                format!("{words}; nobody ever waited for a free page (default {})", number_text(default));
            let target =
                Derived::new("taken out", "the default, as long as Innodb_buffer_pool_wait_free is 0")
                    .input("default", number_text(default), "the manual")
                    .input("instances", number_text(instances), "innodb_buffer_pool_instances");
            let remedy = Remedy::new(format!("Take {name} out"), "nothing: it was not needed")
                .change(edits::take_out(line, target));
            Outcome::confirmed(Severity::Folklore, words).remedy(remedy)
        }
    };
    Ok(outcome
        .seen_all(view.seen_variable(name))
        .seen_all(waits.map(|waits| view.seen(STATUS, WAITS, waits))))
}

/// MariaDB has one buffer pool since 10.5, whatever is set.
fn is_one(view: &View<'_>) -> bool {
    view.is_mariadb() && view.since(10, 5, 1) != Some(false)
}
