//! What was measured, and what a plan did: the answer first.

use model::observation::number_text;
use prove::trial::{Comparison, Scale, Verdict};

use super::page::{Page, bad, doubtful, faint, good, strong};
use crate::prove::proof::{CauseCount, CommandProof, Count, Proof, Spread};

/// A command that was measured.
pub(crate) fn command(proof: &CommandProof) -> String {
    let mut page = Page::default();
    let CommandProof { runs, failed, seconds, cpu_s, peak_bytes, .. } = proof;
    let answer = format!(
        "{} in the median of {runs} runs, between {} and {} with {} % confidence",
        value(seconds.median, "s"),
        value(seconds.low, "s"),
        value(seconds.high, "s"),
        number_text((seconds.confidence * 1000.0).round() / 10.0)
    );
    page.line("  ", strong(), 2, &answer);
    let spread =
        |spread: &Spread| format!("{} ± {}", value(spread.median, "s"), value(spread.deviation, "s"));
    page.line("  wall time    ", strong(), 15, &spread(seconds));
    page.line("  CPU time     ", strong(), 15, &format!("{}, user and system", spread(cpu_s)));
    #[expect(clippy::cast_precision_loss, reason = "bytes that are shown")]
    page.line(
        "  memory       ",
        strong(),
        15,
        &format!("{} resident at most", value(*peak_bytes as f64, "bytes")),
    );
    if let Some(failure) = &proof.failure {
        page.line("  failed       ", bad(), 15, &format!("{failed} of {runs} runs; the first: {failure}"));
    }
    page.line(
        "",
        faint(),
        2,
        &format!(
            "± is the median absolute deviation, scaled to a standard deviation. {}",
            proof.subject.name()
        ),
    );
    page.finish()
}

/// A plan that was tried.
pub(crate) fn plan(proof: &Proof) -> String {
    let mut page = Page::default();
    answer(&mut page, proof);
    figures(&mut page, proof);
    causes(&mut page, &proof.causes);
    page.heading("PLAN");
    for change in &proof.plan.changes {
        let from = change.from.as_deref().map(|from| format!(" {from} →")).unwrap_or_default();
        let mark = if proof.kept { "  ✔ " } else { "  ↶ " };
        page.line(
            mark,
            if proof.kept { good() } else { faint() },
            4,
            &format!("{}{from} {}", change.id, change.to),
        );
    }
    for note in &proof.notes {
        page.line("  ! ", doubtful(), 4, note);
    }
    let applied = proof.plan.applied;
    let done = match proof.transaction {
        Some(id) => format!("Transaction {id} stays, over a boot too. `narrows undo {id}` takes it back."),
        None => format!("The host is as it was: the plan was applied {applied} times and undone each time."),
    };
    page.gap();
    page.line("", strong(), 0, &done);
    page.line("", faint(), 0, &design(proof));
    page.finish()
}

fn answer(page: &mut Page, proof: &Proof) {
    let primary = &proof.primary;
    let moved = format!(
        "{}: {} → {}, {} (95 % interval {})",
        primary.metric.title,
        value(primary.without, &primary.metric.unit),
        value(primary.with, &primary.metric.unit),
        effect(primary, primary.effect),
        interval(primary)
    );
    let (label, style) = match (proof.verdict, proof.kept) {
        (Verdict::Kept, true) => ("  Kept:     ", good()),
        (Verdict::Kept, false) => ("  Helps:    ", good()),
        (Verdict::Reverted, _) => ("  Reverted: ", bad()),
        (Verdict::NoMeasurableEffect, _) => ("  No measurable effect: ", doubtful()),
    };
    page.line(label, style, 12, &moved);
    let worse = proof.guards.iter().filter(|guard| proof.worse.contains(&guard.metric.name));
    for guard in worse {
        let text = format!(
            "{}: {} → {}, {} (95 % interval {})",
            guard.metric.title,
            value(guard.without, &guard.metric.unit),
            value(guard.with, &guard.metric.unit),
            effect(guard, guard.effect),
            interval(guard)
        );
        page.line("  worse     ", bad(), 12, &text);
    }
    let smallest = effect(primary, primary.smallest_seen);
    let smallest = smallest.trim_start_matches('+');
    let noise = primary.noise.map(|noise| effect(primary, noise)).unwrap_or_default();
    let noise = noise.trim_start_matches('+');
    let text = format!(
        "Noise of this machine: two blocks without any change differed by up to {noise}; \
         an effect below {smallest} would not have been seen."
    );
    page.line("  ", faint(), 12, &text);
}

fn figures(page: &mut Page, proof: &Proof) {
    page.heading(&format!(
        "{:<42} {:>10} {:>10} {:>9}  {:<16} {:>6}",
        "FIGURES", "without", "with", "effect", "95 % interval", "p"
    ));
    row(page, &proof.primary, "▸ ");
    proof.guards.iter().for_each(|guard| row(page, guard, "  "));
    for missing in &proof.unmeasured {
        let text = format!(
            "{} was measured in {} of {} blocks, so it guards nothing",
            missing.name, missing.measured, missing.of
        );
        page.line("  – ", faint(), 4, &text);
    }
}

fn row(page: &mut Page, comparison: &Comparison, mark: &str) {
    let unit = &comparison.metric.unit;
    let mut title: String = format!("{mark}{}", comparison.metric.title);
    if title.chars().count() > 41 {
        title = title.chars().take(40).chain(['…']).collect();
    }
    page.row(&format!(
        "{title:<42} {:>10} {:>10} {:>9}  {:<16} {:>6}",
        value(comparison.without, unit),
        value(comparison.with, unit),
        effect(comparison, comparison.effect),
        interval(comparison),
        number_text((comparison.p * 1000.0).round() / 1000.0),
    ));
}

fn causes(page: &mut Page, causes: &[CauseCount]) {
    if causes.is_empty() {
        return;
    }
    page.heading("CAUSES");
    let part = |count: Count| format!("{} of {}", count.confirmed, count.blocks);
    for CauseCount { id, without, with } in causes {
        let gone = without.confirmed > 0 && with.confirmed == 0;
        let text =
            format!("confirmed in {} blocks without the plan, in {} with it", part(*without), part(*with));
        page.line(&format!("  {id:<33} "), if gone { good() } else { strong() }, 36, &text);
    }
}

fn design(proof: &Proof) -> String {
    let design = &proof.design;
    format!(
        "{}: {} pairs without any change, then {} pairs with and without the plan in turn (A B B A …), {} a block; \
         p by permutation, of {} pairs or more.",
        proof.subject.name(),
        design.control_pairs,
        design.pairs,
        value(design.block_s, "s"),
        design.fewest_pairs
    )
}

/// A value with its unit.
fn value(value: f64, unit: &str) -> String {
    match unit {
        "share" => format!("{} %", number_text(round(value * 100.0))),
        "bytes" => format!("{} MiB", number_text(round(value / 1024.0 / 1024.0))),
        "s" if value.abs() < 1.0 => format!("{} ms", number_text(round(value * 1000.0))),
        "/s" => format!("{}/s", number_text(round(value))),
        "" => number_text(round(value)),
        unit => format!("{} {unit}", number_text(round(value))),
    }
}

/// To three significant digits, or whole.
fn round(value: f64) -> f64 {
    let scale = match value.abs() {
        x if x >= 100.0 => 1.0,
        x if x >= 10.0 => 10.0,
        x if x >= 1.0 => 100.0,
        _ => 1000.0,
    };
    (value * scale).round() / scale
}

/// A difference, with its sign.
fn effect(comparison: &Comparison, difference: f64) -> String {
    let sign = if difference < 0.0 { "−" } else { "+" };
    match comparison.scale {
        Scale::Share => format!("{sign}{} %", number_text(round(difference.abs() * 100.0))),
        Scale::Amount => format!("{sign}{}", value(difference.abs(), &comparison.metric.unit)),
    }
}

fn interval(comparison: &Comparison) -> String {
    let (low, high) = (effect(comparison, comparison.low), effect(comparison, comparison.high));
    let bare = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    match comparison.scale {
        Scale::Share => format!("{} … {high}", bare(&low)),
        Scale::Amount => format!("{} … {high}", bare(low.trim_end_matches("/s"))),
    }
}

#[cfg(test)]
mod tests {
    use prove::trial::{Metric, Missing, Tolerance};

    use super::*;
    use crate::prove::proof::{Design, Subject, TriedChange, TriedPlan};

    fn comparison(name: &str, title: &str, unit: &str, scale: Scale) -> Comparison {
        Comparison {
            metric: Metric::new(name, title, unit).tolerates(Tolerance::Share(0.1)),
            scale,
            without: 1234.5,
            with: 234.5,
            effect: -0.81,
            low: -0.9,
            high: -0.75,
            p: 2.0 / 240.0,
            noise: Some(0.031),
            smallest_seen: 0.06,
        }
    }

    fn proof(verdict: Verdict, kept: bool) -> Proof {
        let change = |id: &str| TriedChange {
            id: id.to_owned(),
            from: Some("16".to_owned()),
            to: "4096".to_owned(),
            promise: "overflows stop".to_owned(),
        };
        Proof {
            schema: crate::prove::proof::SCHEMA,
            subject: Subject::Load { url: "https://shop.example/".to_owned(), rate_per_s: 50.0 },
            plan: TriedPlan { hash: String::new(), changes: vec![change("net.core.somaxconn")], applied: 2 },
            design: Design { control_pairs: 2, pairs: 4, fewest_pairs: 3, block_s: 10.0 },
            verdict,
            worse: if verdict == Verdict::Reverted { vec!["memory".to_owned()] } else { vec![] },
            primary: comparison("p99", "99th percentile of latency", "ms", Scale::Share),
            guards: vec![
                comparison("TcpExt.X/s", &"a title that is long ".repeat(4), "/s", Scale::Amount),
                comparison("memory", "memory in use at most", "bytes", Scale::Share),
            ],
            unmeasured: vec![Missing { name: "cpu".to_owned(), measured: 3, of: 12 }],
            causes: vec![CauseCount {
                id: "sockets.accept-queue-overflow".to_owned(),
                without: Count { confirmed: 8, unknown: 0, blocks: 8 },
                with: Count { confirmed: 0, unknown: 0, blocks: 4 },
            }],
            blocks: vec![],
            kept,
            transaction: kept.then_some(7),
            notes: vec!["php8.2-fpm.service takes it up when it is restarted: --restart does that around every block, as often as the plan comes and goes".to_owned()],
        }
    }

    #[test]
    fn a_proof_begins_with_its_answer_and_is_100_columns_wide() {
        for (verdict, kept, first) in [
            (Verdict::Kept, true, "Kept: "),
            (Verdict::Kept, false, "Helps: "),
            (Verdict::Reverted, false, "Reverted: "),
            (Verdict::NoMeasurableEffect, false, "No measurable effect: "),
        ] {
            let text = anstream::adapter::strip_str(&plan(&proof(verdict, kept))).to_string();
            assert!(text.trim_start().starts_with(first), "{text}");
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
            assert!(wide.is_empty(), "{wide:#?}");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(text.contains("Transaction 7 stays"), kept, "{text}");
            assert!(
                text.contains("confirmed in 8 of 8 blocks without the plan, in 0 of 4 with it"),
                "{text}"
            );
            assert!(text.contains("differed by up to 3.1 %; an effect below 6 %"), "{text}");
        }
    }

    #[test]
    fn values_carry_their_units() {
        for (number, unit, text) in [
            (0.0123, "s", "12.3 ms"),
            (2.5, "s", "2.5 s"),
            (0.375, "share", "37.5 %"),
            (1_048_576.0 * 3.5, "bytes", "3.5 MiB"),
            (212.4, "/s", "212/s"),
            (1.82, "", "1.82"),
        ] {
            assert_eq!(value(number, unit), text);
        }
    }
}
