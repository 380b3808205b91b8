//! The generators: how each is asked, and what it says.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{CONNECTIONS, RATE, SECONDS, STALL_SECONDS};
use crate::run::exists;

/// What this project's own generator is called in the tables.
pub(super) const OURS: &str = "narrows prove";
/// Connections while the rate is stated.
const FEW: u32 = 10;

/// A load generator.
pub(super) struct Tool {
    pub(super) name: &'static str,
    program: fn() -> PathBuf,
    /// As much as it can for [`SECONDS`], over [`CONNECTIONS`]; the rate is for those that must be told one.
    pub(super) saturate: fn(&str, f64) -> Command,
    pub(super) per_s: fn(&str) -> Option<f64>,
    /// How many requests that were, where it is not the rate times the seconds.
    pub(super) requests: fn(&str) -> Option<f64>,
    pub(super) paced: &'static [Paced],
}

/// A way to offer [`RATE`] for [`STALL_SECONDS`]; of a closed loop, as near as it comes.
pub(super) struct Paced {
    pub(super) name: &'static str,
    pub(super) command: fn(&str) -> Command,
    /// A percentile in milliseconds.
    pub(super) percentile: fn(&str, u32) -> Option<f64>,
}

impl Tool {
    pub(super) fn is_installed(&self) -> bool {
        let found = exists(&(self.program)().display().to_string());
        if !found {
            println!("{} is not installed", self.name);
        }
        found
    }
}

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "wrk",
        program: || "wrk".into(),
        saturate: |url, _| {
            called("wrk", &["-t2", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s"), url])
        },
        per_s: |text| number_after(text, "Requests/sec:"),
        requests: |_| None,
        paced: &[Paced {
            name: "wrk, closed loop",
            command: |url| {
                let time = format!("-d{STALL_SECONDS}s");
                called("wrk", &["-t1", &format!("-c{FEW}"), &time, "--latency", url])
            },
            percentile: |text, percent| duration_after(text, &format!("{percent}%")),
        }],
    },
    Tool {
        name: OURS,
        program: || crate::root().join("target/release/narrows"),
        saturate: |url, rate| ours(url, rate, SECONDS, CONNECTIONS),
        per_s: |text| json(text)?.pointer("/result/goodput_per_s")?.as_f64(),
        requests: |text| json(text)?.pointer("/result/good")?.as_f64(),
        paced: &[Paced {
            name: OURS,
            command: |url| ours(url, f64::from(RATE), STALL_SECONDS, FEW),
            percentile: |text, percent| {
                json(text)?.pointer(&format!("/result/latency/p{percent}_ms"))?.as_f64()
            },
        }],
    },
    Tool {
        name: "oha",
        program: oha,
        saturate: |url, _| oha_for(url, CONNECTIONS, SECONDS, &[]),
        per_s: |text| json(text)?.pointer("/summary/requestsPerSec")?.as_f64(),
        requests: |_| None,
        paced: &[
            Paced {
                name: "oha -q",
                command: |url| oha_for(url, FEW, STALL_SECONDS, &["-q", &RATE.to_string()]),
                percentile: oha_percentile,
            },
            Paced {
                name: "oha -q --latency-correction",
                command: |url| {
                    let rate = RATE.to_string();
                    oha_for(url, FEW, STALL_SECONDS, &["-q", &rate, "--latency-correction"])
                },
                percentile: oha_percentile,
            },
        ],
    },
    Tool {
        name: "h2load --h1",
        program: || "h2load".into(),
        saturate: |url, _| {
            let (clients, time) = (format!("-c{CONNECTIONS}"), format!("-D{SECONDS}"));
            called("h2load", &["--h1", &clients, "-t2", &time, url])
        },
        per_s: |text| {
            let line = text.lines().find(|line| line.starts_with("finished in"))?;
            line.split(", ").nth(1)?.split_whitespace().next()?.parse().ok()
        },
        requests: |_| None,
        // It prints a mean and a maximum, and no percentile.
        paced: &[],
    },
    Tool {
        name: "hey",
        program: || "hey".into(),
        saturate: |url, _| {
            called("hey", &["-c", &CONNECTIONS.to_string(), "-z", &format!("{SECONDS}s"), url])
        },
        per_s: |text| number_after(text, "Requests/sec:"),
        requests: |_| None,
        paced: &[Paced {
            name: "hey -q",
            command: |url| {
                let (few, each) = (FEW.to_string(), (RATE / FEW).to_string());
                called("hey", &["-c", &few, "-q", &each, "-z", &format!("{STALL_SECONDS}s"), url])
            },
            percentile: |text, percent| {
                number_after(text, &format!("{percent}% in")).map(|seconds| seconds * 1000.0)
            },
        }],
    },
    Tool {
        name: "ab -k",
        program: || "ab".into(),
        saturate: |url, _| ab(url, CONNECTIONS, SECONDS),
        per_s: |text| number_after(text, "Requests per second:"),
        requests: |_| None,
        paced: &[Paced {
            name: "ab -k, closed loop",
            command: |url| ab(url, FEW, STALL_SECONDS),
            percentile: |text, percent| number_after(text, &format!(" {percent}%")),
        }],
    },
];

/// Where peers are that no package has.
pub(super) fn peers() -> PathBuf {
    crate::root().join("target/peers")
}

pub(super) fn oha() -> PathBuf {
    if exists("oha") { "oha".into() } else { peers().join("bin/oha") }
}

fn oha_for(url: &str, connections: u32, seconds: u32, more: &[&str]) -> Command {
    let (connections, time) = (connections.to_string(), format!("{seconds}s"));
    let mut command = Command::new(oha());
    command
        .args(["--no-tui", "--output-format", "json", "-c", &connections, "-z", &time])
        .args(more)
        .arg(url);
    command
}

fn oha_percentile(text: &str, percent: u32) -> Option<f64> {
    Some(json(text)?.pointer(&format!("/latencyPercentiles/p{percent}"))?.as_f64()? * 1000.0)
}

fn ours(url: &str, rate: f64, seconds: u32, connections: u32) -> Command {
    let (rate, time, connections) = (format!("{rate:.0}"), format!("{seconds}s"), connections.to_string());
    let mut command = Command::new(crate::root().join("target/release/narrows"));
    command.args(["prove", "--load", url, "--rate", &rate, "--for", &time, "--warm-up", "1ms"]);
    command.args(["--connections", &connections, "--timeout", "60s", "--format", "json"]);
    command
}

fn ab(url: &str, connections: u32, seconds: u32) -> Command {
    // -n comes last, because -t sets it to 50,000.
    let (connections, seconds) = (connections.to_string(), seconds.to_string());
    called("ab", &["-q", "-k", "-c", &connections, "-t", &seconds, "-n", "3000000", url])
}

fn called(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// The number that follows a label.
fn number_after(text: &str, label: &str) -> Option<f64> {
    text.split_once(label)?.1.split_whitespace().next()?.parse().ok()
}

/// The duration that follows a label, as wrk writes it (`812.00us`, `1.20ms`, `0.90s`), in milliseconds.
fn duration_after(text: &str, label: &str) -> Option<f64> {
    let word = text.split_once(label)?.1.split_whitespace().next()?;
    let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        _ => return None,
    };
    Some(word.strip_suffix(unit)?.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_each_tool_prints() {
        assert_eq!(number_after("Requests/sec:  95400.12\n", "Requests/sec:"), Some(95_400.12));
        let latencies = "     90%    1.20ms\n     99%  864.00us\n";
        assert_eq!(duration_after(latencies, "90%"), Some(1.2));
        assert_eq!(duration_after(latencies, "99%"), Some(0.864));
        assert_eq!(number_after("  99% in 0.0027 secs\n", "99% in"), Some(0.0027));
        assert_eq!(number_after("  95%      0\n  99%      2\n", " 99%"), Some(2.0));
    }
}
