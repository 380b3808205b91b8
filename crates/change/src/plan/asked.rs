//! Plans of remedies that somebody asked for, without a diagnosis.

use host::Host;
use model::report::{CauseReport, HostIdentity, Report, SCHEMA, WindowSummary};
use model::{Observation, Remedy, Severity, Verdict};

use super::{Plan, PlanOptions, plan};
use crate::ChangeError;

/// A remedy that no diagnosis asks for, and the reasons of whoever does.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedFor {
    /// What it is called in the plan, as a cause would be: `kind.problem`, such as `index.missing`. Where several are called
    /// the same, they get numbers.
    pub id: String,
    /// How bad the problem is.
    pub severity: Severity,
    /// The numbers that decided, in one line.
    pub why: String,
    /// The evidence.
    pub evidence: Vec<Observation>,
    /// What to do. Its changes are made together or not at all, in their order.
    pub remedy: Remedy,
}

/// Makes a plan of remedies that were asked for, for the host that narrows runs on. Nothing is written.
///
/// As with a plan of a report, its hash covers the state that each change starts from: for a statement the answer of its
/// probe. What holds already is left out.
///
/// # Errors
/// As [`plan`].
pub fn of_remedies(host: &dyn Host, asked: &[AskedFor], options: &PlanOptions) -> Result<Plan, ChangeError> {
    let mut causes: Vec<CauseReport> = Vec::new();
    for one in asked {
        let numbers = (2..).map(|number| format!("{}#{number}", one.id));
        let taken = |id: &String| causes.iter().any(|cause| cause.id == *id);
        let id = std::iter::once(one.id.clone()).chain(numbers).find(|id| !taken(id));
        causes.push(cause(id.unwrap_or_else(|| one.id.clone()), one));
    }
    let text = |path: &str| host.value(path).ok().filter(|text| !text.is_empty());
    let report = Report {
        schema: SCHEMA.to_owned(),
        host: HostIdentity {
            name: text("/proc/sys/kernel/hostname"),
            kernel: text("/proc/sys/kernel/osrelease"),
            ..HostIdentity::default()
        },
        window: WindowSummary::default(),
        narrows: None,
        stations: vec![],
        symptoms: vec![],
        causes,
        unread: vec![],
    };
    let least = asked.iter().map(|one| one.severity).min().unwrap_or(options.severity);
    plan(&report, host, &PlanOptions { severity: least.min(options.severity), ..options.clone() })
}

fn cause(id: String, asked: &AskedFor) -> CauseReport {
    CauseReport {
        layer: id.split('.').next().unwrap_or_default().to_owned(),
        title: asked.remedy.title.clone(),
        verdict: Verdict::Confirmed,
        severity: Some(asked.severity),
        summary: asked.why.clone(),
        observations: asked.evidence.clone(),
        explains: vec![],
        remedies: vec![asked.remedy.clone()],
        missing: vec![],
        id,
    }
}
