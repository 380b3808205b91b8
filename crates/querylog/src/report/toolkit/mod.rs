//! A digest as text in the layout of pt-query-digest's report, for eyes and scripts that are used to it.
//!
//! Left out of it: `rusage`, `date`, `hostname`, the table of prepared statements, and the `Converted for EXPLAIN` of statements that
//! write.

mod event;
mod perl;

use std::fmt::Write;

use crate::attribute::Attribute;
use crate::class::Class;
use crate::class_id::ClassId;
use crate::digest::Digest;
use crate::metric::Metric;
use crate::report::choice::Choice;
use crate::report::{Options, facts};
use crate::time::Time;

use perl::{percentage, shorten};

/// Where lines of underscores end.
const LINE: usize = 74;

/// The report.
#[must_use]
pub fn render(digest: &Digest, options: &Options) -> String {
    let total = digest.total();
    let choice = Choice::of(digest, options.order_by, options.limit, options.outliers);
    let mut text = String::new();
    let names: Vec<&str> = digest.files.iter().map(|file| file.name.as_str()).collect();
    let _ = writeln!(text, "\n# Files: {}", names.join(", "));
    if facts::rate_limit(&total).is_some() {
        text.push_str("# Rate limits apply\n");
    }
    header(&mut text, digest, &total, options);
    profile(&mut text, &choice, &total, options);
    let ordering = Ordering::of(&total);
    // pt-query-digest says why a class is shown where their number is not what it expects.
    let explain = !(5..=10).contains(&choice.shown.len());
    for chosen in &choice.shown {
        text.push('\n');
        event::report(&mut text, *chosen, &total, &ordering, explain, options);
    }
    text
}

/// Attributes in the order in which they are listed.
struct Ordering {
    numbers: Vec<Attribute>,
    innodb: Vec<Attribute>,
    flags: Vec<Attribute>,
    texts: Vec<Attribute>,
}

const FIRST: [&str; 14] = [
    "Query_time",
    "Exec_orig_time",
    "Transmit_time",
    "Lock_time",
    "Rows_sent",
    "Rows_examined",
    "Rows_affected",
    "Rows_read",
    "Bytes_sent",
    "Merge_passes",
    "Tmp_tables",
    "Tmp_disk_tables",
    "Tmp_table_sizes",
    "Query_length",
];

impl Ordering {
    fn of(total: &Class) -> Ordering {
        let metrics = total.metrics().into_iter().map(|(attribute, _)| attribute);
        let (mut innodb, mut numbers): (Vec<_>, Vec<_>) =
            metrics.partition(|attribute| attribute.name().starts_with("InnoDB_"));
        let place = |attribute: &Attribute| {
            let name = attribute.name();
            (FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len()), name)
        };
        numbers.sort_by_key(place);
        let mut flags: Vec<_> = total.flags().into_iter().map(|(attribute, _)| attribute).collect();
        let mut texts: Vec<_> = total.texts().into_iter().map(|(attribute, _)| attribute).collect();
        for names in [&mut innodb, &mut flags, &mut texts] {
            names.sort_by_key(|attribute| attribute.name().to_ascii_uppercase());
        }
        Ordering { numbers, innodb, flags, texts }
    }
}

/// The name of an attribute as it stands before its row.
fn label(attribute: Attribute) -> String {
    let name = attribute.name().replace('_', " ");
    let name = name.strip_prefix("InnoDB ").map_or(name.clone(), |rest| {
        if rest == "trx id" { "InnoDB trxID".to_owned() } else { first_letters(rest, 12) }
    });
    let known = match name.as_str() {
        "user" => "Users",
        "db" => "Databases",
        "Query time" => "Exec time",
        "host" => "Hosts",
        "Error no" => "Errors",
        "Query length" => "Query size",
        "Tmp disk tables" => "Tmp disk tbl",
        "Tmp table sizes" => "Tmp tbl size",
        _ => return first_letters(&name, 12),
    };
    known.to_owned()
}

fn first_letters(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Whether values of an attribute are written as times.
fn is_time(attribute: Attribute) -> bool {
    attribute.name().contains("time") || attribute.name().ends_with("wait")
}

/// Sum, least, largest, mean, 95 %, deviation and median.
fn values(attribute: Attribute, metric: &Metric) -> [String; 7] {
    let spread = metric.spread();
    let values = [
        metric.sum(),
        metric.min(),
        metric.max(),
        metric.average(),
        spread.percentile_95,
        spread.standard_deviation,
        spread.median,
    ];
    values.map(|value| if is_time(attribute) { perl::micro_t(value) } else { shorten(value, 1024.0) })
}

/// One row of numbers; nothing follows its last one.
fn row(text: &mut String, label: &str, share: &str, values: &[String; 7]) {
    let mut line = format!("# {label:<12} {share:>3}");
    for value in values {
        let _ = write!(line, " {value:>7}");
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

fn heading(text: &mut String, share: &str, line: &str) {
    let names = ["total", "min", "max", "avg", "95%", "stddev", "median"].map(str::to_owned);
    row(text, "Attribute", share, &names);
    row(text, "============", line, &std::array::from_fn(|_| "=======".to_owned()));
}

fn flag_row(text: &mut String, attribute: Attribute, flag: crate::Flag) {
    let (yes, all) = (flag.yes as f64, (flag.yes + flag.no) as f64);
    let (yes, no) = (percentage(yes, all), percentage(all - yes, all));
    let _ = writeln!(text, "# {:<12} {yes:>3}% yes, {no:>3}% no", label(attribute));
}

fn underlined(text: &mut String, line: &str) {
    let underscores = "_".repeat(LINE.saturating_sub(line.len()));
    let _ = writeln!(text, "{}", format!("{line}{underscores}").trim_end());
}

fn header(text: &mut String, digest: &Digest, total: &Class, options: &Options) {
    let rates = facts::rates(total, options.order_by.attribute);
    let count = total.metric(options.order_by.attribute).map_or(0, Metric::count);
    let line = format!(
        "# Overall: {} total, {} unique, {} QPS, {}x concurrency ",
        shorten(count as f64, 1000.0),
        shorten(digest.classes().len() as f64, 1000.0),
        shorten(rates.map_or(0.0, |rates| rates.per_second), 1000.0),
        shorten(rates.map_or(0.0, |rates| rates.concurrency), 1000.0)
    );
    text.push('\n');
    underlined(text, &line);
    if let Some(range) = time_range(total.first(), total.last()) {
        let _ = writeln!(text, "# Time range: {range}");
    }
    heading(text, "", "");
    let ordering = Ordering::of(total);
    let rows = |text: &mut String, attributes: &[Attribute]| {
        for attribute in attributes {
            if let Some(metric) = total.metric(*attribute) {
                row(text, &label(*attribute), "", &values(*attribute, metric));
            }
        }
    };
    rows(text, &ordering.numbers);
    if !ordering.innodb.is_empty() {
        text.push_str("# InnoDB:\n");
        rows(text, &ordering.innodb);
    }
    let set: Vec<_> = total.flags().into_iter().filter(|(_, flag)| flag.yes > 0).collect();
    if !set.is_empty() {
        text.push_str("# Boolean:\n");
    }
    for (attribute, flag) in set {
        flag_row(text, attribute, flag);
    }
}

/// From when to when; the date is said once where it is the same and a blank follows it.
fn time_range(first: Option<Time>, last: Option<Time>) -> Option<String> {
    let (first, last) = (first?.to_string(), last?.to_string());
    if first == last {
        return Some(format!("all events occurred at {first}"));
    }
    let clock =
        last.split_once(' ').filter(|(date, _)| first.starts_with(*date)).map(|(_, clock)| clock.to_owned());
    Some(format!("{first} to {}", clock.unwrap_or(last)))
}

/// The variance of the time over its mean.
fn variance_to_mean(class: &Class) -> f64 {
    let Some(metric) = class.metric(Attribute::QUERY_TIME) else { return 0.0 };
    let mean = metric.average();
    metric.spread().standard_deviation.powi(2) / if mean == 0.0 { 1.0 } else { mean }
}

fn profile(text: &mut String, choice: &Choice<'_>, total: &Class, options: &Options) {
    let time = |class: &Class| {
        class.metric(Attribute::QUERY_TIME).map_or((0.0, 0), |metric| (metric.sum(), metric.count()))
    };
    let all = Some(time(total).0).filter(|all| *all > 0.0).unwrap_or(1.0);
    text.push_str(
        "\n# Profile\n\
         # Rank Query ID                            Response time    Calls R/Call   V/M   Item\n\
         # ==== =================================== ================ ===== ======== ===== ====\n",
    );
    let mut line = |rank: &str, id: &str, (sum, count): (f64, u64), variance: &str, item: &str| {
        let each = sum / count.max(1) as f64;
        let response = format!("{sum:10.4} {:4.1}%", sum / all * 100.0);
        let line = format!("# {rank:>4} {id:<35} {response:>16} {count:>5} {each:>8.4} {variance:>5} {item}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    for chosen in &choice.shown {
        let id = format!("0x{}", ClassId::of(chosen.class.fingerprint()));
        let item = options.shown(&facts::distillate(chosen.class)).text.replace('\n', " ");
        let variance = format!("{:4.2}", variance_to_mean(chosen.class));
        line(&chosen.rank.to_string(), &id, time(chosen.class), &variance, &item);
    }
    if !choice.others.is_empty() {
        let sums = choice.others.iter().map(|class| time(class));
        let rest = sums.fold((0.0, 0), |(sum, count), (more, calls)| (sum + more, count + calls));
        line("MISC", "0xMISC", rest, "0.0", &format!("<{} ITEMS>", choice.others.len()));
    }
}
