//! All that a server says of itself.

use std::collections::BTreeMap;

use host::{HostError, SqlTable};
use model::Unread;

use super::ask::Server;
use super::{autoload, statements};
use crate::mysql::{Asked, InnodbStatus, LockWait, Processlist, Replication, TableSize};

/// Where there are more tables, those of other engines are not summed up, since that opens every table.
const FEW_TABLES: u64 = 1000;

/// Asks for everything. A part that is refused is named in `unread`.
///
/// # Errors
/// When the server falls silent or does not even show its variables.
pub(super) fn all(server: &Server<'_>) -> Result<Asked, Unread> {
    let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
    let variables = server.pairs("variables", "SHOW GLOBAL VARIABLES")?.into_iter().map(lower).collect();
    let status: BTreeMap<_, _> = server.pairs("status", "SHOW GLOBAL STATUS")?.into_iter().collect();
    let mut asked = Asked { variables, status, ..Asked::default() };
    let mut parts = Parts { server, unread: vec![] };
    let innodb = parts.take(
        "InnoDB's status",
        "PROCESS ON *.*",
        server.rows("innodb-status", "SHOW ENGINE INNODB STATUS"),
    );
    asked.innodb = innodb.and_then(|table| innodb_status(&table));
    // Without the right, lists of connections show only our own, and nothing says so.
    if parts.unread.is_empty() {
        connections(&mut asked, &mut parts);
    } else {
        parts.unread.push(Unread::new(
            "connections: this user sees only its own",
            parts.unread.first().map(|unread| unread.how_to_enable.clone()).unwrap_or_default(),
        ));
    }
    sizes(&mut asked, &mut parts);
    let right = if server.is_mariadb() { "SLAVE MONITOR ON *.*" } else { "REPLICATION CLIENT ON *.*" };
    let table = parts.take("replication", right, server.rows("replication", statements::replication(server)));
    asked.replication = table.and_then(|table| replication(&table));
    let loaded = autoload::read(server);
    asked.autoload = parts
        .take(
            "what WordPress loads",
            "SELECT ON WordPress's database and on mysql.innodb_table_stats",
            loaded,
        )
        .unwrap_or_default();
    asked.unread = parts.unread;
    Ok(asked)
}

/// Answers, and those that were refused.
struct Parts<'a, 'b> {
    server: &'a Server<'b>,
    unread: Vec<Unread>,
}

impl Parts<'_, '_> {
    fn take<T>(&mut self, part: &str, right: &str, answer: Result<T, HostError>) -> Option<T> {
        answer.map_err(|error| self.unread.push(self.server.part(part, right, &error))).ok()
    }
}

fn connections(asked: &mut Asked, parts: &mut Parts<'_, '_>) {
    let server = parts.server;
    let list = server.bounded("processlist", &statements::processlist(server));
    if let Some(table) = parts.take("connections", "PROCESS ON *.*", list) {
        asked.processlist = processlist(&table);
    }
    let sleeping = server.bounded("transactions", &statements::sleeping_transactions(server));
    if let Some(table) = parts.take("open transactions", "PROCESS ON *.*", sleeping) {
        asked.processlist.longest_sleep_s =
            table.values("longest_s").next().and_then(|text| text.parse().ok());
    }
    let waits = asked.status.get("Innodb_row_lock_current_waits").is_some_and(|waits| waits != "0");
    if waits {
        let right = if server.is_mariadb() { "PROCESS ON *.*" } else { "SELECT ON performance_schema.*" };
        let table = server.bounded("lock-waits", &statements::lock_waits(server));
        asked.lock_waits =
            parts.take("waits for locks", right, table).map(|table| lock_waits(&table)).unwrap_or_default();
    }
}

fn sizes(asked: &mut Asked, parts: &mut Parts<'_, '_>) {
    let (server, right) = (parts.server, "SELECT ON mysql.innodb_table_stats");
    let Some(table) = parts.take("sizes of tables", right, server.bounded("tables", statements::TABLES))
    else {
        return;
    };
    asked.tables = cells(&table).filter_map(|row| table_size(&row)).collect();
    let innodb = parts.take("sizes of engines", right, server.bounded("engines", statements::INNODB_BYTES));
    let Some(innodb) = innodb else { return };
    let tables: u64 = innodb.values("tables").next().and_then(|text| text.parse().ok()).unwrap_or(0);
    asked.engines = engines(&innodb);
    if tables > FEW_TABLES {
        parts.unread.push(Unread::new(
            format!("sizes of tables of other engines: with {tables} tables, summing them up would open every one"),
            "SELECT ENGINE, SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES GROUP BY 1, when little is going on",
        ));
        return;
    }
    let others = server.bounded("other-engines", statements::OTHER_ENGINES);
    let others = parts.take("sizes of tables of other engines", "SELECT ON *.*", others);
    asked.engines.extend(others.iter().flat_map(engines));
}

/// Rows by the names of columns, in lower case.
fn cells(table: &SqlTable) -> impl Iterator<Item = BTreeMap<String, &str>> {
    table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(row);
        cells.filter_map(|(column, cell)| Some((column.to_ascii_lowercase(), cell.as_deref()?))).collect()
    })
}

fn number<T: std::str::FromStr>(row: &BTreeMap<String, &str>, column: &str) -> Option<T> {
    row.get(column)?.parse().ok()
}

fn processlist(table: &SqlTable) -> Processlist {
    let mut list = Processlist::default();
    for row in cells(table) {
        let connections: u64 = number(&row, "connections").unwrap_or(0);
        let add = |counts: &mut BTreeMap<String, u64>, column: &str| {
            let name = row.get(column).copied().unwrap_or_default();
            *counts.entry(name.to_owned()).or_default() += connections;
        };
        let command = row.get("command").copied().unwrap_or_default();
        list.connections = list.connections.saturating_add(connections);
        add(&mut list.commands, "command");
        add(&mut list.hosts, "host");
        add(&mut list.users, "user");
        if command == "Sleep" {
            continue;
        }
        if row.get("state").is_some_and(|state| !state.is_empty()) {
            add(&mut list.states, "state");
        }
        let seconds: Option<f64> = number(&row, "longest_s").filter(|seconds: &f64| seconds.is_finite());
        if matches!(command, "Query" | "Execute") {
            let longest = list.longest_query_s.into_iter().chain(seconds);
            list.longest_query_s = longest.reduce(f64::max);
        }
    }
    list
}

/// The lines of `SHOW ENGINE INNODB STATUS` that matter.
fn innodb_status(table: &SqlTable) -> Option<InnodbStatus> {
    let text = table.values("Status").next()?;
    let after = |start: &str| {
        text.lines().find_map(|line| line.trim().strip_prefix(start)?.trim().parse::<u64>().ok())
    };
    let written = after("Log sequence number");
    let checkpoint = after("Last checkpoint at");
    let inside = text.lines().find(|line| line.contains(" queries inside InnoDB"));
    let word = |number: usize| inside?.split_whitespace().nth(number)?.parse().ok();
    let mut deadlock = text.lines().skip_while(|line| !line.starts_with("LATEST DETECTED DEADLOCK"));
    let deadlock = deadlock.find(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let waits = || text.lines().filter(|line| line.starts_with("--Thread")).count() as u64;
    Some(InnodbStatus {
        history_list_length: after("History list length"),
        checkpoint_age_bytes: written
            .zip(checkpoint)
            .map(|(written, checkpoint)| written.saturating_sub(checkpoint)),
        queries_inside: word(0),
        queries_in_queue: word(4),
        // MariaDB 10.6 has no such array any more, and lists no waits.
        semaphore_waits: text.contains("OS WAIT ARRAY INFO").then(waits),
        last_deadlock: deadlock.map(|line| line.get(..19).unwrap_or(line).to_owned()),
    })
}

fn lock_waits(table: &SqlTable) -> Vec<LockWait> {
    let wait = |row: BTreeMap<String, &str>| {
        Some(LockWait {
            waiting: number(&row, "waiting")?,
            holding: number(&row, "holding")?,
            table: row.get("name").copied().unwrap_or_default().to_owned(),
            waited_s: number(&row, "waited_s"),
            holder_sleeps: row.get("holder").map(|command| *command == "Sleep"),
        })
    };
    cells(table).filter_map(wait).collect()
}

fn table_size(row: &BTreeMap<String, &str>) -> Option<TableSize> {
    Some(TableSize {
        name: (*row.get("name")?).to_owned(),
        engine: "InnoDB".to_owned(),
        rows: number(row, "row_count"),
        data_bytes: number(row, "data_bytes")?,
        index_bytes: number(row, "index_bytes")?,
    })
}

fn engines(table: &SqlTable) -> BTreeMap<String, u64> {
    let engine = |row: BTreeMap<String, &str>| {
        let bytes: f64 = number(&row, "bytes")?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float that was a count of bytes"
        )]
        Some(((*row.get("engine")?).to_owned(), bytes as u64))
    };
    cells(table).filter_map(engine).collect()
}

/// The source that is furthest behind, or stands still.
fn replication(table: &SqlTable) -> Option<Replication> {
    let source = |row: BTreeMap<String, &str>| {
        let any = |names: [&str; 2]| names.iter().find_map(|name| row.get(*name).copied());
        let runs = |names: [&str; 2]| any(names) == Some("Yes");
        let error = ["last_sql_error", "last_io_error"]
            .iter()
            .find_map(|name| row.get(*name).filter(|text| !text.is_empty()));
        Replication {
            lag_s: any(["seconds_behind_master", "seconds_behind_source"]).and_then(|text| text.parse().ok()),
            receiving: runs(["slave_io_running", "replica_io_running"]),
            applying: runs(["slave_sql_running", "replica_sql_running"]),
            last_error: error.map(|text| (*text).to_owned()),
        }
    };
    let lag = |source: &Replication| source.lag_s.unwrap_or(f64::INFINITY);
    cells(table).map(source).max_by(|one, other| lag(one).total_cmp(&lag(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: &str) -> InnodbStatus {
        let table =
            SqlTable { columns: vec!["Status".to_owned()], rows: vec![vec![Some(status.to_owned())]] };
        innodb_status(&table).unwrap()
    }

    #[test]
    fn the_age_of_the_checkpoint_is_what_was_written_since() {
        let status = text(
            "History list length 12\nLog sequence number          2000\nLast checkpoint at           500\n",
        );
        assert_eq!((status.history_list_length, status.checkpoint_age_bytes), (Some(12), Some(1500)));
        assert_eq!((status.queries_inside, status.semaphore_waits, status.last_deadlock), (None, None, None));
    }

    #[test]
    fn mysql_says_who_is_inside_and_who_waits() {
        let status = text(
            "OS WAIT ARRAY INFO: reservation count 5\n--Thread 1 has waited at a.cc line 3 for 0 seconds\n3 queries inside InnoDB, 4 \
             queries in queue\nLATEST DETECTED DEADLOCK\n2026-01-02 03:04:05\n",
        );
        assert_eq!(
            (status.queries_inside, status.queries_in_queue, status.semaphore_waits),
            (Some(3), Some(4), Some(1))
        );
        assert_eq!(status.last_deadlock.as_deref(), Some("2026-01-02 03:04:05"));
        assert_eq!(text("Log sequence number x\n").checkpoint_age_bytes, None);
    }
}
