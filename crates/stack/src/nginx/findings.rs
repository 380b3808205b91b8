//! What the causes over configurations share: places that are at fault, and what becomes of them.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use super::caches::edits::Edits;
use super::caches::seen::{NO_NGINX, instances};
use super::configuration::{Configuration, Context, Directive};
use super::{ErrorKind, Instance, InstanceCounters};
use crate::Evidence;

/// So many places are shown of one cause.
const MOST_SHOWN: usize = 24;

/// So many edits are worked out for one configuration; the next reading finds the rest.
const MOST_EDITS: usize = 64;

/// One Nginx, and what was measured of it.
pub(super) struct Subject<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) instance: &'a Instance,
}

/// A fault at a place of the configuration.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    severity: Severity,
    line: String,
    seen: Vec<Observation>,
    lacks: Option<Missing>,
    absent: bool,
    wants: Vec<Want<'a>>,
}

/// What a directive should say.
#[derive(Debug)]
struct Want<'a> {
    context: Context<'a>,
    existing: Option<&'a Directive>,
    name: &'static str,
    how: How,
    target: Derived,
}

#[derive(Debug)]
enum How {
    Arguments(String),
    Parameter(&'static str, String),
    Removed,
    /// A person must do it: what, and where.
    ByHand(String),
}

/// What is said of every fault of a cause alike.
pub(super) struct Advice {
    /// What to do, in one line.
    pub(super) title: &'static str,
    /// The metric it promises to move, and where to.
    pub(super) moves: &'static str,
    /// What can go wrong.
    pub(super) risk: &'static str,
}

/// What a look at one Nginx gives: faults, and what to say where there is none.
pub(super) type Found<'a> = (Vec<Finding<'a>>, String);

impl<'a> Finding<'a> {
    /// A fault, with the line of the configuration that has it.
    pub(super) fn at(severity: Severity, directive: &Directive, why: impl AsRef<str>) -> Self {
        let shown = format!("{} {}", directive.name, directive.value());
        let line = format!("{}: {} {}", directive.place(), shown.trim_end(), why.as_ref());
        let seen = Observation::new(directive.place(), directive.name.clone(), directive.value());
        Self { severity, line, seen: vec![seen], lacks: None, absent: false, wants: vec![] }
    }

    /// A directive that is missing in a block, with what has effect without it.
    pub(super) fn without(
        severity: Severity,
        context: &Context<'a>,
        name: &str,
        why: impl AsRef<str>,
    ) -> Self {
        let (place, block) = match context.block() {
            Some(block) => (block.place(), block.name.as_str()),
            None => ("the configuration".to_owned(), "main"),
        };
        let line = format!("{place}: no {name} in {block} {}", why.as_ref());
        let seen = Observation::new(place, name, "not set");
        Self { severity, line, seen: vec![seen], lacks: None, absent: true, wants: vec![] }
    }

    /// Adds what was measured.
    pub(super) fn seen(mut self, observation: Observation) -> Self {
        self.seen.push(observation);
        self
    }

    /// Says what would have to be known for proof.
    pub(super) fn lacks(mut self, missing: Missing) -> Self {
        self.lacks = Some(missing);
        self
    }

    /// Gives a directive these arguments: where it has effect already, else in the block.
    pub(super) fn set(mut self, context: &Context<'a>, name: &'static str, target: Derived) -> Self {
        let existing = context.get(name);
        let how = How::Arguments(target.value.clone());
        self.wants.push(Want { context: context.clone(), existing, name, how, target });
        self
    }

    /// Gives a directive one parameter.
    pub(super) fn parameter(
        mut self,
        context: &Context<'a>,
        existing: &'a Directive,
        (name, parameter): (&'static str, &'static str),
        target: Derived,
    ) -> Self {
        let how = How::Parameter(parameter, target.value.clone());
        self.wants.push(Want { context: context.clone(), existing: Some(existing), name, how, target });
        self
    }

    /// Takes a directive out.
    pub(super) fn remove(
        mut self,
        context: &Context<'a>,
        existing: &'a Directive,
        name: &'static str,
        target: Derived,
    ) -> Self {
        self.wants.push(Want {
            context: context.clone(),
            existing: Some(existing),
            name,
            how: How::Removed,
            target,
        });
        self
    }
}

impl<'a> Finding<'a> {
    /// Leaves something to a person, who knows what else it touches.
    pub(super) fn by_hand(
        mut self,
        context: &Context<'a>,
        name: &'static str,
        place: String,
        target: Derived,
    ) -> Self {
        let how = How::ByHand(place);
        self.wants.push(Want { context: context.clone(), existing: None, name, how, target });
        self
    }
}

/// Judges every Nginx of the host by the places of its configuration that are at fault.
///
/// # Errors
/// What is missing, when no Nginx could be judged.
pub(super) fn judge<'a>(
    evidence: &'a Evidence,
    advice: &Advice,
    find: impl Fn(&Subject<'a>) -> Result<Found<'a>, Missing>,
) -> Result<Outcome, Missing> {
    let all = instances(evidence)?;
    let (mut found, mut fine, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut remedies = Vec::new();
    for instance in all {
        let configuration = &instance.configuration;
        match read_at_all(configuration).and_then(|()| find(&Subject { evidence, instance })) {
            Ok((findings, line)) if findings.is_empty() => fine.push(line),
            Ok((findings, _)) => {
                remedies.extend(changes(configuration, &findings, advice));
                let unread = unread_part(configuration);
                found.extend(findings.into_iter().map(|finding| match (&unread, finding.absent) {
                    (Some(unread), true) => finding.lacks(unread.clone()),
                    _ => finding,
                }));
            }
            Err(lack) => missing.push(lack),
        }
    }
    if found.is_empty() {
        return match (fine.into_iter().next(), missing.into_iter().next()) {
            (_, Some(missing)) => Err(missing),
            (Some(line), None) => Ok(Outcome::ruled_out(line)),
            (None, None) => Ok(Outcome::ruled_out(NO_NGINX)),
        };
    }
    let outcome = outcome(found);
    let outcome = missing.into_iter().fold(outcome, Outcome::lacks);
    if remedies.is_empty() {
        return Ok(outcome);
    }
    let mut remedy = Remedy::new(advice.title, advice.moves);
    for change in remedies {
        if !remedy.changes.iter().any(|other| other.what == change.what) {
            remedy = remedy.change(change);
        }
    }
    Ok(outcome.remedy(remedy))
}

fn outcome(mut found: Vec<Finding<'_>>) -> Outcome {
    // A file that several servers include has its faults once.
    let mut lines = std::collections::BTreeSet::new();
    found.retain(|finding| lines.insert(finding.line.clone()));
    found.sort_by_key(|finding| (finding.lacks.is_some(), std::cmp::Reverse(finding.severity)));
    let certain = found.iter().any(|finding| finding.lacks.is_none());
    let severity = found.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Hygiene);
    let first = found.first().map(|finding| finding.line.clone()).unwrap_or_default();
    let more = found.len().saturating_sub(1);
    let line = if more > 0 { format!("{first}; and {more} more") } else { first };
    let outcome =
        if certain { Outcome::confirmed(severity, line) } else { Outcome::consistent(severity, line) };
    let mut shown: Vec<Observation> = Vec::new();
    let mut lacks: Vec<Missing> = Vec::new();
    for finding in found {
        for seen in finding.seen {
            if shown.len() < MOST_SHOWN && !shown.contains(&seen) {
                shown.push(seen);
            }
        }
        lacks.extend(finding.lacks.filter(|one| !lacks.contains(one)));
    }
    lacks.into_iter().fold(outcome.seen_all(shown), Outcome::lacks)
}

/// Every wanted edit of one configuration, one change a file, with the reasons and numbers of each.
fn changes(configuration: &Configuration, findings: &[Finding<'_>], advice: &Advice) -> Vec<Change> {
    let wants: Vec<_> = findings.iter().flat_map(|finding| &finding.wants).take(MOST_EDITS).collect();
    let mut edits = Edits::of(configuration);
    let mut reason: Option<Derived> = None;
    let mut by_hand = Vec::new();
    for want in wants {
        match (&want.how, want.existing) {
            (How::Arguments(arguments), _) => edits.set(&want.context, want.existing, want.name, arguments),
            (How::Parameter(name, value), Some(existing)) => {
                edits.parameter(&want.context, existing, (name, value.as_str()));
            }
            (How::ByHand(place), _) => {
                by_hand.push(left_to_a_person(place, &want.target, advice));
                continue;
            }
            (How::Removed, Some(existing)) => edits.remove(&want.context, existing),
            (How::Parameter(..) | How::Removed, None) => {}
        }
        reason = Some(match reason {
            None => {
                Derived { formula: format!("{}: {}", want.name, want.target.formula), ..want.target.clone() }
            }
            Some(reason) => joined(reason, want),
        });
    }
    let mut changes = reason.map(|reason| edits.changes(&reason, advice.risk)).unwrap_or_default();
    changes.extend(by_hand);
    changes
}

fn left_to_a_person(place: &str, target: &Derived, advice: &Advice) -> Change {
    Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target.clone())
        .persists_by("the configuration of Nginx")
        .restarts("nginx reloads, after `nginx -t`")
        .risks(advice.risk)
}

fn joined(mut reason: Derived, want: &Want<'_>) -> Derived {
    let formula = format!("{}: {}", want.name, want.target.formula);
    if !reason.formula.contains(&formula) {
        reason.formula = format!("{}; {formula}", reason.formula);
    }
    let new = want.target.inputs.iter().filter(|input| !reason.inputs.contains(input)).cloned();
    let new: Vec<_> = new.collect();
    reason.inputs.extend(new);
    reason
}

fn read_at_all(configuration: &Configuration) -> Result<(), Missing> {
    if !configuration.directives.is_empty() {
        return Ok(());
    }
    let why = configuration.problems.first().map_or("it is empty", |problem| problem.what.as_str());
    Err(Missing::new(
        format!("the configuration {}: {why}", configuration.file),
        "run narrows as root, and `nginx -t`",
    ))
}

fn unread_part(configuration: &Configuration) -> Option<Missing> {
    let problem = configuration.problems.first()?;
    let place = format!("{}:{}", problem.file, problem.line);
    Some(Missing::new(
        format!("the whole configuration: {place}: {}", problem.what),
        "run narrows as root, and `nginx -t`: it names what it cannot read",
    ))
}

impl<'a> Subject<'a> {
    pub(super) fn configuration(&self) -> &'a Configuration {
        &self.instance.configuration
    }

    /// The counters at both ends of the window, and the seconds between.
    ///
    /// # Errors
    /// When it does not run, or was read once only.
    pub(super) fn counters(&self) -> Result<(&'a InstanceCounters, &'a InstanceCounters, f64), Missing> {
        let span = self.evidence.span(|reading| &reading.nginx)?;
        let own = |all: &'a [InstanceCounters]| {
            all.iter().find(|counters| Some(counters.master) == self.instance.master)
        };
        match (own(&span.first.instances), own(&span.last.instances)) {
            (Some(first), Some(last)) => Ok((first, last, span.seconds)),
            _ => Err(Missing::new("counters of this Nginx", "start it, and read it over a window")),
        }
    }

    /// Requests per second, and where that was read.
    ///
    /// # Errors
    /// When neither `stub_status` nor an access log says.
    pub(super) fn requests_per_s(&self) -> Result<Observation, Missing> {
        let status = self.counters().ok().and_then(|(first, last, seconds)| {
            let requests = last.stub_status?.requests.checked_sub(first.stub_status?.requests)?;
            Some(Observation::new("stub_status", "requests", per_s(requests, seconds)).unit("/s"))
        });
        let logged = || {
            let logs = self.instance.access_logs.iter().filter(|log| log.span_s > 0.0 && log.requests > 0);
            let rates: Vec<_> =
                logs.map(|log| (log.path.as_str(), per_s(log.requests, log.span_s))).collect();
            let (path, _) = *rates.first()?;
            let total: f64 = rates.iter().map(|(_, rate)| rate).sum();
            Some(Observation::new(path, "requests", total).unit("/s"))
        };
        status.or_else(logged).ok_or_else(|| {
            Missing::new(
                "the rate of requests",
                "let a location on 127.0.0.1 have `stub_status`, or read the access log",
            )
        })
    }

    /// How often the error logs say something, and in which log.
    pub(super) fn errors(&self, kind: ErrorKind) -> Option<Observation> {
        let of = |log: &super::ErrorLog| {
            log.kinds.iter().filter(|count| count.kind == kind).map(|count| count.count).sum()
        };
        let counted: Vec<(&str, u64)> = self
            .instance
            .error_logs
            .iter()
            .map(|log| (log.path.as_str(), of(log)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let (path, _) = *counted.first()?;
        Some(Observation::new(path, format!("{kind:?}"), counted.iter().map(|(_, count)| count).sum::<u64>()))
    }

    /// The block `http`.
    pub(super) fn http(&self) -> Option<Context<'a>> {
        self.configuration().blocks(&["http"]).into_iter().next()
    }

    /// Whether requests are passed on somewhere: they then take two connections each.
    pub(super) fn passes_on(&self) -> bool {
        let contexts = self.configuration().contexts();
        contexts.iter().any(|context| passes(context).is_some())
    }

    /// The blocks `http`, `server` and `location` that set a directive themselves.
    pub(super) fn setting(&self, name: &str) -> Vec<(Context<'a>, &'a Directive)> {
        let contexts = self.configuration().contexts().into_iter();
        contexts.filter_map(|context| context.own(name).map(|own| (context, own))).collect()
    }
}

/// The directive by which a block passes requests on.
pub(super) fn passes<'a>(context: &Context<'a>) -> Option<&'a Directive> {
    ["fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"]
        .iter()
        .find_map(|name| context.own(name))
}

/// Whether a block answers with files: it has a folder, and passes nothing on.
pub(super) fn serves_files(context: &Context) -> bool {
    let folder = context.get("root").is_some() || context.get("alias").is_some();
    folder && passes(context).is_none() && context.own("return").is_none()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a window")]
pub(super) fn per_s(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

/// The number of an observation.
pub(super) fn number(observation: &Observation) -> f64 {
    match observation.value {
        model::observation::Value::Number(number) => number,
        model::observation::Value::Text(_) => 0.0,
    }
}
