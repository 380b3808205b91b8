//! Runs cases on two threads and tells which of them panic, and where.

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::random::Random;

/// Cases are handed out in blocks of this size.
const BLOCK: usize = 256;
/// After so many panics a run ends early.
const MOST_FAILURES: usize = 40;

/// Something that is given damaged input.
pub(crate) trait Target: Sync {
    /// What is called, as in the report.
    fn name(&self) -> &str;
    /// How many of the cases it gets, against the other targets.
    fn weight(&self) -> usize;
    /// Makes the input of a case.
    fn input(&self, random: &mut Random) -> Vec<u8>;
    /// Calls it; may panic.
    fn call(&self, input: &[u8]);
    /// The input as a person should see it.
    fn shown(&self, input: &[u8]) -> String {
        format!("b\"{}\"", input.escape_ascii())
    }
}

/// A case that panicked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) panic: String,
    pub(crate) input: String,
}

/// What a target cost.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cost {
    pub(crate) cases: usize,
    pub(crate) total: Duration,
    pub(crate) slowest: Duration,
    pub(crate) slowest_seed: u64,
}

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) failures: Vec<Failure>,
    pub(crate) costs: Vec<(String, Cost)>,
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls something; a panic is returned as its place and message, and not printed.
pub(crate) fn guarded(call: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                PANIC.set(Some(format!("{}{info}", place_in_the_workspace(info))));
            } else {
                usual(info);
            }
        }));
    });
    GUARDED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(false);
    result.map_err(|_| PANIC.take().unwrap_or_default())
}

/// Where in the workspace a panic of the standard library came from, such as that of a sum.
fn place_in_the_workspace(info: &panic::PanicHookInfo) -> String {
    if info.location().is_none_or(|location| location.file().contains("crates/")) {
        return String::new();
    }
    let trace = Backtrace::force_capture().to_string();
    let frames = trace.lines().filter_map(|line| line.trim().strip_prefix("at "));
    let ours = frames.map(str::trim).find(|place| place.contains("/src/") && place.starts_with("./"));
    ours.map_or(String::new(), |place| format!("{place}: "))
}

/// Gives the targets their shares of the cases.
pub(crate) fn run(targets: &[&dyn Target], cases: usize, seed: u64) -> Found {
    let weights: usize = targets.iter().map(|target| target.weight()).sum();
    let blocks: Vec<(usize, usize, usize)> = targets
        .iter()
        .enumerate()
        .flat_map(|(index, target)| {
            let share = (cases * target.weight()).div_ceil(weights.max(1));
            (0..share).step_by(BLOCK).map(move |first| (index, first, BLOCK.min(share - first)))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let costs = targets.iter().map(|target| (target.name().to_owned(), Cost::default())).collect();
    let found = Mutex::new(Found { failures: vec![], costs });
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((index, first, count)) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !run_block(targets, (*index, *first, *count), seed, &found) {
                        return;
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one block; returns whether to go on.
fn run_block(
    targets: &[&dyn Target],
    (index, first, count): (usize, usize, usize),
    seed: u64,
    found: &Mutex<Found>,
) -> bool {
    let Some(target) = targets.get(index) else { return true };
    let mut cost = Cost { cases: count, ..Cost::default() };
    let mut failures = Vec::new();
    for case in first..first + count {
        let case_seed = seed_of(seed, target.name(), case);
        let input = target.input(&mut Random::seeded(case_seed));
        let start = Instant::now();
        let result = guarded(|| target.call(&input));
        let took = start.elapsed();
        cost.total += took;
        if took > cost.slowest {
            (cost.slowest, cost.slowest_seed) = (took, case_seed);
        }
        if let Err(panic) = result {
            failures.push((case_seed, panic, input));
        }
    }
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, sum)) = found.costs.get_mut(index) {
        add(sum, &cost);
    }
    for (seed, panic, input) in failures {
        if !found.failures.iter().any(|f| f.target == target.name() && place(&f.panic) == place(&panic)) {
            let input = shrink(*target, &panic, input);
            let (target, input) = (target.name().to_owned(), target.shown(&input));
            found.failures.push(Failure { target, seed, panic, input });
        }
    }
    found.failures.len() < MOST_FAILURES
}

fn add(sum: &mut Cost, cost: &Cost) {
    sum.cases += cost.cases;
    sum.total += cost.total;
    if cost.slowest > sum.slowest {
        (sum.slowest, sum.slowest_seed) = (cost.slowest, cost.slowest_seed);
    }
}

/// The first line of a panic, which says where it was.
fn place(panic: &str) -> &str {
    panic.lines().next().unwrap_or_default()
}

/// Seeds of a target do not depend on the other targets.
fn seed_of(seed: u64, name: &str, case: usize) -> u64 {
    let named = name.bytes().fold(seed, |sum, byte| Random::seeded(sum ^ u64::from(byte)).next());
    named.wrapping_add(case as u64)
}

/// Takes parts out of an input for as long as it panics at the same place.
fn shrink(target: &dyn Target, panic: &str, mut input: Vec<u8>) -> Vec<u8> {
    let mut size = input.len() / 2;
    let mut tries = 2000;
    while size > 0 && tries > 0 {
        let mut at = 0;
        while at < input.len() && tries > 0 {
            let mut smaller = input.clone();
            smaller.drain(at..(at + size).min(input.len()));
            tries -= 1;
            match guarded(|| target.call(&smaller)) {
                Err(found) if place(&found) == place(panic) => input = smaller,
                _ => at += size,
            }
        }
        size /= 2;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Picky;

    impl Target for Picky {
        fn name(&self) -> &str {
            "picky"
        }
        fn weight(&self) -> usize {
            1
        }
        fn input(&self, random: &mut Random) -> Vec<u8> {
            random.next().to_le_bytes().into()
        }
        fn call(&self, input: &[u8]) {
            assert!(!input.contains(&7), "a seven");
        }
    }

    #[test]
    fn a_panic_is_reported_once_with_its_target_its_place_and_the_smallest_input() {
        let found = run(&[&Picky], 5000, 1);
        assert_eq!(found.costs[0].1.cases, 5000);
        let [failure] = found.failures.as_slice() else { panic!("{} failures", found.failures.len()) };
        assert_eq!((failure.target.as_str(), failure.input.as_str()), ("picky", "b\"\\x07\""));
        assert!(failure.panic.contains("run.rs") && failure.panic.contains("a seven"));
    }

    #[test]
    fn the_seed_of_a_failure_gives_its_input_again() {
        let found = run(&[&Picky], 5000, 1);
        assert!(Picky.input(&mut Random::seeded(found.failures[0].seed)).contains(&7));
    }
}
