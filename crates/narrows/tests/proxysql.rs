//! ProxySQL as narrows reads it, on a stand-in for its administration. Debian has no package of ProxySQL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panic and run the program"
)]

use lab::faults::netns::Namespace;
use lab::services::proxysql::StandIn;
use serde_json::Value;

const TABLES: &str = "
    INSERT INTO main.runtime_mysql_servers VALUES (10, '10.0.0.5', 3306, 'ONLINE', 50), (10, '10.0.0.6', 3306, 'SHUNNED', 50);
    INSERT INTO main.mysql_servers SELECT * FROM main.runtime_mysql_servers;
    INSERT INTO disk.mysql_servers VALUES (10, '10.0.0.5', 3306, 'ONLINE', 20), (10, '10.0.0.6', 3306, 'ONLINE', 50);
    INSERT INTO stats.stats_mysql_connection_pool VALUES (10, '10.0.0.5', 3306, 'ONLINE', 50, 0, 90, 0, 70000, 300),
        (10, '10.0.0.6', 3306, 'SHUNNED', 0, 0, 3, 12, 8, 0);
    INSERT INTO stats.stats_mysql_global VALUES ('Client_Connections_connected', '90'), ('Client_Connections_non_idle', '60'),
        ('ConnPool_get_conn_failure', '5'), ('max_connect_timeouts', '1');
    INSERT INTO stats.stats_mysql_query_digest VALUES ('SELECT SQL_CALC_FOUND_ROWS ID FROM wp_posts LIMIT ?,?', 9000),
        ('SELECT @@version', 70000);";

fn checked(namespace: &Namespace, user: &str) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.cnf");
    std::fs::write(&file, format!("[proxysql-admin]\nuser={user}\npassword=hunter2\n")).unwrap();
    let mut command = namespace.command(env!("CARGO_BIN_EXE_narrows"));
    command.args([
        "check",
        "--for",
        "1s",
        "--format",
        "json",
        "--database",
        "127.0.0.1:6032",
        "--defaults-file",
    ]);
    let output = command.arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    (report, said)
}

fn cause<'a>(report: &'a Value, id: &str) -> &'a Value {
    let causes = report["causes"].as_array().unwrap();
    causes.iter().find(|cause| cause["id"] == id).unwrap()
}

#[test]
fn what_the_administration_says_is_judged() {
    let namespace = Namespace::create().unwrap();
    let stand_in = StandIn::start(&namespace, 6032).unwrap();
    stand_in.run(TABLES).unwrap();
    let (report, said) = checked(&namespace, "radmin");
    for (id, verdict, says) in [
        ("proxysql.backend-shunned", "confirmed", "10.0.0.6:3306 SHUNNED of host group 10, 1 left"),
        ("proxysql.not-saved", "confirmed", "10.0.0.5:3306 in host group 10 max_connections 50 and 20"),
        (
            "proxysql.multiplexing-lost",
            "confirmed",
            "50 connections in use for 60 clients; kept by 9000 SQL_CALC_FOUND_ROWS",
        ),
        ("proxysql.pool-exhausted", "consistent", "all 50 connections to 10.0.0.5:3306"),
        ("proxysql.backends-above-server", "unknown", ""),
    ] {
        let found = cause(&report, id);
        assert_eq!(found["verdict"], verdict, "{found:#}");
        assert!(found["summary"].as_str().unwrap().contains(says), "{found:#}");
    }
    let stations = report["stations"].as_array().unwrap();
    assert!(stations.iter().any(|station| station["id"] == "proxysql.pool:127.0.0.1:6032/10/10.0.0.5:3306"));
    assert!(!said.contains("not to be read") && !said.contains("hunter2"));
    let (refused, _) = checked(&namespace, "somebody");
    let missing = cause(&refused, "proxysql.not-saved")["missing"].to_string();
    assert!(missing.contains("[proxysql-admin]"), "{missing}");
}
