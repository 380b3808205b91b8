//! The scoreboard: what every scenario showed, one row each.

use std::fmt::Write;

use model::Verdict;

use crate::scenarios;
use crate::score::Score;

const HEAD: [&str; 8] =
    ["scenario", "world", "named first", "ruled out", "false", "effect", "predicted ÷ measured", "s"];

/// The rows as a Markdown table, with the complaints below it.
pub fn markdown(scores: &[Score]) -> String {
    let mut text = format!("| {} |\n|{}\n", HEAD.join(" | "), "---|".repeat(HEAD.len()));
    for score in scores {
        let _ = writeln!(text, "| {} |", row(score).join(" | "));
    }
    for score in scores {
        for remark in &score.remarks {
            let _ = writeln!(text, "\n{}: {remark}", score.scenario);
        }
        for complaint in score.complaints() {
            let _ = writeln!(text, "\n**{}: {complaint}**", score.scenario);
        }
    }
    let held = scores.iter().filter(|score| score.complaints().is_empty()).count();
    let _ = writeln!(text, "\n{held} of {} scenarios hold", scores.len());
    text
}

fn row(score: &Score) -> [String; 8] {
    let world = scenarios::named(&score.scenario).map_or("?", |scenario| scenario.world.name());
    let first = score.causes.iter().filter(|cause| cause.first).count();
    let out = score.rivals.iter().filter(|rival| rival.verdict == Some(Verdict::RuledOut)).count();
    let effects = score.effects.iter().map(|effect| {
        let (before, after) = (number(effect.before), number(effect.after));
        format!("{}: {before} → {after} ({})", effect.metric, times(effect.ratio()))
    });
    let predictions = score.predictions.iter().map(|prediction| {
        let (predicted, measured) = (prediction.predicted_per_s, prediction.measured_per_s);
        format!("{:.2} ({} ÷ {})", prediction.ratio(), number(predicted), number(measured))
    });
    [
        score.scenario.clone(),
        world.to_owned(),
        share(first, score.causes.len()),
        share(out, score.rivals.len()),
        score.false_findings.as_ref().map_or("–".to_owned(), |found| found.len().to_string()),
        effects.collect::<Vec<_>>().join("; "),
        predictions.collect::<Vec<_>>().join("; "),
        format!("{:.0}", score.seconds),
    ]
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{part}/{whole}") }
}

fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("{}×", number(ratio)) } else { "to 0".to_owned() }
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
