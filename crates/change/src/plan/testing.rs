//! Reports and trees for tests of planning, and a tree in which a plan has been carried out.

use std::collections::BTreeMap;

use host::{Host, HostError, Tree};
use model::report::{CauseReport, HostIdentity, Report, WindowSummary};
use model::{Change, ChangeKind, Derived, Edit, Remedy, Severity, Verdict};

use super::{Plan, PlanOptions, States, TreeStates, file_operations, plan};
use crate::{Action, ChangeError, State, Target};

pub(crate) const SOMAXCONN: &str = "net.core.somaxconn";
pub(crate) const OURS: &str = "/etc/sysctl.d/90-narrows.conf";

/// A host that all tests start from, with files added.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::in_memory(1);
    let base = [
        ("/proc/stat", "cpu 1\n"),
        ("/proc/sys/kernel/hostname", "web-07\n"),
        ("/proc/sys/net/core/somaxconn", "128\n"),
        ("/proc/sys/vm/swappiness", "60\n"),
        ("/proc/sys/net/core/default_qdisc", "pfifo_fast\n"),
        ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("/etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n"),
        ("/.narrows/listeners.json", "[]"),
    ];
    base.iter().chain(files).for_each(|(path, text)| tree.put(0, path, *text));
    tree
}

pub(crate) fn report(causes: Vec<CauseReport>) -> Report {
    Report {
        schema: model::report::SCHEMA.to_owned(),
        host: HostIdentity {
            name: Some("web-07".to_owned()),
            kernel: Some("6.1.0-56-cloud-amd64".to_owned()),
            ..HostIdentity::default()
        },
        window: WindowSummary::default(),
        narrows: None,
        stations: vec![],
        symptoms: vec![],
        causes,
        unread: vec![],
    }
}

pub(crate) fn cause(id: &str, severity: Severity, remedies: Vec<Remedy>) -> CauseReport {
    CauseReport {
        id: id.to_owned(),
        layer: id.split('.').next().unwrap().to_owned(),
        title: id.to_owned(),
        verdict: Verdict::Confirmed,
        severity: Some(severity),
        summary: format!("the numbers of {id}"),
        observations: vec![],
        explains: vec![],
        remedies,
        missing: vec![],
    }
}

/// A cause with one remedy of these changes.
pub(crate) fn asking(id: &str, severity: Severity, changes: Vec<Change>) -> CauseReport {
    let remedy = changes.into_iter().fold(Remedy::new(format!("remedy of {id}"), "it moves"), Remedy::change);
    cause(id, severity, vec![remedy])
}

pub(crate) fn sysctl(key: &str, now: &str, value: &str) -> Change {
    Change::sysctl(key, Some(now.to_owned()), Derived::new(value, "f"))
}

pub(crate) fn changing(what: ChangeKind, now: &str, value: &str) -> Change {
    Change::new(what, Some(now.to_owned()), Derived::new(value, "f")).persists_by("/etc/x")
}

pub(crate) fn elsewhere(place: &str) -> Change {
    Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, Derived::new("words", "f"))
}

pub(crate) fn editing(path: &str, edits: Vec<Edit>) -> Change {
    let what = ChangeKind::File { path: path.to_owned(), edit: "words".to_owned(), edits };
    changing(what, "old", "new")
}

pub(crate) fn planned(tree: &Tree, report: &Report) -> Plan {
    planned_with(tree, report, &PlanOptions::default()).unwrap()
}

pub(crate) fn planned_with(tree: &Tree, report: &Report, options: &PlanOptions) -> Result<Plan, ChangeError> {
    plan(report, &tree.at(0), options)
}

pub(crate) fn ids(plan: &Plan) -> Vec<&str> {
    plan.changes.iter().map(|change| change.id.as_str()).collect()
}

/// Carries a plan out in a tree: kernel parameters, interrupts, files and links.
pub(crate) fn carry_out(tree: &mut Tree, plan: &Plan) {
    let mut written = BTreeMap::new();
    {
        let host = tree.at(0);
        let states = TreeStates::new(&host);
        let operations = plan.changes.iter().flat_map(|change| &change.operations);
        let others = operations.filter(|operation| !matches!(operation.target, Target::File(_)));
        for operation in others.cloned().chain(file_operations(&plan.changes)) {
            let now = states.read(&operation.target).unwrap();
            let to = operation.target.kind().wanted(&now, &operation.action).unwrap();
            written.insert(path_of(&operation.target), to);
        }
    }
    for (path, state) in written {
        match state {
            State::Text { value } => tree.put(0, &path, value + "\n"),
            State::File(file) => tree.put(0, &path, file.contents.0),
            State::Link { to } => tree.put_link(0, &path, &to),
            other => panic!("{path}: {other:?}"),
        }
    }
}

fn path_of(target: &Target) -> String {
    match target {
        Target::Sysctl(sysctl) => format!("/proc/sys/{}", sysctl.key.replace('.', "/")),
        Target::IrqAffinity(irq) => format!("/proc/irq/{}/smp_affinity_list", irq.irq),
        Target::PacketSteering(steering) => format!("/sys/class/net/{}", steering.path),
        Target::BlockQueue(queue) => format!("/sys/block/{}/queue/{}", queue.device, queue.attribute),
        Target::ModuleParameter(of) => format!("/sys/module/{}/parameters/{}", of.module, of.parameter),
        Target::Module(module) => format!("/sys/module/{}/refcnt", module.name),
        Target::File(file) => file.path.clone(),
        other => panic!("{other:?} lies in no file"),
    }
}

pub(crate) fn text(tree: &Tree, path: &str) -> Option<String> {
    match tree.at(0).read(path) {
        Ok(bytes) => Some(String::from_utf8(bytes).unwrap()),
        Err(HostError::NotFound { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The edits that a plan makes of one file.
pub(crate) fn edits_of(plan: &Plan, path: &str) -> Vec<Edit> {
    let operations = file_operations(&plan.changes).into_iter();
    let of = operations.filter(|operation| path_of(&operation.target) == path);
    of.flat_map(|operation| match operation.action {
        Action::Edit { edits } => edits,
        other => panic!("{other:?}"),
    })
    .collect()
}
