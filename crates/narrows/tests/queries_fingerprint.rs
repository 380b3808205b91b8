//! `narrows queries fingerprint` as a user types it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::io::Write;
use std::process::{Command, Stdio};

fn narrows(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_narrows"))
        .args(["queries", "fingerprint"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn each_line_of_standard_input_has_an_id_and_a_fingerprint() {
    let (status, text) = narrows(&[], "SELECT * FROM t WHERE a IN (1,2)\n\nselect 'x'\n");
    assert_eq!(status, Some(0));
    assert_eq!(
        text,
        "B90D1BE128AC178FE9C1637F37F97167  select * from t where a in(?+)\n\
         1FE1379FE2A31B8D16219655761820A2  select ?\n"
    );
}

#[test]
fn statements_between_semicolons_may_span_lines() {
    let (_, text) = narrows(&["--separator", "semicolons"], "select ';',\n 1;\nuse shop;");
    let fingerprints: Vec<&str> = text.lines().filter_map(|line| line.get(34..)).collect();
    assert_eq!(fingerprints, ["select ?, ?", "use ?"]);
}

#[test]
fn rules_of_both_eras_and_json_are_options() {
    let statement = r"select * from users_2009 where a = 'a\\' and b = 'c'";
    let (_, new) = narrows(&["--format", "json", statement], "");
    let new: serde_json::Value = serde_json::from_str(&new).unwrap();
    assert_eq!(new["fingerprint"], "select * from users_? where a = ? and b = ?");
    assert_eq!(new["distillate"], "SELECT users_?");
    let (long, short) = (new["checksum"].as_str().unwrap(), new["checksum_16"].as_str().unwrap());
    assert!(long.ends_with(short) && short.len() == 16);
    let (_, old) = narrows(&["--compat", "3.2", "--preserve-embedded-numbers", statement], "");
    assert!(old.contains("users_2009") && !old.contains("b = ?"), "{old}");
}
