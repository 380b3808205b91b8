//! The command as a user types it: exit codes, formats, bundles and trees, on small trees that are written here.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn narrows(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_narrows")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(root: &Path, path: &str, content: &str) {
    let place = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, content).unwrap();
}

/// A host of two instants, 10 s apart, whose disk is at its limit.
fn busy_disk() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (instant, uptime, busy_ms, done) in [("0", "1000.00", 10_000, 1_000), ("1", "1010.00", 19_800, 1_500)]
    {
        let root = folder.path().join(instant);
        write(&root, "/proc/uptime", &format!("{uptime} 0.00\n"));
        write(&root, "/proc/sys/kernel/hostname", "db-1\n");
        let diskstats = format!(" 254 0 vda {done} 0 8000 {} 0 0 0 0 8 {busy_ms} {busy_ms}\n", done * 12);
        write(&root, "/proc/diskstats", &diskstats);
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().display().to_string()
}

#[test]
fn a_finding_exits_with_1_and_is_explained() {
    let folder = busy_disk();
    let output = narrows(&["check", &path(&folder)]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    for wanted in
        ["db-1", "The narrows: disk vda", "disk.saturated", "NEXT    narrows explain disk.saturated"]
    {
        assert!(report.contains(wanted), "no {wanted:?} in\n{report}");
    }
}

#[test]
fn with_the_rate_of_requests_it_says_how_many_the_host_carries() {
    let folder = busy_disk();
    let report = text(&narrows(&["check", &path(&folder), "--rate", "49"]).stdout);
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("As configured it carries about 50 requests/s."), "{report}");
    let row = report.lines().find(|line| line.starts_with("  disk vda")).unwrap();
    assert!(row.ends_with(" 50"), "{row}");
    assert_eq!(narrows(&["check", &path(&folder), "--rate", "0"]).status.code(), Some(2));
}

#[test]
fn no_line_is_wider_than_100_columns_and_none_is_coloured_in_a_pipe() {
    let folder = busy_disk();
    for arguments in [vec!["check", "--all"], vec!["check"], vec!["check", "--rate", "12345.6"]] {
        let mut arguments = arguments;
        let target = path(&folder);
        arguments.push(&target);
        let report = text(&narrows(&arguments).stdout);
        let wide: Vec<_> = report.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(!report.contains('\x1b'));
    }
}

#[test]
fn fail_on_moves_the_exit_code_and_nothing_else() {
    let folder = busy_disk();
    let target = path(&folder);
    assert_eq!(narrows(&["check", &target, "--fail-on", "breaking"]).status.code(), Some(0));
    assert_eq!(narrows(&["check", &target, "--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(narrows(&["check", &target, "--only", "cpu"]).status.code(), Some(0));
}

#[test]
fn mistakes_on_the_command_line_exit_with_2_and_say_what_to_do() {
    for arguments in [
        &["check", "--only", "nonsense"][..],
        &["explain", "disk.full"],
        &["what-if", "nonsense"],
        &["check", "--for", "0s"],
        &["no-such-command"],
    ] {
        let output = narrows(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    assert!(text(&narrows(&["explain", "disk.full"]).stderr).contains("did you mean disk."));
}

#[test]
fn what_cannot_be_read_exits_with_3_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let torn = folder.path().join("torn.narrows");
    fs::write(&torn, [0x1f, 0x8b, 8, 0, 0, 0]).unwrap();
    let text_file = folder.path().join("notes.txt");
    fs::write(&text_file, "hello").unwrap();
    for target in
        [torn.as_path(), &text_file, folder.path(), Path::new("/no/such/file"), Path::new("/dev/null")]
    {
        let output = narrows(&["check", &target.display().to_string()]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.contains(&target.display().to_string()), "{error}");
    }
}

#[test]
fn json_holds_to_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema/report-1.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report-1.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("report-1.json", &mut schemas).unwrap();
    let folder = busy_disk();
    let target = path(&folder);
    for arguments in [
        vec!["check", &target, "--format", "json"],
        vec!["check", &target, "--format", "json", "--rate", "20"],
        vec!["check", "--for", "1s", "--format", "json"],
    ] {
        let output = narrows(&arguments);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        if let Err(error) = schemas.validate(&report, index) {
            panic!("{error:#}");
        }
    }
}

#[test]
fn a_bundle_of_this_host_is_explained_like_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("host.narrows").display().to_string();
    let recorded = narrows(&["record", "-o", &bundle, "--for", "1s", "--every", "500ms"]);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    let first = narrows(&["check", &bundle, "--format", "json"]);
    let second = narrows(&["check", &bundle, "--format", "json"]);
    assert_eq!(first.stdout, second.stdout, "the same evidence gives the same report");
    let report: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(report["window"]["readings"], 3);
    let markdown = text(&narrows(&["check", &bundle, "--format", "markdown"]).stdout);
    assert!(markdown.starts_with("# ") && markdown.contains("## Stations"));
}

#[test]
fn a_recorded_tree_is_explained_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree").display().to_string();
    let recorded = narrows(&["record", "--tree", &tree, "--for", "1s", "--every", "500ms"]);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    let report: Value =
        serde_json::from_slice(&narrows(&["check", &tree, "--format", "json"]).stdout).unwrap();
    assert_eq!(report["window"]["readings"], 3);
    let unknown = report["causes"].as_array().unwrap().iter().filter(|cause| cause["verdict"] == "unknown");
    let unknown: Vec<_> = unknown.map(|cause| &cause["summary"]).collect();
    assert!(unknown.len() <= 3, "a tree holds what a live host gives: {unknown:#?}");
    assert_eq!(narrows(&["record", "--tree", &tree]).status.code(), Some(3));
}

#[test]
fn what_if_finds_the_next_limit() {
    let folder = busy_disk();
    let target = path(&folder);
    let output = narrows(&["what-if", "disk.device:vda=4x", "--from", &target]);
    let answer = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(answer.contains("  disk.device:vda "), "it lists stations by the name to type: {answer}");
    assert!(answer.contains("98 %") && answer.contains("24 %") && answer.contains("4.1×"), "{answer}");
    let unknown = narrows(&["what-if", "nic.nonsense=2", "--from", &target]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("disk.device:vda"), "it lists what there is");
}

#[test]
fn every_identity_can_be_explained() {
    let list = text(&narrows(&["explain"]).stdout);
    let ids: Vec<_> =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    assert!(ids.len() > 60, "{}", ids.len());
    for id in ids {
        let output = narrows(&["explain", id]);
        let prose = text(&output.stdout);
        assert!(
            output.status.success() && prose.contains("## Sources") && !prose.contains("## Cases"),
            "{id}"
        );
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    assert!(text(&narrows(&["completions", "bash"]).stdout).contains("what-if"));
    let man = text(&narrows(&["man"]).stdout);
    assert!(man.contains(".TH narrows 1") && man.contains("fail\\-on"));
    assert!(man.contains("narrows queries digest") && man.contains("order\\-by"), "{man}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = format!("{} explain | head -n 1", env!("CARGO_BIN_EXE_narrows"));
    let output = Command::new("bash").args(["-c", &format!("set -o pipefail; {script}")]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}
