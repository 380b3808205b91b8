//! The knee, foretold and measured, for a person and for a program.

use model::observation::number_text;
use model::report::{Report, StationReport};
use prove::knee::{End, Knee, Reason, Step};
use serde_json::{Value, json};

use super::page::{Page, bad, doubtful, faint, good, strong};
use super::wording;

/// The version of the contract.
const SCHEMA: &str = "narrows.knee/1";
/// Stations that are shown, nearest first.
const STATIONS: usize = 5;
/// From this share on, all of a limit is in use, as far as a reading can tell.
const FULL: f64 = 0.995;

/// Stations with a foretold rate, the lowest first. One that was full at the first rate already is none of them: where that
/// rate is carried, something else fills it.
fn foretelling(report: &Report) -> Vec<(&StationReport, f64)> {
    let stations = report.stations.iter().filter(|station| !is_full(station));
    let mut all: Vec<_> =
        stations.filter_map(|station| Some((station, station.saturates_at_requests_per_s?))).collect();
    all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    all
}

fn is_full(station: &StationReport) -> bool {
    station.station.is_saturated() || station.utilization.is_some_and(|share| share >= FULL)
}

/// Foretold ÷ measured, where the stack's own limit was found.
fn ratio(report: &Report, knee: &Knee) -> Option<f64> {
    let (_, foretold) = foretelling(report).into_iter().next()?;
    let measured = knee.carried_per_s.filter(|_| knee.end == End::Stack)?;
    Some(foretold / measured)
}

/// For a program; `docs/schema/knee-1.json` is its schema.
pub(crate) fn json(report: &Report, knee: &Knee) -> anyhow::Result<Value> {
    let station = |(station, per_s): (&StationReport, f64)| json!({ "station": station.id, "what": station.station.what, "requests_per_s": per_s });
    Ok(json!({
        "schema": SCHEMA,
        "foretold": {
            "at_requests_per_s": report.window.requests_per_s,
            "seconds": report.window.seconds,
            "nearest": foretelling(report).first().copied().map(station),
            "stations": foretelling(report).into_iter().map(station).collect::<Vec<_>>(),
        },
        "measured": serde_json::to_value(knee)?,
        "foretold_by_measured": ratio(report, knee),
    }))
}

/// For a person.
pub(crate) fn human(report: &Report, knee: &Knee) -> String {
    let mut page = Page::default();
    foretold(&mut page, report);
    full(&mut page, report);
    measured(&mut page, knee);
    if let Some(ratio) = ratio(report, knee) {
        page.line("  Foretold ÷ measured: ", strong(), 23, &format!("{ratio:.2}"));
    }
    steps(&mut page, knee);
    page.finish()
}

fn foretold(page: &mut Page, report: &Report) {
    let at = number_text(report.window.requests_per_s.unwrap_or_default());
    let all = foretelling(report);
    let Some((nearest, per_s)) = all.first() else {
        let text = "nothing: no limit of this host was measured; if the site is elsewhere, run `narrows check --rate` there";
        page.line("  Foretold: ", strong(), 12, text);
        return;
    };
    let text = format!(
        "about {} requests/s, from {at}/s on this host: the nearest limit is {}",
        rate(*per_s),
        nearest.station.what
    );
    page.line("  Foretold: ", strong(), 12, &text);
    for (station, per_s) in all.iter().skip(1).take(STATIONS - 1) {
        page.line("", faint(), 12, &format!("then {} at {}", station.station.what, rate(*per_s)));
    }
}

fn full(page: &mut Page, report: &Report) {
    for station in report.stations.iter().filter(|station| is_full(station)) {
        let text = format!("{} was full at the first rate already, by whatever", station.station.what);
        page.line("", doubtful(), 12, &text);
    }
}

fn measured(page: &mut Page, knee: &Knee) {
    let carried = knee.carried_per_s.map(rate).unwrap_or_default();
    let failed = knee.failed_per_s.map(rate).unwrap_or_default();
    let (text, style) = match knee.end {
        End::Stack => {
            (format!("{carried} requests/s are carried, {failed} are not{}", plateau(knee)), good())
        }
        End::Generator => (
            format!("at least {carried} requests/s: at {failed} the generator, not the stack, was the limit"),
            doubtful(),
        ),
        End::Most => (format!("at least {carried} requests/s; --most allowed no more"), doubtful()),
        End::First => (
            format!("not even {failed} requests/s are carried{}; begin lower, with --rate", plateau(knee)),
            bad(),
        ),
    };
    page.line("  Measured: ", style, 12, &text);
}

fn plateau(knee: &Knee) -> String {
    knee.plateau_per_s
        .map(|per_s| format!("; beyond, up to {}/s are answered", rate(per_s)))
        .unwrap_or_default()
}

fn steps(page: &mut Page, knee: &Knee) {
    page.heading(&format!(
        "{:<5} {:>9} {:>9} {:>8} {:>9} {:>9} {:>8}",
        "STEPS", "offered/s", "good/s", "failed", "p50 ms", "p99 ms", "piled up"
    ));
    for step in &knee.steps {
        let (mark, style) = if step.is_carried() { ("✔", good()) } else { ("✘", bad()) };
        page.row(&format!("  {style}{mark}{style:#}   {}", cells(step)));
    }
}

fn cells(step: &Step) -> String {
    let failed = step.failed_share.map(|share| (share * 1000.0).round() / 10.0);
    let failed = failed.map_or_else(|| "–".to_owned(), |percent| format!("{} %", number_text(percent)));
    // One reason is enough for a row; JSON has all.
    let mut why: Vec<_> = step.reasons.iter().take(1).map(|reason| word(*reason)).collect();
    why.extend(step.generator_was_the_limit.then_some("the generator itself"));
    format!(
        "{:>9} {:>9} {failed:>8} {:>9} {:>9} {:>8}  {}",
        rate(step.rate_per_s),
        rate(step.goodput_per_s),
        wording::figure(step.p50_ms),
        wording::figure(step.p99_ms),
        wording::figure(Some(step.pile_growth.max(0.0).round())),
        why.join(", ")
    )
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Goodput => "too few answered",
        Reason::Failures => "too many failed",
        Reason::Latency => "too slow",
        Reason::Pile => "piling up",
    }
}

/// A rate, whole from 100 on.
fn rate(per_s: f64) -> String {
    number_text(if per_s >= 100.0 { per_s.round() } else { (per_s * 10.0).round() / 10.0 })
}
