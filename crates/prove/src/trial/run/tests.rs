use super::*;
use crate::statistics::Random;
use crate::trial::{Metric, Pair, Verdict, compare, judge};

/// A machine with noise, and a change that multiplies its `p99`.
struct Machine {
    random: Random,
    factor: f64,
    changed: bool,
    log: String,
    fails_at: Option<usize>,
}

impl Machine {
    fn new(seed: u64, factor: f64) -> Self {
        Self { random: Random::new(seed), factor, changed: false, log: String::new(), fails_at: None }
    }

    /// Noise of 10 %, now and then a stall.
    fn p99(&mut self) -> f64 {
        let spread: f64 = (0..12).map(|_| self.random.below(1000) as f64 / 1000.0).sum::<f64>() - 6.0;
        let stall = if self.random.below(12) == 0 { 1.8 } else { 1.0 };
        20.0 * (1.0 + 0.1 * spread).max(0.2) * stall * if self.changed { self.factor } else { 1.0 }
    }
}

impl Subject for Machine {
    type Error = &'static str;

    fn with(&mut self) -> Result<(), Self::Error> {
        if !self.changed {
            self.log.push('+');
        }
        self.changed = true;
        Ok(())
    }

    fn without(&mut self) -> Result<(), Self::Error> {
        if self.changed {
            self.log.push('-');
        }
        self.changed = false;
        Ok(())
    }

    fn measure(&mut self, place: Place) -> Result<Block, Self::Error> {
        assert_eq!(self.changed, place.arm == Arm::With);
        if self.fails_at == Some(self.log.len()) {
            return Err("no load could be offered");
        }
        self.log.push(if place.pair == Pair::Control { 'a' } else { 'A' });
        Ok(Block { figures: [("p99".to_owned(), self.p99())].into(), ..Block::default() })
    }
}

fn verdict(seed: u64, factor: f64) -> Verdict {
    let measured = run(&mut Machine::new(seed, factor), Schedule::new(2, 4)).unwrap();
    judge(&compare(&measured, &Metric::new("p99", "p99", "ms"), seed).unwrap(), &[]).verdict
}

#[test]
fn the_change_is_made_once_a_pair_and_gone_in_the_end() {
    let mut machine = Machine::new(1, 1.0);
    run(&mut machine, Schedule::new(2, 4)).unwrap();
    assert_eq!(machine.log, "aaaaA+AA-AA+AA-A");
    let mut machine = Machine::new(1, 1.0);
    run(&mut machine, Schedule::new(1, 3)).unwrap();
    assert_eq!(machine.log, "aaA+AA-AA+A-");
}

#[test]
fn a_failure_in_a_block_takes_the_change_back() {
    let mut machine = Machine::new(1, 1.0);
    machine.fails_at = Some(6);
    assert_eq!(run(&mut machine, Schedule::new(2, 4)), Err("no load could be offered"));
    assert!(!machine.changed && machine.log.ends_with("+-"), "{}", machine.log);
}

#[test]
fn of_forty_changes_without_effect_hardly_any_is_kept_and_of_real_ones_nearly_all() {
    let of = |factor: f64, wanted: Verdict| (0..40).filter(|seed| verdict(*seed, factor) == wanted).count();
    let (kept, reverted) = (of(1.0, Verdict::Kept), of(1.0, Verdict::Reverted));
    let (better, worse) = (of(0.4, Verdict::Kept), of(2.5, Verdict::Reverted));
    println!(
        "without effect {kept} kept, {reverted} reverted; 60 % less: {better} kept; 2.5 times: {worse} reverted"
    );
    assert!(kept <= 3 && reverted <= 3, "{kept} kept, {reverted} reverted of 40 without effect");
    assert!(better >= 36 && worse >= 36, "{better} kept, {worse} reverted of 40 with one");
}
