//! From evidence to a report. Pure: it reads nothing but the evidence.

use std::cmp::Ordering;

use model::observation::number_text;
use model::report::{
    CauseReport, DifferentialRow, Narrows, Report, SCHEMA, StationReport, SymptomReport, UnreadReport,
    WindowSummary,
};
use model::{Layered, Outcome, Severity, Station, Unread, Verdict};

use crate::services::Services;
use crate::{Cause, Evidence, Layer, Reading, Symptom, layers, order};

/// Explains the evidence.
pub fn diagnose(evidence: &Evidence) -> Report {
    let outcomes: Vec<_> =
        layers::causes().map(|(layer, cause)| (layer, cause, outcome(cause, evidence))).collect();
    let symptoms = symptoms(evidence, &outcomes);
    let stations = stations(evidence);
    let causes = causes(&outcomes, &symptoms);
    Report {
        schema: SCHEMA.to_owned(),
        host: evidence.host.clone(),
        window: window(evidence),
        narrows: narrows(&stations, holds_back(&causes)),
        causes,
        stations,
        symptoms,
        unread: unread(evidence),
    }
}

type Tested<'a> = (&'a Layer, &'a Cause, Outcome);

fn outcome(cause: &Cause, evidence: &Evidence) -> Outcome {
    (cause.test)(evidence).unwrap_or_else(Outcome::unknown)
}

fn window(evidence: &Evidence) -> WindowSummary {
    WindowSummary {
        started_unix_s: evidence.readings.first().and_then(|reading| reading.clock.unix_s),
        seconds: evidence.seconds(),
        readings: evidence.readings.len(),
        samples: evidence.samples.task_passes.max(evidence.samples.listener_passes),
        requests_per_s: None,
    }
}

fn stations(evidence: &Evidence) -> Vec<StationReport> {
    let measured = layers::LAYERS.iter().flat_map(|layer| (layer.stations)(evidence));
    let mut stations: Vec<_> = measured.map(station).collect();
    stations.sort_by(|a, b| {
        let in_use = |station: &StationReport| station.utilization.map_or(f64::INFINITY, f64::recip);
        let nearest = |station: &StationReport| station.saturates_at_times.unwrap_or(in_use(station));
        let lost = |station: &StationReport| station.station.lost_per_s.unwrap_or(0.0);
        let by_distance = nearest(a).partial_cmp(&nearest(b)).unwrap_or(Ordering::Equal);
        by_distance.then(lost(b).partial_cmp(&lost(a)).unwrap_or(Ordering::Equal))
    });
    stations
}

fn station(station: Station) -> StationReport {
    StationReport {
        id: station.id.clone(),
        utilization: station.utilization(),
        headroom: station.headroom(),
        saturates_at_times: station.saturates_at_times().filter(|times| times.is_finite()),
        saturates_at_requests_per_s: station.saturates_at_requests_per_s(),
        station,
    }
}

/// A limit this far away holds nothing back.
const NEAR_TIMES: f64 = 2.0;
/// From this share on, all of a limit is in use, as far as a reading can tell.
const FULL: f64 = 0.995;

/// Whether a cause was proved that is felt now.
fn holds_back(causes: &[CauseReport]) -> bool {
    let felt = |cause: &CauseReport| cause.severity >= Some(Severity::Limiting);
    causes.iter().any(|cause| cause.verdict == Verdict::Confirmed && felt(cause))
}

fn narrows(stations: &[StationReport], something_holds_back: bool) -> Option<Narrows> {
    let (nearest, breaks_at_times) =
        stations.iter().find_map(|station| Some((station, station.saturates_at_times?)))?;
    let what = &nearest.station.what;
    let sentence = match (nearest.station.lost_per_s.filter(|lost| *lost > 0.0), nearest.utilization) {
        (Some(lost), _) => format!("{what}: it loses {}/s.", number_text(lost)),
        (None, Some(use_)) if use_ >= FULL => format!("{what}: all in use{}.", waiting(nearest)),
        (None, Some(use_)) if breaks_at_times <= NEAR_TIMES => {
            format!("{what}: {} % in use; {}.", percent(use_), breaking_load(breaks_at_times))
        }
        (None, Some(use_)) => format!(
            "{}The nearest limit is {what}: {} % in use, {}× away.",
            if something_holds_back { "" } else { "Nothing holds this host back now. " },
            percent(use_),
            number_text(breaks_at_times)
        ),
        (None, None) => return None,
    };
    Some(Narrows { station: nearest.id.clone(), sentence, breaks_at_times, breaks_at_requests_per_s: None })
}

fn waiting(station: &StationReport) -> String {
    let waiting = station.station.waiting.filter(|waiting| *waiting > 0.0);
    waiting.map_or_else(String::new, |waiting| format!(", and {} wait", number_text(waiting)))
}

/// What load breaks a limit. Close to it the multiple would round to 1, so the load that is still missing is named.
fn breaking_load(times: f64) -> String {
    if times <= 1.0 {
        return "today's load already breaks it".to_owned();
    }
    if times < 1.1 {
        return format!("{} % more load breaks it", percent((times - 1.0).max(0.001)));
    }
    format!("it breaks at {}× today's load", number_text((times * 100.0).round() / 100.0))
}

fn percent(share: f64) -> String {
    number_text((share * 1000.0).round() / 10.0)
}

fn symptoms(evidence: &Evidence, outcomes: &[Tested]) -> Vec<SymptomReport> {
    let mut reports: Vec<_> =
        layers::symptoms().map(|(_, symptom)| symptom_report(symptom, evidence, outcomes)).collect();
    reports.sort_by_key(|symptom| match symptom.present {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    });
    reports
}

fn symptom_report(symptom: &Symptom, evidence: &Evidence, outcomes: &[Tested]) -> SymptomReport {
    let (present, summary, observations) = match (symptom.test)(evidence) {
        Ok(presence) => (Some(presence.present), presence.summary, presence.observations),
        Err(missing) => (None, format!("{} · {}", missing.summary(), missing.how), vec![]),
    };
    SymptomReport {
        id: symptom.id.to_owned(),
        title: symptom.title.to_owned(),
        present,
        summary,
        observations,
        differential: differential(symptom, outcomes),
    }
}

fn differential(symptom: &Symptom, outcomes: &[Tested]) -> Vec<DifferentialRow> {
    let mut rows: Vec<_> =
        outcomes.iter().filter_map(|(_, cause, outcome)| row(symptom, cause, outcome)).collect();
    rows.sort_by_key(|row| order::verdict_rank(row.verdict));
    rows
}

fn row(symptom: &Symptom, cause: &Cause, outcome: &Outcome) -> Option<DifferentialRow> {
    if let Some(refutation) = cause.refutes.iter().find(|refutation| refutation.symptom == symptom.id) {
        let summary = match outcome.verdict {
            Verdict::Confirmed => {
                format!("{} (it stands on its own: {})", refutation.because, outcome.summary)
            }
            _ => refutation.because.to_owned(),
        };
        return Some(DifferentialRow { cause: cause.id.to_owned(), verdict: Verdict::RuledOut, summary });
    }
    cause.explains.contains(&symptom.id).then(|| DifferentialRow {
        cause: cause.id.to_owned(),
        verdict: outcome.verdict,
        summary: outcome.summary.clone(),
    })
}

fn causes(outcomes: &[Tested], symptoms: &[SymptomReport]) -> Vec<CauseReport> {
    let mut reports: Vec<_> = outcomes
        .iter()
        .map(|(layer, cause, outcome)| cause_report(layer, cause, outcome, symptoms))
        .collect();
    order::arrange(&mut reports);
    reports
}

fn cause_report(layer: &Layer, cause: &Cause, outcome: &Outcome, symptoms: &[SymptomReport]) -> CauseReport {
    let present = symptoms.iter().filter(|symptom| symptom.present == Some(true));
    let explains: Vec<_> = present
        .filter(|symptom| cause.explains.contains(&symptom.id.as_str()))
        .map(|symptom| symptom.id.clone())
        .collect();
    CauseReport {
        id: cause.id.to_owned(),
        layer: layer.id.to_owned(),
        title: cause.title.to_owned(),
        verdict: outcome.verdict,
        severity: severity(outcome, !explains.is_empty()),
        summary: outcome.summary.clone(),
        observations: outcome.observations.clone(),
        explains,
        remedies: outcome.remedies.clone(),
        missing: outcome.missing.clone(),
    }
}

/// A latent fault that explains a present symptom limits now.
fn severity(outcome: &Outcome, explains_a_symptom: bool) -> Option<Severity> {
    match outcome.verdict {
        Verdict::Confirmed if explains_a_symptom && outcome.severity == Severity::Latent => {
            Some(Severity::Limiting)
        }
        Verdict::Confirmed | Verdict::Consistent => Some(outcome.severity),
        Verdict::RuledOut | Verdict::Unknown => None,
    }
}

fn unread(evidence: &Evidence) -> Vec<UnreadReport> {
    let mut rows = Vec::new();
    let mut note = |layer: &str, unread: Option<&Unread>| {
        if let Some(unread) = unread {
            rows.push(UnreadReport {
                layer: layer.to_owned(),
                why: unread.why.clone(),
                how_to_enable: unread.how_to_enable.clone(),
            });
        }
    };
    if let Some(last) = evidence.readings.last() {
        layers_unread(last).into_iter().for_each(|(layer, why)| note(layer, why));
        let sockets = last.sockets.facts();
        note("sockets", sockets.and_then(|sockets| sockets.listeners_unread.as_ref()));
        note("sockets", sockets.and_then(|sockets| sockets.tcp_unread.as_ref()));
        let without_modules = sockets.map(|sockets| &sockets.unread);
        without_modules.into_iter().flatten().for_each(|unread| note("sockets", Some(unread)));
    }
    if let Some(last) = evidence.readings.last() {
        let memory = last.memory.facts().map(|memory| &memory.unread);
        memory.into_iter().flatten().for_each(|unread| note("memory", Some(unread)));
        let tasks = last.tasks.facts().map(|tasks| &tasks.unread);
        tasks.into_iter().flatten().for_each(|unread| note("tasks", Some(unread)));
    }
    services_unread(&evidence.services).into_iter().for_each(|(layer, unread)| note(layer, Some(unread)));
    note("tasks", evidence.samples.tasks_unread.as_ref());
    note("settings", why(&evidence.settings.persisted));
    note("settings", why(&evidence.settings.fstab));
    evidence.settings.unread.iter().for_each(|unread| note("settings", Some(unread)));
    let mut seen = Vec::new();
    rows.retain(|row| {
        let new = !seen.contains(row);
        if new {
            seen.push(row.clone());
        }
        new
    });
    rows
}

fn why<T>(layer: &Layered<T>) -> Option<&Unread> {
    match layer {
        Layered::Unread(unread) => Some(unread),
        Layered::Facts(_) => None,
    }
}

fn layers_unread(reading: &Reading) -> [(&'static str, Option<&Unread>); 15] {
    [
        ("cpu", why(&reading.cpu)),
        ("irq", why(&reading.irq)),
        ("nic", why(&reading.nic)),
        ("qdisc", why(&reading.qdisc)),
        ("sockets", why(&reading.sockets)),
        ("memory", why(&reading.memory)),
        ("disk", why(&reading.disk)),
        ("nfs", why(&reading.nfs)),
        ("tasks", why(&reading.tasks)),
        ("cgroup", why(&reading.cgroup)),
        ("nginx", why(&reading.nginx)),
        ("php-fpm", why(&reading.php_fpm)),
        ("opcache", why(&reading.opcache)),
        ("mysql", why(&reading.mysql)),
        ("proxysql", why(&reading.proxysql)),
    ]
}

fn services_unread(services: &Services) -> Vec<(&'static str, &Unread)> {
    let whole = [
        ("nginx", why(&services.nginx)),
        ("php-fpm", why(&services.php_fpm)),
        ("opcache", why(&services.opcache)),
        ("composer", why(&services.composer)),
        ("wordpress", why(&services.wordpress)),
        ("cron", why(&services.cron)),
        ("mysql", why(&services.mysql)),
        ("proxysql", why(&services.proxysql)),
    ];
    let mut all: Vec<_> = whole.into_iter().filter_map(|(layer, why)| Some((layer, why?))).collect();
    let parts: [(&str, Option<&Vec<Unread>>); 8] = [
        ("nginx", services.nginx.facts().map(|facts| &facts.unread)),
        ("php-fpm", services.php_fpm.facts().map(|facts| &facts.unread)),
        ("opcache", services.opcache.facts().map(|facts| &facts.unread)),
        ("composer", services.composer.facts().map(|facts| &facts.unread)),
        ("wordpress", services.wordpress.facts().map(|facts| &facts.unread)),
        ("cron", services.cron.facts().map(|facts| &facts.unread)),
        ("mysql", services.mysql.facts().map(|facts| &facts.unread)),
        ("proxysql", services.proxysql.facts().map(|facts| &facts.unread)),
    ];
    for (layer, unread) in parts {
        all.extend(unread.into_iter().flatten().map(|unread| (layer, unread)));
    }
    all
}

#[cfg(test)]
mod tests {
    use model::Missing;

    use super::*;

    fn measured(busy: f64, waiting: Option<f64>) -> StationReport {
        let limit = Station::new("nfs", "nfs.slots", "slots");
        station(Station { servers: Some(16.0), busy: Some(busy), waiting, ..limit })
    }

    fn sentence(station: StationReport, held_back: bool) -> String {
        narrows(&[station], held_back).unwrap().sentence
    }

    #[test]
    fn a_limit_that_is_nearly_reached_never_breaks_at_once_the_load() {
        assert_eq!(sentence(measured(15.99, Some(34.0)), true), "slots: all in use, and 34 wait.");
        let near = sentence(measured(15.6, None), true);
        assert_eq!(near, "slots: 97.5 % in use; 2.6 % more load breaks it.");
    }

    #[test]
    fn nothing_is_said_to_hold_back_only_where_no_cause_does() {
        assert!(sentence(measured(2.0, None), false).starts_with("Nothing holds this host back now."));
        assert!(sentence(measured(2.0, None), true).starts_with("The nearest limit is slots"));
    }

    #[test]
    fn missing_evidence_reads_well_whether_it_is_named_or_explained() {
        let why = Missing::new("/.narrows/qdiscs.json does not exist", "read the host itself");
        let summary = Outcome::unknown(why).summary;
        assert_eq!(summary, "evidence is missing: /.narrows/qdiscs.json does not exist");
    }
}
