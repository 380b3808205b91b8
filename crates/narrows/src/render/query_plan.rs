//! A plan of the optimizer as a tree.

use advice::{Access, Format, Judgement, Node, NodeKind, Plan, ReadStep, Reason, Surprise};
use anstyle::Style;
use model::observation::number_text;

use super::page::{Page, bad, doubtful, faint, good};

/// For a terminal: the answer, the tree, what it costs, where the optimizer was wrong.
pub(crate) fn human(plan: &Plan, judged: &Judgement, of: &str) -> String {
    let mut page = Page::default();
    let calm = judged.reason == Reason::Little;
    page.line("READS   ", if calm { good() } else { bad() }, 8, &answer(judged));
    page.line("        ", faint(), 8, &provenance(plan, of));
    page.gap();
    tree(&mut page, &plan.root, "", "");
    costs(&mut page, judged);
    if !judged.surprises.is_empty() {
        page.heading("EXPECTED AND CAME");
        for surprise in &judged.surprises {
            page.line("  ! ", doubtful(), 4, &surprising(surprise));
        }
        page.line(
            "    ",
            faint(),
            4,
            "Fresh statistics (ANALYZE TABLE) or histograms let the optimizer choose better.",
        );
    }
    if !plan.notes.is_empty() {
        page.heading("NOT KNOWN");
        for note in &plan.notes {
            page.line("  ", faint(), 2, note);
        }
    }
    page.finish()
}

/// For an issue or a chat.
pub(crate) fn markdown(plan: &Plan, judged: &Judgement, of: &str) -> String {
    let mut page = Page::default();
    tree(&mut page, &plan.root, "", "");
    let drawn = anstream::adapter::strip_str(&page.finish()).to_string();
    let mut text =
        format!("**Reads** {}\n\n{}\n\n```text\n{drawn}```\n", answer(judged), provenance(plan, of));
    for sorted in &judged.sorted {
        text.push_str(&format!(
            "\n- {}: {} rows in, {} out",
            sorted.what,
            rows(sorted.rows),
            rows(sorted.given)
        ));
    }
    for surprise in &judged.surprises {
        text.push_str(&format!("\n- {}", surprising(surprise)));
    }
    for note in &plan.notes {
        text.push_str(&format!("\n- not known: {note}"));
    }
    text.push('\n');
    text
}

/// What the plan amounts to, in a sentence.
pub(crate) fn answer(judged: &Judgement) -> String {
    let Judgement { rows_read, rows_given, .. } = judged;
    let (read, given) = (rows(*rows_read), rows(*rows_given));
    let about = if judged.counted { "" } else { "about " };
    let share = match rows_given {
        given if *given >= 1.0 && *rows_read > 1.5 * given => {
            format!(": {} for each row", rows(rows_read / given))
        }
        _ => String::new(),
    };
    format!("{about}{read} rows to give {given}{share}; {}", reason(&judged.reason))
}

/// What costs most, in a sentence.
pub(crate) fn reason(reason: &Reason) -> String {
    let by = |columns: &[String]| match columns {
        [] => String::new(),
        columns => format!(" by {}", columns.join(", ")),
    };
    let times = |loops: f64| if loops > 1.0 { format!(" {} times", rows(loops)) } else { String::new() };
    match reason {
        Reason::Little => "it reads little that it does not give".to_owned(),
        Reason::TableScan { table, rows: each, loops } => {
            format!(
                "the reason is that `{table}` is read from end to end{}, {} rows",
                times(*loops),
                rows(*each)
            )
        }
        Reason::IndexScan { table, index, rows: each, loops } => format!(
            "the reason is that the index `{index}` of `{table}` is read from end to end{}, {} rows",
            times(*loops),
            rows(*each)
        ),
        Reason::LittleKept { table, index, by: columns, rows: read, kept } => format!(
            "the reason is that the index `{index}` of `{table}` narrows only{}: of {} rows, {} % satisfy the rest",
            by(columns),
            rows(*read),
            number_text(round(*kept))
        ),
        Reason::ManyLookups { table, index, loops, rows: each } => format!(
            "the reason is that `{table}` is looked up {} times by `{index}`, {} rows each",
            rows(*loops),
            rows(*each)
        ),
        Reason::ManyRows { table, index, rows: read } => {
            format!("the reason is that {} rows of `{table}` match in the index `{index}`", rows(*read))
        }
    }
}

fn provenance(plan: &Plan, of: &str) -> String {
    let format = match plan.format {
        Format::Tabular => "a table of EXPLAIN",
        Format::Mariadb => "a plan of MariaDB",
        Format::MysqlBlocks => "a plan of MySQL (or an older MariaDB)",
        Format::MysqlIterators => "a plan of MySQL, format 2",
    };
    let mut parts = vec![of.to_owned(), format.to_owned()];
    parts.push(if plan.analyzed {
        "counted while it ran".to_owned()
    } else {
        "estimated, not run".to_owned()
    });
    parts.extend(plan.time_ms.map(|time| format!("{} ms", number_text(round(time)))));
    parts.extend(plan.cost.map(|cost| format!("cost {}", number_text(round(cost)))));
    parts.join(" · ")
}

fn surprising(surprise: &Surprise) -> String {
    let Surprise { at, of, expected, came } = surprise;
    let (factor, word) = if came > expected {
        (came / expected.max(1.0), "more")
    } else {
        (expected / came.max(1.0), "fewer")
    };
    format!("`{at}`, {of}: {} expected, {} came, {}× {word}", rows(*expected), rows(*came), rows(factor))
}

fn costs(page: &mut Page, judged: &Judgement) {
    let mut steps: Vec<&ReadStep> = judged.steps.iter().collect();
    if steps.len() + judged.sorted.len() < 2 {
        return;
    }
    page.heading("WHAT IT COSTS");
    steps.sort_by(|a, b| (b.loops * b.rows).total_cmp(&(a.loops * a.rows)));
    for step in steps.into_iter().take(8) {
        let share = 100.0 * step.loops * step.rows / judged.rows_read.max(1.0);
        let kept = if step.rows > 0.0 { 100.0 * step.kept / step.rows } else { 0.0 };
        let what = format!(
            "{} rows ({} × {}), {} % of all that is read; {} % satisfy its condition",
            rows(step.loops * step.rows),
            rows(step.loops),
            rows(step.rows),
            number_text(share.round()),
            number_text(round(kept))
        );
        page.line(&format!("  {}: ", step.table), Style::new(), 4, &what);
    }
    for sorted in &judged.sorted {
        let bytes = sorted.bytes.map(|bytes| format!(", buffer of {}", size(bytes))).unwrap_or_default();
        let less = sorted.given < sorted.rows;
        let given = if less { format!(" to give {}", rows(sorted.given)) } else { String::new() };
        page.line(
            &format!("  {}: ", sorted.what),
            Style::new(),
            4,
            &format!("{} rows{given}{bytes}", rows(sorted.rows)),
        );
    }
}

/// Draws a node and what stands below it: `first` before its own line, `others` before those below.
fn tree(page: &mut Page, node: &Node, first: &str, others: &str) {
    // Blocks of one step say nothing that their step does not.
    if let (NodeKind::Block(_) | NodeKind::Nothing, [only]) = (&node.kind, node.children.as_slice()) {
        return tree(page, only, first, others);
    }
    page.cut("", style(node), &format!("{first}{}", line(node)));
    let below = if node.children.is_empty() { "  " } else { "│ " };
    for (label, text) in details(node) {
        page.cut("", faint(), &format!("{others}{below}  {label} {text}"));
    }
    let last = node.children.len().saturating_sub(1);
    for (at, child) in node.children.iter().enumerate() {
        let (branch, bar) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        tree(page, child, &format!("{others}{branch}"), &format!("{others}{bar}"));
    }
}

fn style(node: &Node) -> Style {
    let scans = node.access.as_ref().is_some_and(|access| matches!(access.kind.as_str(), "ALL" | "index"));
    let many = node.actual.and_then(|actual| actual.rows).or(node.rows).unwrap_or(0.0) >= 1000.0;
    if scans && many { bad() } else { Style::new() }
}

fn line(node: &Node) -> String {
    let mut parts = vec![match (&node.kind, &node.access) {
        (NodeKind::Table, Some(access)) => access_text(access),
        _ => kind_text(&node.kind),
    }];
    parts.extend(figures(node));
    parts.extend(node.cost.map(|cost| format!("cost {}", number_text(round(cost)))));
    let time = node.actual.and_then(|actual| actual.time_ms);
    parts.extend(time.map(|time| format!("{} ms", number_text(round(time)))));
    parts.join(" · ")
}

fn access_text(access: &Access) -> String {
    let key = access.key.as_ref().map(|key| match access.key_parts.as_slice() {
        [] => format!(" {key}"),
        parts => format!(" {key} ({})", parts.join(", ")),
    });
    let covering = if access.covering { " · index only" } else { "" };
    let buffer = access.join_buffer.as_ref().map(|buffer| format!(" · join buffer ({buffer})"));
    let kind = match access.kind.as_str() {
        "ALL" => "whole table",
        "index" => "whole index",
        other => other,
    };
    format!("{}  {kind}{}{covering}{}", access.table, key.unwrap_or_default(), buffer.unwrap_or_default())
}

fn kind_text(kind: &NodeKind) -> String {
    let with = |what: &str, why: &str| if why.is_empty() { what.to_owned() } else { format!("{what} {why}") };
    match kind {
        NodeKind::Block(Some(number)) => format!("select {number}"),
        NodeKind::Block(None) => "select".to_owned(),
        NodeKind::Table | NodeKind::Nothing => "step".to_owned(),
        NodeKind::Join => "join, for each row of the one above".to_owned(),
        NodeKind::HashJoin => "join by a hash table".to_owned(),
        NodeKind::Sort { by, limit } => {
            let limit = limit.map(|limit| format!(", keep {limit}")).unwrap_or_default();
            format!("{}{limit}", with("sort by", if by.is_empty() { "ORDER BY" } else { by }))
        }
        NodeKind::Temporary(why) => with("temporary table for", why).trim_end_matches(" for").to_owned(),
        NodeKind::Materialized => "rows of a subquery, written once".to_owned(),
        NodeKind::Subquery(place) => with("subquery", place),
        NodeKind::Union => "union".to_owned(),
        NodeKind::Filter => "filter".to_owned(),
        NodeKind::Limit { limit, offset } => {
            let limit = limit.map_or_else(|| "all".to_owned(), |limit| limit.to_string());
            if *offset > 0 {
                format!("limit {limit} after skipping {offset}")
            } else {
                format!("limit {limit}")
            }
        }
        NodeKind::Aggregate => "aggregate".to_owned(),
        NodeKind::Other(what) => what.clone(),
    }
}

fn figures(node: &Node) -> Option<String> {
    let kept = |filtered: Option<f64>| match filtered {
        Some(percent) if percent < 99.5 => format!(", {} % kept", number_text(round(percent))),
        _ => String::new(),
    };
    match node.actual {
        Some(actual) if actual.rows.is_some() => {
            let came = actual.rows.unwrap_or(0.0);
            let loops =
                if actual.loops > 1.0 { format!("{} × ", rows(actual.loops)) } else { String::new() };
            let expected = node.rows.filter(|expected| (expected - came).abs() > 0.5 + came * 0.1);
            let expected =
                expected.map(|expected| format!(" (expected {})", rows(expected))).unwrap_or_default();
            Some(format!("{loops}{} rows{expected}{}", rows(came), kept(actual.filtered)))
        }
        Some(actual) if actual.loops == 0.0 => Some("never run".to_owned()),
        _ => node.rows.map(|expected| format!("{} rows{}", rows(expected), kept(node.filtered))),
    }
}

fn details(node: &Node) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    let index = node.access.as_ref().and_then(|access| access.index_condition.clone());
    details.extend(index.map(|condition| ("in the index:", condition)));
    details.extend(
        node.condition.clone().filter(|_| node.kind != NodeKind::Block(None)).map(|text| ("where", text)),
    );
    let unused =
        node.access.as_ref().filter(|access| access.key.is_none() && !access.possible_keys.is_empty());
    details.extend(unused.map(|access| ("not used:", access.possible_keys.join(", "))));
    details.extend(node.bytes.map(|bytes| ("buffers or reads", size(bytes))));
    details.extend(node.facts.iter().map(|fact| ("·", fact.clone())));
    details
}

/// A number of rows.
pub(crate) fn rows(number: f64) -> String {
    if number > 0.0 && number < 10.0 { number_text(round(number)) } else { number_text(number.round()) }
}

fn round(number: f64) -> f64 {
    let scale = if number.abs() >= 100.0 { 1.0 } else { 100.0 };
    (number * scale).round() / scale
}

/// Bytes in the unit that fits.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            format!("{} {name}", number_text(((bytes as f64 / *unit as f64) * 10.0).round() / 10.0))
        }
        None => format!("{bytes} bytes"),
    }
}
