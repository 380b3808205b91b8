//! Damages real inputs in many ways; no parser and no diagnosis may panic.
#![allow(clippy::panic, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a long run says how far it came")]

mod fuzzing;
#[path = "support/noting.rs"]
mod noting;

use std::time::{Duration, Instant};

use fuzzing::random::Random;
use fuzzing::run::{Found, Target};
use fuzzing::{corpus, parsers, run, trees};
use host::Host;

/// How many cases a plain test runs.
const FEW_CASES: usize = 20_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text}, which is no number")))
}

#[test]
fn damaged_inputs_panic_no_parser_and_no_diagnosis() {
    let many = number("NARROWS_FUZZ_CASES").map(|cases| usize::try_from(cases).unwrap_or(usize::MAX));
    let seed = number("NARROWS_FUZZ_SEED").unwrap_or_default();
    let corpus = corpus::corpus(many.is_some());
    let fed = parsers::Fed::all(&corpus);
    let trees = trees::Trees { corpus: &corpus };
    let mut targets: Vec<&dyn Target> = fed.iter().map(|fed| fed as &dyn Target).collect();
    targets.push(&trees);
    let start = Instant::now();
    let found = run::run(&targets, many.unwrap_or(FEW_CASES), seed);
    if many.is_some() {
        print_costs(&found);
        print_slow_cases(&targets, &found);
        println!("{} inputs and {} hosts in the corpus", corpus.files.len(), corpus.bases.len());
        println!("{:.0} s", start.elapsed().as_secs_f64());
    }
    let failures = found.failures.iter().map(|failure| {
        let run::Failure { target, seed, panic, input } = failure;
        format!("{target}, seed {seed}: {panic}\n  input: {input}\n")
    });
    let failures: Vec<String> = failures.collect();
    assert!(failures.is_empty(), "{} panics\n\n{}", failures.len(), failures.join("\n"));
}

fn print_costs(found: &Found) {
    println!("{:>10} {:>9} {:>11}  target (seed of the slowest case)", "cases", "mean µs", "slowest ms");
    for (name, cost) in &found.costs {
        let mean = cost.total.as_secs_f64() * 1e6 / cost.cases.max(1) as f64;
        let slowest = cost.slowest.as_secs_f64() * 1e3;
        println!("{:>10} {mean:>9.1} {slowest:>11.2}  {name} ({})", cost.cases, cost.slowest_seed);
    }
    let cases: usize = found.costs.iter().map(|(_, cost)| cost.cases).sum();
    let status = host::LiveHost::new().value("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("{cases} cases, {} panics, peak memory {}", found.failures.len(), peak.trim());
}

/// Cases that took so long that a small file may stop a diagnosis.
fn print_slow_cases(targets: &[&dyn Target], found: &Found) {
    for (target, (name, cost)) in targets.iter().zip(&found.costs) {
        if cost.slowest > Duration::from_secs(1) {
            let input = target.input(&mut Random::seeded(cost.slowest_seed));
            println!("{name} took {:.1} s: {}", cost.slowest.as_secs_f64(), target.shown(&input));
        }
    }
}
