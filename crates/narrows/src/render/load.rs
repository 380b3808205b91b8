//! What came of a load, for a person.

use prove::load::{Latencies, Lateness, LoadResult, LoadSpec, Process, Protocol};
use prove::replay::Skipped;

use super::page::{Page, bad, doubtful, faint, good, strong};

/// A load that was offered, and what came of it.
pub(crate) struct Offered<'a> {
    /// The address without its query, which may hold secrets.
    pub(crate) address: &'a str,
    pub(crate) spec: &'a LoadSpec,
    pub(crate) skipped: Option<Skipped>,
    pub(crate) result: &'a LoadResult,
    /// The share of this machine's CPU time that was used meanwhile, 0 to 1.
    pub(crate) machine_busy_share: Option<f64>,
    pub(crate) was_ended_early: bool,
}

/// Labels end here.
const INDENT: usize = 13;

/// Renders it, in lines of at most 100 columns.
pub(crate) fn load(offered: &Offered<'_>) -> String {
    let mut page = Page::default();
    page.line("", strong(), 2, &headline(offered));
    if offered.was_ended_early {
        let text = format!("It was ended after {} of measuring.", seconds(offered.result.seconds));
        page.line("  ", doubtful(), 2, &text);
    }
    log(&mut page, offered);
    page.gap();
    answers(&mut page, offered.result);
    latencies(&mut page, offered.result);
    generator(&mut page, offered);
    lateness(&mut page, offered);
    page.finish()
}

fn headline(offered: &Offered<'_>) -> String {
    let LoadSpec { arrivals, protocol, keep_alive, warm_up, duration, most_connections, .. } = offered.spec;
    let spread = match arrivals.process {
        Process::Constant => "",
        Process::Poisson => " at random distances",
    };
    let carried = match (protocol, keep_alive) {
        (Protocol::Http2, _) => "HTTP/2",
        (Protocol::Http1, true) => "HTTP/1.1",
        (Protocol::Http1, false) => "HTTP/1.1, a connection for each",
    };
    let connections = match most_connections {
        1 => "1 connection".to_owned(),
        more => format!("at most {more} connections"),
    };
    format!(
        "{}: {} requests/s{spread} for {} after {} of warm-up, {carried}, {connections}",
        offered.address,
        rate(arrivals.per_s),
        seconds(duration.as_secs_f64()),
        seconds(warm_up.as_secs_f64())
    )
}

fn log(page: &mut Page, offered: &Offered<'_>) {
    let Some(skipped) = offered.skipped else { return };
    let counts: Vec<_> = skipped.counts().iter().map(|(count, why)| format!("{count} {why}")).collect();
    let left_out =
        if counts.is_empty() { String::new() } else { format!("; left out: {}", counts.join(", ")) };
    let text =
        format!("The mix of {} requests of the log, in its order{left_out}", offered.spec.requests.len());
    page.line("  ", strong(), 2, &text);
}

fn answers(page: &mut Page, result: &LoadResult) {
    row(page, "due", &result.offered.to_string());
    let share =
        result.failed_share().map_or_else(String::new, |failed| format!(" ({})", percent(1.0 - failed)));
    let text = format!("{}{share}, {}/s carried", result.good, rate(result.goodput_per_s));
    let style = if result.good == result.offered { good() } else { bad() };
    page.line("  good", style, INDENT, &text);
    let statuses: Vec<_> =
        result.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
    if !statuses.is_empty() {
        row(page, "answers", &statuses.join(", "));
    }
    let failures: Vec<_> = result.failures.iter().map(|(what, count)| format!("{count} {what}")).collect();
    if !failures.is_empty() {
        page.line("  failed", bad(), INDENT, &failures.join(", "));
    }
}

fn latencies(page: &mut Page, result: &LoadResult) {
    page.heading("                   p50       p90       p99     p99.9       max   ms");
    for (name, latencies, what) in [
        ("latency", &result.latency, "good answers, from when they were due"),
        ("service", &result.service, "good answers, from when they were taken up"),
        ("lag", &result.lag, "from due to taken up"),
    ] {
        let style = faint();
        page.row(&format!("  {name:<11}{}   {style}{what}{style:#}", quantiles(latencies)));
    }
}

fn quantiles(latencies: &Latencies) -> String {
    [0.5, 0.9, 0.99, 0.999, 1.0].map(|q| format!("{:>10}", milliseconds(latencies.quantile_ms(q)))).concat()
}

fn generator(page: &mut Page, offered: &Offered<'_>) {
    let result = offered.result;
    page.gap();
    row(
        page,
        "opened",
        &format!("{} connections, {} of bodies", result.connections, bytes(result.body_bytes)),
    );
    let threads = if result.generator_threads == 1 { "thread" } else { "threads" };
    let wanted = result.generator_wanted_share().map_or_else(String::new, |share| {
        format!(
            ", {} of its {} {threads} including waits for a CPU",
            percent(share),
            result.generator_threads
        )
    });
    row(page, "generator", &format!("{} of CPU{wanted}", seconds(result.generator_cpu_s)));
    let machine = offered.machine_busy_share.map(|share| format!("{} of its CPU time used", percent(share)));
    let seconds =
        steadiness(result).map(|(least, most)| format!("{least} to {most} good answers in a second"));
    let machine: Vec<_> = machine.into_iter().chain(seconds).collect();
    if !machine.is_empty() {
        row(page, "machine", &machine.join("; "));
    }
}

/// The fewest and the most good answers in a whole second: how much a figure of one second is worth.
fn steadiness(result: &LoadResult) -> Option<(u64, u64)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a load")]
    let whole = result.by_second.iter().take(result.seconds as usize).map(|second| second.answered);
    (result.seconds >= 3.0).then(|| whole.clone().min().zip(whole.max())).flatten()
}

fn lateness(page: &mut Page, offered: &Offered<'_>) {
    let result = offered.result;
    let lag = milliseconds(result.lag.quantile_ms(0.99));
    let text = match result.lateness() {
        None => return,
        Some(Lateness::Generator { wanted_share }) => format!(
            "The generator was late: p99 of its lag is {lag} ms, and its threads wanted a CPU for {} of the time. Figures \
             above {}/s are the generator's. Offer less, or from another machine.",
            percent(wanted_share),
            rate(result.goodput_per_s)
        ),
        Some(Lateness::Connections { waited_share }) => format!(
            "{} of the requests found all {} connections busy and waited for one, p99 {lag} ms: the server kept them \
             busy. --connections allows more.",
            percent(waited_share),
            offered.spec.most_connections
        ),
        Some(Lateness::Machine) => format!(
            "The generator was late although it had little to do: p99 of its lag is {lag} ms. This machine was busy with \
             other things; latencies up to that are its own."
        ),
    };
    page.gap();
    page.line("  ", doubtful(), 2, &text);
}

fn row(page: &mut Page, label: &str, text: &str) {
    page.line(&format!("  {label}"), strong(), INDENT, text);
}

fn milliseconds(ms: Option<f64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.2}"),
        Some(ms) if ms < 100.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

fn seconds(seconds: f64) -> String {
    if seconds >= 10.0 || seconds.fract() == 0.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{seconds:.2} s")
    }
}

fn rate(per_s: f64) -> String {
    if per_s >= 100.0 || per_s.fract() == 0.0 { format!("{per_s:.0}") } else { format!("{per_s:.1}") }
}

/// Never 100 % of what is not all.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let rounded = format!("{percent:.1}");
    match rounded.strip_suffix(".0") {
        Some("100") if share < 1.0 => "99.9 %".to_owned(),
        Some(whole) => format!("{whole} %"),
        None => format!("{rounded} %"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests;
