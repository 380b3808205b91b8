//! `narrows plan`.

use std::path::Path;

use change::kinds::NetworkNamespace;
use change::plan::{Plan, PlanOptions};
use host::{Host, LiveHost, Tree};
use model::Severity;
use stack::collect::Plan as Reading;
use stack::{Evidence, reading};

use crate::arguments::change::{Choice, Least, Plan as Arguments, PlanFormat};
use crate::exit::{Exit, UsageError};
use crate::{output, render, target};

/// Plans and prints; saves where a file is named.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let plan = match &arguments.target {
        None => live(&arguments.choice)?,
        Some(path) => of_tree(path, &arguments.choice)?,
    };
    let json = format!("{}\n", serde_json::to_string_pretty(&plan)?);
    if let Some(path) = &arguments.output {
        host::write_local(path, json.as_bytes())?;
    }
    output::print(&match arguments.format {
        PlanFormat::Human => render::plan::plan(&plan, apply(arguments).as_deref()),
        PlanFormat::Json => json,
        PlanFormat::Shell => change::export::shell(&plan),
        PlanFormat::Ansible => change::export::ansible(&plan),
        PlanFormat::Diff => change::export::diff(&plan),
    })?;
    Ok(Exit::Clear)
}

/// The command that carries the plan out. A plan of a tree is for another host, so it must be saved to get there.
fn apply(arguments: &Arguments) -> Option<String> {
    match &arguments.output {
        Some(path) => Some(format!("narrows apply {}", output::word(&path.display().to_string()))),
        None if arguments.target.is_none() => Some("narrows apply".to_owned()),
        None => None,
    }
}

/// Reads this host and plans for it.
pub(crate) fn live(choice: &Choice) -> anyhow::Result<Plan> {
    let evidence = target::live(Reading::over(choice.window), &choice.databases)?;
    planned(&evidence, &LiveHost::new(), choice, NetworkNamespace::current())
}

fn of_tree(path: &Path, choice: &Choice) -> anyhow::Result<Plan> {
    if !path.is_dir() {
        let why = format!(
            "{} is no directory: a plan needs the host's files, and a bundle has none; plan on the host itself, or \
             from a directory that `narrows record --tree` made",
            path.display()
        );
        return Err(UsageError(why).into());
    }
    let tree = Tree::open(path)?;
    let evidence = reading::read_tree(&tree)?;
    planned(&evidence, &tree.at(tree.instants().saturating_sub(1)), choice, None)
}

fn planned(
    evidence: &Evidence,
    host: &dyn Host,
    choice: &Choice,
    namespace: Option<NetworkNamespace>,
) -> anyhow::Result<Plan> {
    let options = PlanOptions {
        only: choice.only.clone(),
        severity: severity(choice.severity),
        remedy: choice.remedy.iter().cloned().collect(),
        namespace,
        databases: choice.databases.of_plan(),
    };
    Ok(change::plan::plan(&stack::diagnose(evidence), host, &options)?)
}

fn severity(least: Least) -> Severity {
    match least {
        Least::Breaking => Severity::Breaking,
        Least::Limiting => Severity::Limiting,
        Least::Latent => Severity::Latent,
        Least::Hygiene => Severity::Hygiene,
        Least::Folklore => Severity::Folklore,
    }
}
