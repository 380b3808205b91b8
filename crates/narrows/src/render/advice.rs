//! Advice on queries and schema.

use std::path::Path;

use advice::{Advice, TrialOutcome};
use model::observation::number_text;

use super::page::{Page, bad, doubtful, faint, good, strong};
use crate::output;
use crate::queries::advise::{Found, Weighed};

/// The longest statement that is printed whole, in characters.
const LONGEST: usize = 480;

/// For a terminal: the answer, then each piece of advice with its statements up and down.
pub(crate) fn human(found: &Found, plan: Option<&Path>) -> String {
    let mut page = Page::default();
    let style = if found.advice.is_empty() { good() } else { bad() };
    page.line("ADVICE  ", style, 8, &answer(found));
    page.line("        ", faint(), 8, &format!("tables of {}", found.source));
    for (number, one) in found.advice.iter().enumerate() {
        page.gap();
        piece(&mut page, number + 1, one);
    }
    if !found.withdrawn.is_empty() {
        page.heading("TRIED AND WITHDRAWN");
        for one in &found.withdrawn {
            let verdict = one.advice.trial.as_ref().map(|trial| trial.verdict.clone()).unwrap_or_default();
            page.line("  ~ ", doubtful(), 4, &format!("{} ({}): {verdict}", one.advice.title, one.advice.id));
            measured(&mut page, one.advice.trial.as_ref());
        }
    }
    if !found.unread.is_empty() {
        page.heading("NOT LOOKED AT");
        for unread in &found.unread {
            page.line("  ", faint(), 2, unread);
        }
    }
    if let Some(plan) = plan.filter(|_| !found.advice.is_empty()) {
        page.gap();
        let command = format!("narrows apply {}", output::word(&plan.display().to_string()));
        page.commands(&[(command, "sends the statements, each checked, and takes them back with undo")]);
    }
    page.finish()
}

fn answer(found: &Found) -> String {
    let classes = if found.time_s > 0.0 { "class" } else { "query" };
    let plural = if classes == "class" { "classes" } else { "queries" };
    let looked = format!("{} {}", found.queries, if found.queries == 1 { classes } else { plural });
    let time =
        if found.time_s > 0.0 { format!(" that took {} s", seconds(found.time_s)) } else { String::new() };
    match found.advice.as_slice() {
        [] => format!("nothing to advise on {looked}{time}"),
        [first, ..] => {
            let share = match first.time_at_stake_s {
                stake if stake > 0.0 => format!(
                    " ({} s, {} % of it)",
                    seconds(stake),
                    number_text((100.0 * stake / found.time_s).round())
                ),
                _ => String::new(),
            };
            format!("{} for {looked}{time}; first: {}{share}", count(found.advice.len()), first.advice.title)
        }
    }
}

fn count(number: usize) -> String {
    if number == 1 { "1 piece".to_owned() } else { format!("{number} pieces") }
}

fn seconds(value: f64) -> String {
    let scale = if value >= 100.0 { 1.0 } else { 100.0 };
    number_text((value * scale).round() / scale)
}

fn piece(page: &mut Page, number: usize, one: &Weighed) {
    let advice = &one.advice;
    let stake = if one.time_at_stake_s > 0.0 {
        format!(" · {} s at stake", seconds(one.time_at_stake_s))
    } else {
        String::new()
    };
    let number = format!("{number}. ");
    page.line(&number, strong(), 3, &format!("{} ({}){stake}", advice.title, advice.id));
    for why in &advice.why {
        page.line("   why   ", faint(), 9, why);
    }
    for class in &advice.classes {
        page.line("   class ", faint(), 9, class);
    }
    for step in &advice.up {
        let again = if step.until_no_rows { "   (again until it changes no row)" } else { "" };
        page.line(
            "   up    ",
            good(),
            9,
            &format!("{}{again}", shortened(&format!("{};", step.sql), &step.what)),
        );
    }
    for down in advice.down() {
        page.line("   down  ", faint(), 9, &shortened(&format!("{down};"), ""));
    }
    for rewrite in &advice.rewrites {
        page.line("   send  ", good(), 9, &rewrite.after.replace('\n', " "));
        for differs in &rewrite.differs {
            page.line("         ", faint(), 9, &format!("differs: {differs}"));
        }
    }
    measured(page, advice.trial.as_ref());
    for caution in &advice.cautions {
        page.line("   mind  ", doubtful(), 9, &shortened(caution, ""));
    }
}

/// Statements that are pages long are for programs: a person is told what they do, and how they begin.
fn shortened(text: &str, what: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(LONGEST / 2).collect();
    let what = if what.is_empty() { String::new() } else { format!("{what}: ") };
    format!("{what}{beginning}… ({length} characters; whole with --format markdown)")
}

fn measured(page: &mut Page, trial: Option<&TrialOutcome>) {
    let Some(trial) = trial else { return };
    page.line("   tried ", strong(), 9, &format!("{}; on {}", trial.verdict, trial.server));
    for one in &trial.queries {
        let text = format!(
            "{} ms → {} ms, rows read {} → {}{}",
            number_text(one.before_s * 1e3),
            number_text(one.after_s * 1e3),
            number_text(one.before_rows_read as f64),
            number_text(one.after_rows_read as f64),
            match one.same_rows {
                Some(true) => ", the same rows",
                Some(false) => ", other rows",
                None => "",
            }
        );
        page.line("         ", faint(), 9, &text);
    }
}

/// For an issue or a chat.
pub(crate) fn markdown(found: &Found) -> String {
    let mut text = format!("**Advice** {}; tables of {}\n", answer(found), found.source);
    for (number, one) in found.advice.iter().enumerate() {
        text.push_str(&format!("\n## {}. {} (`{}`)\n\n", number + 1, one.advice.title, one.advice.id));
        body(&mut text, &one.advice);
    }
    if !found.withdrawn.is_empty() {
        text.push_str("\n## Tried and withdrawn\n\n");
        for one in &found.withdrawn {
            let verdict = one.advice.trial.as_ref().map(|trial| trial.verdict.clone()).unwrap_or_default();
            text.push_str(&format!("- {} (`{}`): {verdict}\n", one.advice.title, one.advice.id));
        }
    }
    if !found.unread.is_empty() {
        text.push_str("\n## Not looked at\n\n");
        found.unread.iter().for_each(|unread| text.push_str(&format!("- {unread}\n")));
    }
    text
}

fn body(text: &mut String, advice: &Advice) {
    let mut list = |label: &str, lines: &[String]| {
        lines.iter().for_each(|line| text.push_str(&format!("- {label}{line}\n")));
    };
    list("", &advice.why);
    list("mind: ", &advice.cautions);
    if let Some(trial) = &advice.trial {
        list("tried: ", std::slice::from_ref(&trial.verdict));
    }
    let up: String = advice.up.iter().map(|step| format!("{};\n", step.sql)).collect();
    let down: String = advice.down().map(|down| format!("{down};\n")).collect();
    let send: String = advice.rewrites.iter().map(|rewrite| format!("{};\n", rewrite.after)).collect();
    for (label, sql) in [("Up", up), ("Down", down), ("Send instead", send)] {
        if !sql.is_empty() {
            text.push_str(&format!("\n{label}:\n\n```sql\n{sql}```\n"));
        }
    }
}
