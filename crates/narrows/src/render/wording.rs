//! Words that the terminal and Markdown share.

use model::observation::number_text;
use model::report::{CauseReport, HostIdentity, StationReport, WindowSummary};
use model::{Change, ChangeKind, Observation, Severity, Verdict};

/// The first line: what host, and how long it was read.
pub(crate) fn headline(host: &HostIdentity, window: &WindowSummary) -> String {
    let gib = |bytes: u64| format!("{} GiB", number_text((bytes as f64 / f64::from(1 << 30)).round()));
    let cpus = |count: u32| format!("{count} CPU{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![host.name.clone().unwrap_or_else(|| "unnamed host".to_owned())];
    parts.extend(host.distribution.clone());
    parts.extend(host.kernel.as_ref().map(|kernel| format!("Linux {kernel}")));
    parts.extend(host.cpus.map(cpus));
    parts.extend(host.memory_bytes.map(gib));
    parts.extend(host.virtualization.clone());
    parts.push(format!("read for {:.1} s", window.seconds));
    if host.root == Some(false) {
        parts.push("without root".to_owned());
    }
    parts.join(" · ")
}

/// Whether a cause is proved, and explains what is felt now or loses work.
pub(crate) fn is_felt(cause: &CauseReport) -> bool {
    cause.verdict == Verdict::Confirmed && cause.severity >= Some(Severity::Limiting)
}

/// A cause that is felt, in one line.
pub(crate) fn felt(cause: &CauseReport) -> String {
    format!("{}: {} ({})", cause.title, cause.summary, cause.id)
}

/// An observation in one line: field, value, and where it was read.
pub(crate) fn observation(seen: &Observation) -> String {
    let value = Some(seen.text()).filter(|text| !text.is_empty()).unwrap_or_else(|| "empty".to_owned());
    format!("{} {value}   {}", seen.field, seen.source)
}

/// Whether an observation is a folded stack, which stands among the waiting tasks.
pub(crate) fn is_folded_stack(seen: &Observation) -> bool {
    seen.field.contains(';')
}

/// What a change sets, as a person would write it.
pub(crate) fn target(what: &ChangeKind) -> String {
    match what {
        ChangeKind::Sysctl { key } => key.clone(),
        ChangeKind::IrqAffinity { irq, name } => format!("/proc/irq/{irq}/smp_affinity_list ({name})"),
        ChangeKind::PacketSteering { path } => path.clone(),
        ChangeKind::Ring { interface, side } => format!("ring {side} of {interface}"),
        ChangeKind::Channels { interface } => format!("queue pairs of {interface}"),
        ChangeKind::Qdisc { interface } => format!("root qdisc of {interface}"),
        ChangeKind::Mount { mount_point, .. } => format!("mount options of {mount_point}"),
        ChangeKind::File { path, edit, .. } => format!("{path}: {edit}"),
        ChangeKind::ModuleParameter { name } => format!("module parameter {name}"),
        ChangeKind::Module { name } => format!("kernel module {name}"),
        ChangeKind::BlockQueue { device, attribute } => format!("/sys/block/{device}/queue/{attribute}"),
        ChangeKind::Unit { name, .. } => name.clone(),
        ChangeKind::SqlVariable { server, name, .. } => format!("@@global.{name} of {server}"),
        ChangeKind::SqlStatement { server, up, .. } => format!("{server}: {up}"),
        ChangeKind::Elsewhere { place } => format!("elsewhere, {place}"),
    }
}

/// A change in one line: what, from, to.
pub(crate) fn change(change: &Change) -> String {
    let what = target(&change.what);
    let value = &change.target.value;
    match change.current.as_deref().map(str::trim) {
        Some("") => format!("{what}: empty → {value}"),
        Some(current) => format!("{what}: {current} → {value}"),
        None if what.ends_with(value.as_str()) => what,
        None => format!("{what}: {value}"),
    }
}

/// The formula of a change with the host's numbers; `None` where there is none.
pub(crate) fn formula(change: &Change) -> Option<String> {
    let inputs = change.target.inputs.iter().map(|input| format!("{} {}", input.name, input.value));
    let inputs: Vec<_> = inputs.collect();
    match (change.target.formula.as_str(), inputs.is_empty()) {
        ("", _) => None,
        (formula, true) => Some(formula.to_owned()),
        (formula, false) => Some(format!("{formula}, with {}", inputs.join(", "))),
    }
}

/// What has to be known before a change is made.
pub(crate) fn terms(change: &Change) -> String {
    let mut parts = Vec::new();
    parts.extend(change.owner.as_ref().map(|owner| format!("set by {owner}")));
    parts.extend(change.coupled.iter().map(|coupled| format!("with {coupled}")));
    parts.push(format!("restart: {}", change.restart));
    parts.push(format!("risk: {}", change.risk));
    parts.join(" · ")
}

/// When a station breaks, as a multiple of today's load.
pub(crate) fn breaks_at(station: &StationReport) -> String {
    match (station.saturates_at_times, station.station.lost_per_s) {
        (_, Some(lost)) if lost > 0.0 => "now".to_owned(),
        (Some(times), _) if times <= 1.0 => "now".to_owned(),
        (Some(times), _) if times < 1.05 => format!("+{:.1} %", ((times - 1.0) * 100.0).max(0.1)),
        (Some(times), _) if times > 1000.0 => "> 1,000×".to_owned(),
        (Some(times), _) if times >= 10.0 => format!("{}×", number_text(times.round())),
        (Some(times), _) => format!("{}×", number_text((times * 10.0).round() / 10.0)),
        (None, _) => "–".to_owned(),
    }
}

/// At how many requests per second a station breaks, or a dash where that is not known.
pub(crate) fn requests_per_s(station: &StationReport) -> String {
    figure(station.saturates_at_requests_per_s.map(|rate| if rate >= 10.0 { rate.round() } else { rate }))
}

/// A number of a station, or a dash where it was not measured.
pub(crate) fn figure(number: Option<f64>) -> String {
    let short = |number: f64| {
        let units = [(1024f64.powi(4), " Ti"), (1024f64.powi(3), " Gi"), (1024f64.powi(2), " Mi")];
        match units.iter().find(|(size, _)| number >= *size && number >= 1e7) {
            Some((size, unit)) => format!("{}{unit}", number_text(round(number / size))),
            None => number_text(round(number)),
        }
    };
    number.map_or_else(|| "–".to_owned(), short)
}

fn round(number: f64) -> f64 {
    let scale = if number.abs() >= 100.0 { 1.0 } else { 100.0 };
    (number * scale).round() / scale
}

/// A share as a percentage.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{} %", number_text((share * 100.0).round())))
}

#[cfg(test)]
mod tests {
    use model::Station;

    use super::*;

    #[test]
    fn a_limit_that_is_nearly_reached_shows_the_load_that_is_missing() {
        let at = |busy: f64| {
            let station =
                Station { servers: Some(100.0), busy: Some(busy), ..Station::new("cpu", "cpu", "") };
            breaks_at(&StationReport {
                id: String::new(),
                utilization: station.utilization(),
                headroom: None,
                saturates_at_times: station.saturates_at_times(),
                saturates_at_requests_per_s: None,
                station,
            })
        };
        assert_eq!((at(100.0).as_str(), at(99.9).as_str(), at(97.0).as_str()), ("now", "+0.1 %", "+3.1 %"));
        assert_eq!((at(50.0).as_str(), at(5.0).as_str()), ("2×", "20×"));
    }
}
