//! What the causes that look at configurations share.

use model::{Missing, Observation, Outcome};

pub(in crate::nginx) use super::title;

use super::super::{Directive, Instance};
use crate::{Evidence, services};

/// What is said of a host without Nginx.
pub(in crate::nginx) const NO_NGINX: &str = "no Nginx on this host";

/// Every Nginx of the host.
///
/// # Errors
/// When Nginx was not read, or none of those that run could be.
pub(in crate::nginx) fn instances(evidence: &Evidence) -> Result<&[Instance], Missing> {
    let facts = services::facts(&evidence.services.nginx)?;
    match facts.unread.first().filter(|_| facts.instances.is_empty()) {
        Some(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
        None => Ok(&facts.instances),
    }
}

/// The verdict where no configuration has the fault; it needs all of each configuration.
///
/// # Errors
/// A part of a configuration that could not be read.
pub(in crate::nginx) fn none_found(
    instances: &[Instance],
    line: impl Into<String>,
) -> Result<Outcome, Missing> {
    let mut problems = instances.iter().flat_map(|instance| &instance.configuration.problems);
    if let Some(problem) = problems.next() {
        let place = format!("{}:{}", problem.file, problem.line);
        return Err(Missing::new(
            format!("the whole configuration of Nginx: {place}: {}", problem.what),
            "run narrows as root, and `nginx -t`: it names what it cannot read",
        ));
    }
    match instances {
        [] => Ok(Outcome::ruled_out(NO_NGINX)),
        _ => Ok(Outcome::ruled_out(line)),
    }
}

/// A line of the configuration.
pub(in crate::nginx) fn line(directive: &Directive) -> Observation {
    Observation::new(directive.place(), directive.name.clone(), directive.value())
}

/// The first of some places, and how many more there are.
pub(in crate::nginx) fn and_more(titles: &[String]) -> String {
    match titles {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}
