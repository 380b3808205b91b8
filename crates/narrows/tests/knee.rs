//! `narrows prove --knee` as a user types it, on a server that is written here. What it measures depends on the machine; that
//! it can be read does not.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

/// Workers that accept one connection at a time.
const WORKERS: usize = 4;

fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..WORKERS {
        let listener = listener.try_clone().unwrap();
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let head = BufReader::new(&connection).lines();
                if head.map_while(Result::ok).any(|line| line.is_empty()) {
                    connection.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
                }
            }
        });
    }
    address
}

fn knee(more: &[&str]) -> Output {
    let url = format!("http://{}/", server());
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(["prove", "--load", &url, "--knee", "--warm-up", "100ms", "--for", "300ms"]);
    command.args(more).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn json_holds_to_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema/knee-1.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("knee-1.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("knee-1.json", &mut schemas).unwrap();
    let output = knee(&["--rate", "50", "--most", "100", "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    if let Err(error) = schemas.validate(&found, index) {
        panic!("{error:#}");
    }
    assert_eq!(found["foretold"]["at_requests_per_s"], 50.0);
    assert_eq!(found["measured"]["steps"][0]["rate_per_s"], 50.0);
}

#[test]
fn a_person_reads_what_was_foretold_and_measured_and_every_step() {
    let output = knee(&["--rate", "50", "--most", "60"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    for wanted in ["Foretold: ", "Measured: ", "STEPS", "offered/s"] {
        assert!(shown.contains(wanted), "no {wanted:?} in\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn a_site_that_does_not_exist_is_not_measured() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    let output =
        command.args(["prove", "--load", "http://no-such-host.invalid/", "--knee"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}
