//! `narrows prove --load` as a user types it, against a server of the test's own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Answers every request with five bytes; lives as long as the test's process.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = |stream: TcpStream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").ok();
            }
        }
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    url
}

fn prove(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.arg("prove").args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

const SHORT: [&str; 6] = ["--rate", "50", "--for", "1s", "--warm-up", "100ms"];

fn valid(json: &[u8]) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema/load-1.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("load-1.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("load-1.json", &mut schemas).unwrap();
    let document: Value = serde_json::from_slice(json).unwrap();
    schemas.validate(&document, index).unwrap();
    document
}

#[test]
fn json_holds_to_its_schema_and_repeats_no_query() {
    let url = format!("{}/cart?token=secret", server());
    let output = prove(&["--load", &url, "--format", "json"]).args(SHORT).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let document = valid(&output.stdout);
    assert_eq!(document["result"]["good"], 50);
    assert_eq!(document["result"]["latency"]["count"], 50);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret"));
}

#[test]
fn a_person_reads_what_came_of_it_and_no_progress_in_a_pipe() {
    let output = prove(&["--load", &server()]).args(SHORT).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for wanted in ["due", "50 (100 %)", "50 × 200", "latency", "service", "lag"] {
        assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn the_mix_of_a_log_is_sent_and_what_is_left_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let lines: String = ["GET /a?token=secret HTTP/1.1", "POST /pay HTTP/1.1", "HEAD /b HTTP/1.1"]
        .map(|request| {
            format!("192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"{request}\" 200 5 \"-\" \"-\"\n")
        })
        .concat();
    std::fs::write(&log, lines).unwrap();
    let log = log.to_str().unwrap();
    let mut command = prove(&["--load", &server(), "--log", log, "--format", "json"]);
    let output = command.args(["--rate", "20", "--for", "500ms", "--timeout", "2s"]).output().unwrap();
    let document = valid(&output.stdout);
    assert_eq!(document["load"]["requests_in_mix"], 2);
    assert_eq!(document["load"]["left_out_of_log"]["other_methods"], 1);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret"));
}

#[test]
fn what_was_measured_until_ctrl_c_is_printed() {
    let mut command = prove(&["--load", &server(), "--for", "600s", "--warm-up", "1ms", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    // Only a program that waits for the signal is to be sent it: SigBlk has SIGINT then (proc_pid_status(5)).
    let status = format!("/proc/{}/status", child.id());
    let waits = || {
        let text = std::fs::read_to_string(&status).unwrap();
        let mask = text.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim().to_owned();
        u64::from_str_radix(&mask, 16).unwrap() & 0b10 != 0
    };
    while !waits() {
        std::thread::yield_now();
    }
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut json = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut json).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(valid(&json)["ended_early"], true);
}

#[test]
fn what_cannot_be_measured_says_what_to_do() {
    let output = prove(&["--load", "http://a..b/"]).args(SHORT).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("name not resolved") && error.contains("/etc/resolv.conf"), "{error}");
    let log = prove(&["--load", "http://127.0.0.1/x?secret", "--log", "/none"]).args(SHORT).output().unwrap();
    let error = String::from_utf8_lossy(&log.stderr);
    assert_eq!(log.status.code(), Some(2), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
