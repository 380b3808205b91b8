use host::Tree;

use super::*;
use crate::reading::read_tree;

const SOCKET: &str = "/.narrows/sql/run/mysqld/mysqld.sock";

fn table(pairs: &[(&str, &str)]) -> String {
    let rows: Vec<_> = pairs.iter().map(|(name, value)| [*name, *value]).collect();
    serde_json::json!({"columns": ["Variable_name", "Value"], "rows": rows}).to_string()
}

fn evidence(variables: &[(&str, &str)], first: &[(&str, &str)], last: &[(&str, &str)]) -> Evidence {
    let mut tree = Tree::in_memory(2);
    for (instant, (ticks, status)) in [(100, first), (600, last)].into_iter().enumerate() {
        tree.put(instant, "/proc/uptime", format!("{} 1", 1000 + 10 * instant));
        tree.put(instant, "/proc/stat", "cpu  1 0 1 9 0 0 0 0\ncpu0 1 0 1 9 0 0 0 0\ncpu1 1 0 1 9 0 0 0 0\n");
        let stat = format!("70 (mariadbd) S 1 70 70 0 -1 0 1 2 3 4 {ticks} 0 0 0 20 0 30 0 99\n");
        tree.put(instant, "/proc/70/stat", stat);
        tree.put(instant, "/proc/70/cmdline", "/usr/sbin/mariadbd\0");
        tree.put(instant, &format!("{SOCKET}/status"), table(status));
    }
    let version = serde_json::json!({"columns": ["version", "comment"], "rows": [["10.11.6-MariaDB", "x"]]});
    tree.put(0, &format!("{SOCKET}/version"), version.to_string());
    tree.put(0, &format!("{SOCKET}/variables"), table(variables));
    read_tree(&tree).unwrap()
}

fn find(evidence: &Evidence, id: &str) -> Station {
    stations(evidence).into_iter().find(|station| station.id == id).unwrap()
}

#[test]
fn connections_are_busy_while_they_are_open_and_lost_when_refused() {
    let first =
        [("Threads_connected", "101"), ("Connections", "1000"), ("Connection_errors_max_connections", "5")];
    let last =
        [("Threads_connected", "51"), ("Connections", "1100"), ("Connection_errors_max_connections", "25")];
    let station = find(&evidence(&[("max_connections", "150")], &first, &last), "mysql.connections");
    assert_eq!(
        (station.servers, station.busy, station.arrivals_per_s),
        (Some(150.0), Some(75.0), Some(10.0))
    );
    assert_eq!((station.service_s, station.lost_per_s), (Some(7.5), Some(2.0)));
}

#[test]
fn threads_keep_cpus_busy_by_their_cpu_time_not_by_their_number() {
    let status = |questions| [("Threads_running", "41"), ("Questions", questions)];
    let station = find(&evidence(&[], &status("0"), &status("1000")), "mysql.threads");
    assert_eq!((station.servers, station.busy, station.arrivals_per_s), (Some(2.0), Some(0.5), Some(100.0)));
    assert_eq!(station.service_s, Some(0.005));
    assert!(station.what.contains("40 threads"), "{}", station.what);
    let pool = [("thread_handling", "pool-of-threads"), ("thread_pool_size", "1")];
    assert_eq!(find(&evidence(&pool, &status("0"), &status("1000")), "mysql.threads").servers, Some(1.0));
}

#[test]
fn a_full_buffer_pool_is_no_narrows_of_its_own() {
    let status = |reads, requests| {
        [
            ("Innodb_buffer_pool_pages_total", "8000"),
            ("Innodb_buffer_pool_reads", reads),
            ("Innodb_buffer_pool_read_requests", requests),
        ]
    };
    let station = find(&evidence(&[], &status("0", "0"), &status("500", "10000")), "mysql.buffer-pool");
    assert_eq!(
        (station.arrivals_per_s, station.utilization(), station.saturates_at_times()),
        (Some(50.0), None, None)
    );
    assert!(station.what.contains("95 %"), "{}", station.what);
}

#[test]
fn the_redo_log_is_busy_by_the_age_of_its_checkpoint() {
    let status = |age| [("Innodb_checkpoint_age", age), ("Innodb_checkpoint_max_age", "1000")];
    let station = find(&evidence(&[], &status("300"), &status("500")), "mysql.redo");
    assert_eq!((station.utilization(), station.saturates_at_times()), (Some(0.4), None));
}

#[test]
fn a_server_that_lets_nobody_in_has_no_station() {
    let mut quiet = Tree::in_memory(1);
    quiet.put(0, "/proc/70/stat", "70 (mariadbd) S 1 70 70 0 -1 0 1 2 3 4 1 0 0 0 20 0 30 0 99\n");
    quiet.put(0, "/proc/70/cmdline", "/usr/sbin/mariadbd\0");
    assert!(stations(&read_tree(&quiet).unwrap()).is_empty());
}
