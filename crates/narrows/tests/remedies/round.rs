//! There and back: what every remedy must do, whatever it changes.

use change::plan::{Plan, PlannedChange};
use change::{Action, Target};

use crate::faults::{FaultError, Result};
use lab::site::Site;

/// A change that a plan must have.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) from: Option<String>,
    /// `None` for a value that the test does not know, and for files.
    pub(crate) to: Option<String>,
    /// The cause, or its layer where several causes may ask for it.
    pub(crate) cause: &'static str,
}

impl Expected {
    /// A kernel parameter.
    pub(crate) fn parameter(cause: &'static str, key: &str, from: &str, to: &str) -> Self {
        Self { id: key.to_owned(), from: Some(from.to_owned()), to: Some(to.to_owned()), cause }
    }

    /// A file, whatever is edited in it.
    pub(crate) fn file(cause: &'static str, path: &str) -> Self {
        Self { id: path.to_owned(), from: None, to: None, cause }
    }
}

/// Plans, and holds the plan to what is expected of it: these changes and no other, and nothing refused.
pub(crate) fn planned(site: &Site, options: &[&str], expected: &[Expected]) -> Result<Plan> {
    let plan = site.plan(options)?;
    let ids: Vec<_> = plan.changes.iter().map(|change| change.id.as_str()).collect();
    let shown = || format!("planned {ids:?}, refused {:#?}", plan.refused);
    if !plan.refused.is_empty() || ids.len() != expected.len() {
        return Err(FaultError::new(format!("expected {expected:#?}, {}", shown())));
    }
    for wanted in expected {
        let found = plan.changes.iter().find(|change| change.id == wanted.id);
        let found = found.ok_or_else(|| FaultError::new(format!("expected {wanted:#?}, {}", shown())))?;
        holds_to(wanted, found)?;
    }
    Ok(plan)
}

fn holds_to(wanted: &Expected, found: &PlannedChange) -> Result<()> {
    let from = wanted.from.is_none() || found.change.current == wanted.from;
    let to = wanted.to.as_ref().is_none_or(|to| found.change.target.value == *to);
    if from && to && found.causes.iter().any(|cause| cause.starts_with(wanted.cause)) {
        return Ok(());
    }
    let (now, target) = (&found.change.current, &found.change.target.value);
    Err(FaultError::new(format!("expected {wanted:#?}, planned {now:?} → {target} for {:?}", found.causes)))
}

/// What the kernel has of each parameter that a plan sets: the key, the value wanted, the value there.
fn parameters(site: &Site, plan: &Plan) -> Result<Vec<(String, String, String)>> {
    let operations = plan.changes.iter().flat_map(|change| &change.operations);
    let set = operations.filter_map(|operation| match (&operation.target, &operation.action) {
        (Target::Sysctl(sysctl), Action::Set { value }) => Some((sysctl.key.clone(), value.clone())),
        _ => None,
    });
    set.map(|(key, wanted)| Ok((key.clone(), wanted, site.parameter(&key)?))).collect()
}

/// The whole way: plan, apply, `moved`, plan again, undo, `back`.
///
/// `moved` sees the promised figure move, `back` sees it move back where the fault lasts.
pub(crate) fn there_and_back(
    site: &Site,
    options: &[&str],
    expected: &[Expected],
    moved: impl FnOnce(&Plan) -> Result<()>,
    back: impl FnOnce() -> Result<()>,
) -> Result<Plan> {
    applied_by(Site::apply, site, options, expected, moved, back)
}

/// The same with `narrows apply --restart`, for services that do not take a change up by a reload.
pub(crate) fn there_and_back_restarting(
    site: &Site,
    options: &[&str],
    expected: &[Expected],
    moved: impl FnOnce(&Plan) -> Result<()>,
    back: impl FnOnce() -> Result<()>,
) -> Result<Plan> {
    applied_by(Site::apply_and_restart, site, options, expected, moved, back)
}

fn applied_by(
    apply: fn(&Site) -> Result<String>,
    site: &Site,
    options: &[&str],
    expected: &[Expected],
    moved: impl FnOnce(&Plan) -> Result<()>,
    back: impl FnOnce() -> Result<()>,
) -> Result<Plan> {
    let etc = site.etc()?;
    let plan = planned(site, options, expected)?;
    let before = parameters(site, &plan)?;
    assert_eq!(site.etc()?, etc, "a plan writes nothing");
    let said = apply(site)?;
    assert!(said.contains("is applied"), "{said}");
    for (key, wanted, there) in parameters(site, &plan)? {
        assert_eq!(there, wanted, "{key} after apply");
    }
    moved(&plan)?;
    planned(site, options, &[]).map_err(|error| FaultError::new(format!("after apply: {error}")))?;
    let said = site.undo()?;
    assert!(said.contains("is undone"), "{said}");
    assert_eq!(parameters(site, &plan)?, before, "after undo");
    assert_eq!(site.etc()?, etc, "after undo");
    back()?;
    assert!(site.undo()?.contains("Nothing to undo"));
    println!("{}: {} there and back", options.join(" "), shown(&plan));
    Ok(plan)
}

fn shown(plan: &Plan) -> String {
    let one = |change: &PlannedChange| {
        let now = change.change.current.as_deref().unwrap_or("?");
        format!("{} {now} → {}", change.id, change.change.target.value)
    };
    plan.changes.iter().map(one).collect::<Vec<_>>().join(", ")
}
