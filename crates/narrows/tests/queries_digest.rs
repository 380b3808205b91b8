//! `narrows queries digest` as a user types it, on a small log of each server.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const MYSQL: &str = "\
# Time: 2024-03-01T10:00:00.000000Z
# User@Host: shop[shop] @ web1 [10.0.0.5]  Id: 7
# Query_time: 2.500000  Lock_time: 0.000010 Rows_sent: 1  Rows_examined: 500000
use wp_shop;
SET timestamp=1709287200;
SELECT * FROM wp_postmeta WHERE meta_value = 'secret-1';
# Time: 2024-03-01T10:00:05.000000Z
# User@Host: shop[shop] @ web2 [10.0.0.6]  Id: 8
# Query_time: 1.500000  Lock_time: 0.000010 Rows_sent: 1  Rows_examined: 400000
SET timestamp=1709287205;
SELECT * FROM wp_postmeta WHERE meta_value = 'secret-2';
# Time: 2024-03-01T10:00:09.000000Z
# User@Host: cron[cron] @ localhost []  Id: 9
# Query_time: 0.000100  Lock_time: 0.000000 Rows_sent: 10  Rows_examined: 10
SET timestamp=1709287209;
SELECT option_value FROM wp_options WHERE option_name IN ('a','b');
";

fn narrows(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command
        .args(["queries", "digest"])
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    serde_json::from_str(&text(&narrows(folder, &arguments))).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slow.log"), MYSQL).unwrap();
    folder
}

fn counts(report: &Value) -> Vec<u64> {
    report["classes"].as_array().unwrap().iter().map(|class| class["query_count"].as_u64().unwrap()).collect()
}

#[test]
fn people_read_the_answer_first_and_no_literal() {
    let folder = folder();
    let report = text(&narrows(folder.path(), &["slow.log"]));
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.starts_with("100.0 % of the time goes to one class: SELECT wp_postmeta"), "{report}");
    assert!(words.contains("examines 450,000 rows for each row that it sends"), "{report}");
    assert!(!report.contains("secret") && !report.contains('\x1b'), "{report}");
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
    let shown = text(&narrows(folder.path(), &["slow.log", "--show-literals"]));
    assert!(shown.contains("secret-1"), "{shown}");
}

#[test]
fn json_holds_to_its_schema_and_hides_literals() {
    let folder = folder();
    let report = json(folder.path(), &["slow.log"]);
    let mut compiler = boon::Compiler::new();
    let mut schemas = boon::Schemas::new();
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/digest-1.json");
    let schema = compiler.compile(place, &mut schemas).unwrap_or_else(|error| panic!("{error}"));
    schemas.validate(&report, schema).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counts(&report), [2, 1]);
    let class = &report["classes"][0];
    assert_eq!(class["example"]["query"], "SELECT * FROM wp_postmeta WHERE meta_value = ?");
    assert_eq!(class["example"]["redacted"], true);
    assert_eq!(class["metrics"]["Query_time"]["sum"], "4.000000");
    assert_eq!(class["tables"][0]["database"], "wp_shop");
    assert!(!report.to_string().contains("secret"));
}

#[test]
fn events_are_selected_by_names_times_and_expressions() {
    let folder = folder();
    for (arguments, wanted) in [
        (vec!["--where", "rows_examined > 1000 * rows_sent"], vec![2]),
        (vec!["--where", "query_time > 2s or user = 'cron'"], vec![1, 1]),
        (vec!["--user", "cron"], vec![1]),
        (vec!["--host", "web1", "--host", "web2"], vec![2]),
        (vec!["--db", "other"], vec![]),
        (vec!["--since", "2024-03-01 10:00:05"], vec![1, 1]),
        (vec!["--until", "2024-03-01T12:00:05+02:00"], vec![1]),
        (vec!["--since", "-1h"], vec![]),
        (vec!["--limit", "1"], vec![2]),
        (vec!["--order-by", "Rows_sent:max", "--limit", "all"], vec![1, 2]),
    ] {
        let report = json(folder.path(), &[vec!["slow.log"], arguments.clone()].concat());
        assert_eq!(counts(&report), wanted, "{arguments:?}");
    }
    let wrong = narrows(folder.path(), &["slow.log", "--where", "rows_examind > 5"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean Rows_examined?"));
    assert_eq!(narrows(folder.path(), &["slow.log", "--since", "yesterday"]).status.code(), Some(2));
    assert_eq!(narrows(folder.path(), &["none.log"]).status.code(), Some(3));
}

#[test]
fn saved_digests_of_two_hosts_combine_and_hold_no_literal() {
    let folder = folder();
    for name in ["a.nd", "b.nd"] {
        assert!(narrows(folder.path(), &["slow.log", "--save", name]).status.success());
    }
    let both = json(folder.path(), &["a.nd", "b.nd"]);
    let twice = json(folder.path(), &["slow.log", "slow.log"]);
    assert_eq!(counts(&both), [4, 2]);
    assert_eq!(both["classes"][0]["metrics"], twice["classes"][0]["metrics"]);
    let shown = text(&narrows(folder.path(), &["a.nd", "--show-literals"]));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn a_report_can_be_written_to_a_file_in_every_format() {
    let folder = folder();
    for format in ["human", "json", "markdown", "pt"] {
        let name = format!("report.{format}");
        assert!(
            narrows(folder.path(), &["slow.log", "--format", format, "--output", &name]).status.success()
        );
        let report = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(report.contains("wp_postmeta") && !report.contains("secret"), "{report}");
    }
}

#[test]
fn standard_input_is_a_log_too() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(["queries", "digest", "-", "--format", "pt", "--threads", "1"]);
    command.stdin(std::fs::File::open(folder.path().join("slow.log")).unwrap());
    let report = text(&command.output().unwrap());
    assert!(report.contains("# Overall: 3 total, 2 unique"), "{report}");
}
