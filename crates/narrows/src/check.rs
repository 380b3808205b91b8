//! `narrows check`.

use std::thread;
use std::time::Instant;

use model::report::Report;
use model::{Layered, Severity};

use crate::arguments::{Check, FailOn, Format};
use crate::exit::{Exit, UsageError};
use crate::{output, profile, render, target};

/// Reads, explains and prints; again and again with `--every`.
pub(crate) fn run(arguments: &Check) -> anyhow::Result<Exit> {
    for id in &arguments.only {
        known(id)?;
    }
    let Some(every) = arguments.every else { return once(arguments) };
    if arguments.target.is_some() {
        return Err(UsageError(
            "--every reads this host again and again; a recorded one does not change".into(),
        )
        .into());
    }
    loop {
        let start = Instant::now();
        once(arguments)?;
        thread::sleep(every.saturating_sub(start.elapsed()));
    }
}

fn once(arguments: &Check) -> anyhow::Result<Exit> {
    let profiles = arguments.profile.iter().map(|file| profile::read(file)).collect::<Result<Vec<_>, _>>()?;
    let mut evidence = target::read(arguments.target.as_deref(), arguments.window, &arguments.databases)?;
    if let Layered::Facts(composer) = &mut evidence.services.composer {
        composer.profiles.extend(profiles);
    }
    let mut report = stack::diagnose(&evidence);
    if let Some(requests_per_s) = arguments.rate {
        stack::foretell(&mut report, requests_per_s);
    }
    let report = narrowed(report, &arguments.only);
    let text = match arguments.format {
        Format::Human => {
            let plan = match arguments.target.as_deref() {
                None => Some("narrows plan"),
                Some(path) if path.is_dir() => Some("narrows plan DIR"),
                Some(_) => None,
            };
            render::human::report(&report, &evidence, arguments.all, plan)
        }
        Format::Markdown => render::markdown::report(&report),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report)?),
    };
    output::print(&text)?;
    Ok(exit(&report, arguments.fail_on))
}

/// Checks that an identity names a layer, a cause or a symptom.
fn known(id: &str) -> Result<(), UsageError> {
    let layers = stack::layers::LAYERS.iter().map(|layer| layer.id);
    let causes = stack::layers::causes().map(|(_, cause)| cause.id);
    let symptoms = stack::layers::symptoms().map(|(_, symptom)| symptom.id);
    if layers.chain(causes).chain(symptoms).any(|known| known == id) {
        return Ok(());
    }
    Err(UsageError(format!("no layer, cause or symptom is named {id}; `narrows explain` lists them")))
}

fn narrowed(mut report: Report, only: &[String]) -> Report {
    if only.is_empty() {
        return report;
    }
    let wanted = |id: &str, layer: &str| only.iter().any(|wanted| wanted == id || wanted == layer);
    let layer_of = |id: &str| id.split('.').next().unwrap_or_default().to_owned();
    report.causes.retain(|cause| wanted(&cause.id, &cause.layer));
    report.symptoms.retain(|symptom| wanted(&symptom.id, &layer_of(&symptom.id)));
    report.stations.retain(|station| wanted(&station.id, &station.station.layer));
    report.unread.retain(|unread| only.contains(&unread.layer));
    report
}

fn exit(report: &Report, fail_on: FailOn) -> Exit {
    if report.causes.is_empty() && report.symptoms.is_empty() && report.stations.is_empty() {
        return Exit::Clear;
    }
    let threshold = match fail_on {
        FailOn::Breaking => Severity::Breaking,
        FailOn::Limiting => Severity::Limiting,
        FailOn::Latent => Severity::Latent,
        FailOn::Hygiene => Severity::Hygiene,
        FailOn::Folklore => Severity::Folklore,
        FailOn::Never => return Exit::Clear,
    };
    if report.worst().is_some_and(|worst| worst >= threshold) { Exit::Findings } else { Exit::Clear }
}
