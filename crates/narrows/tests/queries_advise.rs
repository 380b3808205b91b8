//! `narrows queries explain` and `advise` on a real MariaDB.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lab::faults::netns::Namespace;
use lab::services::{self, mariadb::MariaDb};

const SHOP: &str = "CREATE DATABASE shop; USE shop;
CREATE TABLE wp_posts (
  ID bigint(20) unsigned NOT NULL AUTO_INCREMENT, post_date datetime NOT NULL, post_status varchar(20) NOT NULL,
  post_type varchar(20) NOT NULL, menu_order int NOT NULL, PRIMARY KEY (ID), KEY type_status_date (post_type,post_status,post_date,ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, customer varchar(40) NOT NULL, created datetime NOT NULL, total int NOT NULL,
  KEY customer (customer), KEY customer_created (customer, created)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO wp_posts (post_date, post_status, post_type, menu_order)
  SELECT '2020-01-01' + INTERVAL seq MINUTE, 'publish', 'post', seq % 10 FROM seq_1_to_5000;
INSERT INTO orders (customer, created, total) SELECT CONCAT('c', seq % 3000), '2023-01-01' + INTERVAL seq MINUTE, seq FROM seq_1_to_20000;
ANALYZE TABLE wp_posts, orders;";

struct Server {
    _database: MariaDb,
    socket: String,
    folder: tempfile::TempDir,
}

fn server() -> Server {
    let folder = services::folder().unwrap();
    let namespace = Namespace::create().unwrap();
    let database = MariaDb::start(&namespace, folder.path(), "127.0.0.1").unwrap();
    database.run(SHOP).unwrap();
    let socket = database.socket().display().to_string();
    Server { _database: database, socket, folder }
}

impl Server {
    fn queries(&self, arguments: &[&str], input: &str) -> Output {
        let server = format!("root@{}", self.socket);
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.args(["queries"]).args(arguments).args(["--server", &server, "--db", "shop"]);
        command.env("NO_COLOR", "1").env("HOME", self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn value(&self, statement: &str) -> String {
        self._database.run(&format!("USE shop; {statement}")).unwrap().trim().to_owned()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Lines break where the path of a socket has them break.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_query_is_explained_advised_on_and_the_plan_of_the_advice_is_written() {
    let server = server();
    let sql = "SELECT customer FROM orders WHERE total = 17";

    let estimated = server.queries(&["explain", "--query", sql], "");
    assert!(text(&estimated).contains("orders  whole table"), "{}", text(&estimated));
    let analyzed = server.queries(&["explain", "--analyze", "--query", sql], "");
    let shown = text(&analyzed);
    assert!(
        unwrapped(&shown).contains("20,000 rows to give 1")
            && unwrapped(&shown).contains("counted while it ran"),
        "{shown}"
    );
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    assert_eq!((code(&estimated), code(&analyzed)), (Some(0), Some(0)));

    let plan: PathBuf = server.folder.path().join("advice.json");
    let advised = server.queries(&["advise", "--query", sql, "--plan", plan.to_str().unwrap()], "");
    let shown = text(&advised);
    assert_eq!(code(&advised), Some(1), "{shown}");
    assert!(unwrapped(&shown).contains("ADD INDEX `idx_total` (`total`)"), "{shown}");
    assert!(shown.contains("(index.redundant)") && shown.contains("down  ALTER TABLE"), "{shown}");
    let plan = std::fs::read_to_string(plan).unwrap();
    assert!(plan.contains("idx_total") && plan.contains("information_schema.statistics"), "{plan}");

    let json = server.queries(&["advise", "--query", sql, "--format", "json"], "");
    let found: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(found["advice"][0]["id"], "index.missing", "{found}");
    let step = &found["advice"][0]["up"][0];
    let probe = step["probe"].as_str().unwrap();
    assert_eq!(server.value(probe), "0");
    server.value(step["sql"].as_str().unwrap());
    assert_eq!(server.value(probe), "1");
    assert!(!text(&server.queries(&["advise", "--query", sql], "")).contains("(index.missing)"));
    server.value(step["undo"].as_str().unwrap());
    assert_eq!(server.value(probe), "0");
}

#[test]
fn what_is_explained_is_not_run_and_nothing_hides_behind_it() {
    let server = server();
    for sql in [
        "SELECT 1 FROM orders; DELETE FROM orders",
        "SELECT 1 FROM orders /*M!100000 ; DELETE FROM orders */",
        "SELECT 1 FROM orders /*!; DELETE FROM orders */",
    ] {
        let refused = server.queries(&["explain", "--query", sql], "");
        assert_eq!(code(&refused), Some(3), "{sql}: {}", text(&refused));
    }
    let explained = server.queries(&["explain", "--query", "DELETE FROM orders WHERE total > 5"], "");
    assert_eq!(code(&explained), Some(0), "{}", text(&explained));
    for sql in [
        "DELETE FROM orders",
        "SELECT id FROM orders FOR UPDATE",
        "SELECT id FROM orders INTO OUTFILE '/tmp/x'",
        "UPDATE orders SET total = 1",
    ] {
        let refused = server.queries(&["explain", "--analyze", "--query", sql], "");
        assert_eq!(code(&refused), Some(2), "{sql}: {}", text(&refused));
    }
    assert_eq!(server.value("SELECT COUNT(*) FROM orders"), "20000");
}

#[test]
fn a_slow_log_is_advised_on_by_the_time_at_stake() {
    let server = server();
    let event = |seconds: f64, sql: &str| {
        format!(
            "# Time: 2024-03-01T10:00:00.000000Z\n# User@Host: u[u] @ localhost []  Id: 1\n# Query_time: {seconds}  Lock_time: 0.0 \
             Rows_sent: 3  Rows_examined: 20000\nSET timestamp=1709287200;\n{sql};\n"
        )
    };
    let log = [
        event(1.5, "SELECT customer FROM orders WHERE total = 17"),
        event(
            4.5,
            "SELECT SQL_CALC_FOUND_ROWS ID FROM wp_posts WHERE menu_order = 3 ORDER BY post_date DESC LIMIT 40, 10",
        ),
        event(0.5, "OPTIMIZE TABLE orders"),
    ];
    let advised = server.queries(&["advise", "-"], &log.concat());
    let shown = text(&advised);
    assert_eq!(code(&advised), Some(1), "{shown}");
    let at = |needle: &str| shown.find(needle).unwrap_or_else(|| panic!("{needle} in {shown}"));
    assert!(at("4.5 s at stake") < at("1.5 s at stake"), "{shown}");
    let flat = unwrapped(&shown);
    assert!(flat.contains("(query.found-rows)") && flat.contains("(`menu_order`, `post_date`)"), "{shown}");
    assert!(flat.contains("known by its fingerprint only"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn plans_and_schemas_of_files_need_no_server() {
    let narrows = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_narrows"))
            .arg("queries")
            .args(arguments)
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    };
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/../advice/tests/plans/mysql-8.4-analyze-offset.json");
    let shown = narrows(&["explain", plan]);
    assert!(text(&shown).contains("1,500 rows to give 20: 75 for each row"), "{}", text(&shown));
    let folder = services::folder().unwrap();
    let dump = folder.path().join("dump.sql");
    std::fs::write(&dump, "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int NOT NULL,\n  `c` text,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB;\n").unwrap();
    let dump = dump.to_str().unwrap();
    let some = narrows(&["advise", "--query", "SELECT c FROM t WHERE b = 5", "--schema", dump]);
    assert_eq!(code(&some), Some(1), "{}", text(&some));
    assert!(text(&some).contains("ADD INDEX `idx_b` (`b`)"), "{}", text(&some));
    let none = narrows(&["advise", "--query", "SELECT c FROM t WHERE a = 5", "--schema", dump]);
    assert_eq!(code(&none), Some(0), "{}", text(&none));
    assert_eq!(code(&narrows(&["advise", "--schema", dump])), Some(2));
    assert_eq!(code(&narrows(&["explain", dump])), Some(3));
}
