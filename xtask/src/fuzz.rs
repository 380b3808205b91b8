//! Runs the fuzzer of crates/stack/tests/fuzz.rs for long, with overflow checks.

use crate::run::{command, finish};

/// Damages inputs and calls all parsers and diagnoses with them.
pub(crate) fn run_cases(cases: u64, seed: u64) -> anyhow::Result<()> {
    let test = ["test", "--profile", "fuzz", "--package", "stack", "--test", "fuzz", "--", "--nocapture"];
    let mut fuzz = command("cargo", &test);
    fuzz.arg("damaged_inputs_panic_no_parser_and_no_diagnosis");
    fuzz.env("NARROWS_FUZZ_CASES", cases.to_string()).env("NARROWS_FUZZ_SEED", seed.to_string());
    finish(fuzz)
}
