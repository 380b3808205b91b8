//! The way from a report to a plan.

use std::collections::BTreeSet;

use host::Host;
use model::ChangeKind;
use model::report::Report;

use super::choose::{self, Wish};
use super::lower::{Draft, Ground, lower, target_of};
use super::refusals::{Forbidden, forbidden_here, in_action};
use super::{
    LiveStates, Plan, PlanHost, PlanOptions, PlannedChange, Refusal, SCHEMA, States, TreeStates, differences,
    merge, names_one, settle, together,
};
use crate::ChangeError;
use crate::kinds::NetworkNamespace;
use crate::owners::{Claim, Mounts, Owners};

/// Makes the plan of a report, for the host it was made on. Nothing is written.
///
/// On this machine the present states are read from the kernel; in a tree, from its files and answers.
///
/// # Errors
/// When the report is of another host, an option names what is not there, or the files that decide over owners cannot
/// be read.
pub fn plan(report: &Report, host: &dyn Host, options: &PlanOptions) -> Result<Plan, ChangeError> {
    // Only the live host knows whose rights it is read with.
    if host.is_root().is_some() {
        return plan_with(report, host, &LiveStates, options);
    }
    plan_with(report, host, &TreeStates::new(host), options)
}

/// As [`plan`], with states read by someone else.
///
/// # Errors
/// As [`plan`].
pub fn plan_with(
    report: &Report,
    host: &dyn Host,
    states: &dyn States,
    options: &PlanOptions,
) -> Result<Plan, ChangeError> {
    check_host(report, host)?;
    let choice = choose::choose(report, options)?;
    let (wishes, against) = merge::merge(choice.wishes);
    let mut refused = against;
    let owners = Owners::find(host)?;
    let mounts = Mounts::new(host);
    let ground = Ground { host, states, owners: &owners, mounts: &mounts, options };
    let drafts = drafts(&ground, in_order(wishes), &mut refused);
    let changes = together::together(changes(&ground, report, drafts, &mut refused)?, &mut refused);
    let only = Only::of(options);
    refused.retain(|refusal| only.keeps_change(&refusal.change.what, &refusal.causes));
    let mut by_hand = choice.by_hand;
    by_hand.retain(|hand| only.keeps("", std::slice::from_ref(&hand.cause)));
    let files = differences::differences(states, &changes)?;
    let host = PlanHost {
        name: report.host.name.clone(),
        machine_id: host.value("/etc/machine-id").ok().filter(|id| !id.is_empty()),
        kernel: report.host.kernel.clone(),
    };
    let mut plan =
        Plan { schema: SCHEMA.to_owned(), hash: String::new(), host, changes, files, refused, by_hand };
    plan.hash = plan.digest()?;
    Ok(plan)
}

fn check_host(report: &Report, host: &dyn Host) -> Result<(), ChangeError> {
    let (Some(of), Ok(here)) = (&report.host.name, host.value("/proc/sys/kernel/hostname")) else {
        return Ok(());
    };
    if *of == here {
        return Ok(());
    }
    Err(ChangeError::new("make a plan", format!("the report is of {of}, and this host is {here}"))
        .help("run `narrows plan` on the host that the report is of"))
}

/// What others need first comes first: modules before the parameters they bring, reserved ports before the range.
fn in_order(mut wishes: Vec<Wish>) -> Vec<Wish> {
    use model::ChangeKind::{Module, Sysctl};
    wishes.sort_by_key(|wish| match &wish.change.what {
        Module { .. } => 0,
        Sysctl { key } if key == "net.ipv4.ip_local_reserved_ports" => 0,
        Sysctl { key } if key == "net.core.default_qdisc" => 0,
        _ => 1,
    });
    wishes
}

fn drafts(ground: &Ground<'_>, wishes: Vec<Wish>, refused: &mut Vec<Refusal>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for wish in wishes {
        match lower(ground, wish) {
            Ok(draft) => drafts.push(draft),
            Err(failed) => {
                let (wish, claim) = *failed;
                refused.push(refusal(&wish, claim));
            }
        }
    }
    let forbidden = |draft: &Draft| {
        let always = draft.steps.iter().find_map(|step| in_action(&step.target, &step.action));
        always.or_else(|| forbidden_here(ground, &drafts, draft))
    };
    let verdicts: Vec<Option<Forbidden>> = drafts.iter().map(forbidden).collect();
    let mut kept = Vec::new();
    for (draft, verdict) in drafts.into_iter().zip(verdicts) {
        match verdict {
            None => kept.push(draft),
            Some(Forbidden { because, instead }) => {
                refused.push(refusal(&draft.wish, Claim { because, owner: None, instead }));
            }
        }
    }
    kept
}

fn refusal(wish: &Wish, claim: Claim) -> Refusal {
    Refusal {
        causes: wish.causes.clone(),
        change: wish.change.clone(),
        because: claim.because,
        owner: claim.owner,
        instead: claim.instead,
    }
}

/// The changes that are asked for and do not hold yet.
fn changes(
    ground: &Ground<'_>,
    report: &Report,
    drafts: Vec<Draft>,
    refused: &mut Vec<Refusal>,
) -> Result<Vec<PlannedChange>, ChangeError> {
    let named = named(ground, drafts);
    let only = Only::of(ground.options);
    only.check(report, &named, refused)?;
    let mut changes = Vec::new();
    for (id, draft) in named.iter().filter(|(id, draft)| only.keeps(id, &draft.wish.causes)) {
        match settle::settle(ground, draft, id) {
            Ok(change) => changes.extend(change),
            Err(claim) => refused.push(refusal(&draft.wish, claim)),
        }
    }
    Ok(changes)
}

/// What `--only` keeps.
struct Only<'a> {
    words: &'a [String],
    namespace: Option<&'a NetworkNamespace>,
}

impl<'a> Only<'a> {
    fn of(options: &'a PlanOptions) -> Self {
        Self { words: &options.only, namespace: options.namespace.as_ref() }
    }

    fn keeps(&self, id: &str, causes: &[String]) -> bool {
        let names = |word: &String| word == id || names_one(word, causes);
        self.words.is_empty() || self.words.iter().any(names)
    }

    fn keeps_change(&self, what: &ChangeKind, causes: &[String]) -> bool {
        let target = target_of(what, self.namespace);
        self.keeps(&target.map(|target| target.kind().name()).unwrap_or_default(), causes)
    }

    /// A word that nothing is called by is a mistake. A cause that asks for nothing, or nothing any more, is none: its
    /// plan is empty.
    fn check(
        &self,
        report: &Report,
        named: &[(String, Draft)],
        refused: &[Refusal],
    ) -> Result<(), ChangeError> {
        let known = |word: &String| {
            let one = Only { words: std::slice::from_ref(word), namespace: self.namespace };
            report.causes.iter().any(|cause| names_one(word, std::slice::from_ref(&cause.id)))
                || named.iter().any(|(id, _)| id == word)
                || refused.iter().any(|refusal| one.keeps_change(&refusal.change.what, &[]))
        };
        let Some(word) = self.words.iter().find(|word| !known(word)) else { return Ok(()) };
        let ids: Vec<_> = named.iter().map(|(id, _)| id.as_str()).collect();
        let causes: BTreeSet<_> =
            named.iter().flat_map(|(_, draft)| &draft.wish.causes).map(String::as_str).collect();
        let help = match ids.as_slice() {
            [] => "nothing asks for a change here: plan without --only".to_owned(),
            ids => format!("it has {}, for {}", ids.join(", "), Vec::from_iter(causes).join(", ")),
        };
        let why = "the plan has no such change, cause or layer";
        Err(ChangeError::new(format!("plan only {word}"), why).help(help))
    }
}

/// Each draft with a name of its own: that of its target, with a number where several changes edit one file.
fn named(ground: &Ground<'_>, drafts: Vec<Draft>) -> Vec<(String, Draft)> {
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for draft in drafts {
        let target = target_of(&draft.wish.change.what, ground.options.namespace.as_ref());
        let name = target.map(|target| target.kind().name()).unwrap_or_default();
        let numbers = (2..).map(|number| format!("{name}#{number}"));
        let id = std::iter::once(name.clone()).chain(numbers).find(|id| !taken.contains(id)).unwrap_or(name);
        taken.insert(id.clone());
        named.push((id, draft));
    }
    named
}
