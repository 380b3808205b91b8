//! Figures of database servers over a window.

use super::ServerCounters;
use crate::Evidence;

/// The growth of a counter per second, over all servers that count it; `None` where none does.
pub(crate) fn per_second(evidence: &Evidence, counter: &str) -> Option<f64> {
    let span = evidence.span(|reading| &reading.mysql).ok()?;
    let grown = span.last.servers.iter().filter_map(|last| {
        let first = span.first.servers.iter().find(|first| first.address == last.address)?;
        let grown = last.status.get(counter)? - first.status.get(counter)?;
        (grown >= 0.0).then_some(grown)
    });
    let grown: Vec<f64> = grown.collect();
    (!grown.is_empty()).then(|| grown.iter().sum::<f64>() / span.seconds)
}

/// Statements that run, as the mean of both ends of the window, over all servers. The one that asks is among them.
pub(crate) fn threads_running(evidence: &Evidence) -> Option<f64> {
    let span = evidence.span(|reading| &reading.mysql).ok()?;
    let sum = |servers: &[ServerCounters]| {
        let running: Vec<f64> =
            servers.iter().filter_map(|one| one.status.get("Threads_running").copied()).collect();
        (!running.is_empty()).then(|| running.iter().sum::<f64>())
    };
    Some((sum(&span.first.servers)? + sum(&span.last.servers)?) / 2.0)
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;
    use crate::reading::read_tree;

    #[test]
    fn counters_of_all_servers_are_rates_and_threads_a_mean() {
        let mut tree = Tree::in_memory(2);
        for (instant, uptime, created, running) in [(0, "100.00 1.00", 10, 4), (1, "110.00 1.00", 60, 8)] {
            tree.put(instant, "/proc/uptime", uptime);
            tree.put(
                instant,
                "/proc/90/stat",
                "90 (mariadbd) S 1 1 1 0 -1 0 0 0 0 0 5 0 0 0 20 0 1 0 100 0 0",
            );
            let version =
                r#"{"columns": ["version", "comment", "account"], "rows": [["10.11.6-MariaDB", "", "a@b"]]}"#;
            tree.put(instant, "/.narrows/sql/run/mysqld/mysqld.sock/version", version);
            let rows = format!(r#"[["Threads_created", "{created}"], ["Threads_running", "{running}"]]"#);
            let status = format!(r#"{{"columns": ["Variable_name", "Value"], "rows": {rows}}}"#);
            tree.put(instant, "/.narrows/sql/run/mysqld/mysqld.sock/status", status);
        }
        let evidence = read_tree(&tree).unwrap();
        assert_eq!(per_second(&evidence, "Threads_created"), Some(5.0));
        assert_eq!(per_second(&evidence, "Nonsense"), None);
        assert_eq!(threads_running(&evidence), Some(6.0));
    }
}
