//! `narrows what-if`.

use std::fmt::Write;

use model::Station;
use model::observation::number_text;
use stack::diagnose;

use crate::arguments::WhatIf;
use crate::exit::{Exit, UsageError};
use crate::{output, target};

/// What one setting on the command line changes.
#[derive(Debug, Clone, PartialEq)]
enum Setting {
    Load(f64),
    Limit { station: String, value: Value },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Absolute(f64),
    Times(f64),
}

/// Solves the chain of stations again with other numbers.
pub(crate) fn run(arguments: &WhatIf) -> anyhow::Result<Exit> {
    let settings = arguments.settings.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let evidence = target::read(arguments.from.as_deref(), arguments.window, &arguments.databases)?;
    let before: Vec<_> = diagnose(&evidence).stations.into_iter().map(|station| station.station).collect();
    let mut after = before.clone();
    for setting in &settings {
        apply(setting, &mut after)?;
    }
    output::print(&compare(&before, &after))?;
    Ok(Exit::Clear)
}

fn parse(text: &str) -> Result<Setting, UsageError> {
    let wrong =
        || UsageError(format!("“{text}” is not NAME=VALUE; for example load=3 or disk.device:vda=2x"));
    let (name, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    let (digits, times) = match value.strip_suffix(['x', '×']) {
        Some(digits) => (digits, true),
        None => (value, false),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    if !number.is_finite() || number <= 0.0 {
        return Err(UsageError(format!("“{value}” in “{text}” must be more than 0")));
    }
    Ok(match (name, times) {
        ("load", _) => Setting::Load(number),
        (_, true) => Setting::Limit { station: name.to_owned(), value: Value::Times(number) },
        (_, false) => Setting::Limit { station: name.to_owned(), value: Value::Absolute(number) },
    })
}

fn apply(setting: &Setting, stations: &mut [Station]) -> Result<(), UsageError> {
    match setting {
        Setting::Load(times) => stations.iter_mut().for_each(|station| load(station, *times)),
        Setting::Limit { station: name, value } => {
            let named = |id: &str| {
                id == name || id.starts_with(&format!("{name}:")) || id.starts_with(&format!("{name}."))
            };
            let mut chosen: Vec<_> = stations.iter_mut().filter(|station| named(&station.id)).collect();
            if chosen.is_empty() {
                let known: Vec<_> = stations.iter().map(|station| station.id.clone()).collect();
                let known = known.join(", ");
                return Err(UsageError(format!("this host has no station {name}; it has {known}")));
            }
            if chosen.iter().all(|station| station.servers.is_none()) {
                return Err(UsageError(format!(
                    "the limit of {name} is not known on this host, so it cannot be changed"
                )));
            }
            chosen.iter_mut().for_each(|station| limit(station, *value));
        }
    }
    Ok(())
}

/// More load: arrivals and what they keep busy grow in proportion; service times stay (the utilization law).
fn load(station: &mut Station, times: f64) {
    if !station.grows_with_load {
        return;
    }
    let grow = |number: &mut Option<f64>| *number = number.map(|number| number * times);
    grow(&mut station.arrivals_per_s);
    grow(&mut station.busy);
    grow(&mut station.lost_per_s);
    station.waiting = None;
}

fn limit(station: &mut Station, value: Value) {
    let Some(servers) = station.servers else { return };
    let wanted = match value {
        Value::Absolute(number) => number,
        Value::Times(times) => servers * times,
    };
    station.servers = Some(wanted);
    station.waiting = None;
    if wanted > servers {
        station.lost_per_s = None;
    }
}

/// The mean wait of a queue of these servers by Erlang C, where arrivals and service time were measured.
fn wait_ms(station: &Station) -> Option<f64> {
    let servers = station.servers.filter(|servers| servers.fract() == 0.0 && *servers <= 1e6)?;
    let queue =
        model::queueing::MultiServerQueue::new(station.arrivals_per_s?, station.service_s?, servers as u32)?;
    Some(queue.mean_wait_seconds()? * 1000.0)
}

fn compare(before: &[Station], after: &[Station]) -> String {
    let mut rows: Vec<_> =
        before.iter().zip(after).filter(|(_, after)| after.utilization().is_some()).collect();
    rows.sort_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    let mut text = format!(
        "{:<52} {:>11} {:>11} {:>10} {:>11}\n",
        "STATIONS", "use before", "after", "breaks at", "mean wait"
    );
    for (before, after) in rows.iter().take(15) {
        let use_ = |station: &Station| {
            station.utilization().map_or_else(|| "–".into(), |u| format!("{:.0} %", u * 100.0))
        };
        let times = distance(after);
        let breaks = match times {
            times if times <= 1.0 => "now".to_owned(),
            times if times > 1000.0 => "–".to_owned(),
            times => format!("{}×", number_text((times * 10.0).round() / 10.0)),
        };
        let wait = wait_ms(after)
            .map_or_else(|| "–".to_owned(), |ms| format!("{} ms", number_text((ms * 100.0).round() / 100.0)));
        let name: String = after.id.chars().filter(|letter| !letter.is_control()).take(49).collect();
        let _ =
            writeln!(text, "  {name:<50} {:>11} {:>11} {breaks:>10} {wait:>11}", use_(before), use_(after));
    }
    let (then, now) = (nearest(before), nearest(after));
    let _ = writeln!(text, "\nThe nearest limit was {then}; it would be {now}.");
    text.push_str(
        "Load is taken to grow in proportion everywhere but in memory, and service times to stay as they are.\n",
    );
    text
}

fn distance(station: &Station) -> f64 {
    station.saturates_at_times().unwrap_or(f64::INFINITY)
}

fn nearest(stations: &[Station]) -> String {
    let nearest = stations.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    match nearest.map(|station| (station, distance(station))) {
        Some((station, times)) if times <= 1.0 => format!("{}, at its limit", station.what),
        Some((station, times)) if times.is_finite() => {
            format!("{}, {}× away", station.what, number_text((times * 10.0).round() / 10.0))
        }
        _ => "none that was measured".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_or_refused() {
        assert_eq!(parse("load=3").unwrap(), Setting::Load(3.0));
        let limit = Setting::Limit { station: "disk.device:vda".into(), value: Value::Times(2.0) };
        assert_eq!(parse("disk.device:vda=2x").unwrap(), limit);
        for wrong in ["load", "load=", "load=-1", "load=NaN", "x=y"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn twice_the_load_on_twice_the_limit_changes_nothing() {
        let disk = Station {
            servers: Some(1.0),
            busy: Some(0.25),
            ..Station::new("disk", "disk.device:vda", "disk vda")
        };
        let mut stations = [disk.clone()];
        apply(&Setting::Load(2.0), &mut stations).unwrap();
        assert_eq!(stations[0].saturates_at_times(), Some(2.0));
        apply(&Setting::Limit { station: "disk".into(), value: Value::Times(2.0) }, &mut stations).unwrap();
        assert_eq!(stations[0].saturates_at_times(), disk.saturates_at_times());
        stations[0].servers = None;
        let without_limit = Setting::Limit { station: "disk".into(), value: Value::Times(2.0) };
        assert!(apply(&without_limit, &mut stations).is_err(), "nothing is changed in silence");
        let unknown = Setting::Limit { station: "nic".into(), value: Value::Times(2.0) };
        assert!(apply(&unknown, &mut stations).is_err());
    }
}
