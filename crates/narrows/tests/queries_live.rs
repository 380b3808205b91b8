//! `narrows queries digest --live` on a real MariaDB.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::process::{Child, Command, Output, Stdio};

use lab::faults::netns::Namespace;
use lab::services::{self, mariadb::MariaDb};
use serde_json::Value;

struct Server {
    database: MariaDb,
    _folder: tempfile::TempDir,
}

fn server(performance_schema: &str) -> Server {
    let folder = services::folder().unwrap();
    let namespace = Namespace::create().unwrap();
    let options = [performance_schema];
    let database = MariaDb::start_with(&namespace, folder.path(), "127.0.0.1", &options).unwrap();
    Server { database, _folder: folder }
}

impl Server {
    fn live(&self, arguments: &[&str]) -> Child {
        let server = self.database.socket().display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.args(["queries", "digest", "--live", "--user", "root", "--server", &server]).args(arguments);
        command.env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs statements after the first reading, which the server's own counters tell.
    fn run_within(&self, arguments: &[&str], statements: &str) -> Output {
        let child = self.live(arguments);
        let read = "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest \
                    WHERE DIGEST_TEXT LIKE '%narrows_reading_of_digests%'";
        while self.database.run(read).unwrap().trim() == "0" {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        self.database.run(statements).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_a_server_runs_in_a_span_is_digested_with_its_sums_and_without_our_own_statements() {
    let server = server("--performance-schema=ON");
    let shop =
        "CREATE DATABASE shop; USE shop; CREATE TABLE t (a int); INSERT INTO t SELECT seq FROM seq_1_to_100;";
    server.database.run(&format!("{shop} SELECT COUNT(*) FROM t WHERE a > 1;")).unwrap();
    let query = "USE shop; SELECT COUNT(*) FROM t WHERE a > 17; SELECT COUNT(*) FROM t WHERE a > 18;";
    let output = server.run_within(&["--for", "8s", "--format", "json", "--limit", "all"], query);
    assert!(output.status.success(), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut compiler = boon::Compiler::new();
    let mut schemas = boon::Schemas::new();
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/digest-1.json");
    let schema = compiler.compile(place, &mut schemas).unwrap_or_else(|error| panic!("{error}"));
    schemas.validate(&report, schema).unwrap_or_else(|error| panic!("{error}"));
    let classes = report["classes"].as_array().unwrap();
    let of = |words: &str| {
        let found = classes.iter().find(|class| class["fingerprint"].as_str().unwrap().contains(words));
        found.unwrap_or_else(|| panic!("no {words} in {report:#}"))
    };
    let class = of("from `t` where `a` > ?");
    assert_eq!(class["query_count"], 2);
    let metrics = &class["metrics"];
    assert_eq!(
        (metrics["Rows_examined"]["sum"].as_str(), metrics["Rows_sent"]["sum"].as_str()),
        (Some("200"), Some("2"))
    );
    assert!(metrics["Query_time"]["sum"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    assert!(metrics["Query_time"].get("max").is_none() && class["histograms"].get("Query_time").is_none());
    assert_eq!(class["values"]["db"]["most_frequent"][0]["value"], "shop");
    assert!(
        !classes.iter().any(|class| class["fingerprint"].as_str().unwrap().contains("as `narrows_reading")),
        "{report:#}"
    );
    assert!(!report.to_string().contains("insert into"), "what ran before is not of the span: {report:#}");
    let notes = report["global"]["notes"].to_string();
    assert!(notes.contains("DIGEST_TEXT only") && notes.contains("Sums only"), "{notes}");
}

#[test]
fn a_server_that_counts_nothing_is_an_error_that_says_what_to_set() {
    let server = server("--performance-schema=OFF");
    let output = server.live(&["--for", "1s"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("`performance_schema=ON`") && text(&output).contains("restart"),
        "{}",
        text(&output)
    );
    for wrong in
        [&["--for", "200ms"][..], &["--order-by", "Query_time:max"], &["slow.log"], &["--since", "-1h"]]
    {
        let output = server.live(wrong).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output));
    }
}
