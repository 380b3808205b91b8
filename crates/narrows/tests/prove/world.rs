//! A network namespace with a parameter to change, and plans that change it.

use std::process::Output;

use change::kinds::Sysctl;
use change::plan::{Plan, PlanHost, PlannedChange};
use change::{Action, Operation, Phase, Target};
use lab::site::Site;
use model::{Change, Derived};
use serde_json::Value;

use crate::faults::netns::Namespace;
use crate::faults::{Attempt, Result};
use crate::schema::Schemas;

/// The parameter that the commands here read.
pub(crate) const KEY: &str = "net.core.somaxconn";
/// A command that takes as long as the parameter is large.
pub(crate) const COUNT: &str =
    "i=$(cat /proc/sys/net/core/somaxconn); while [ $i -gt 0 ]; do i=$((i-1)); done";

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) namespace: Namespace,
}

impl World {
    /// With this value of [`KEY`].
    pub(crate) fn with(value: &str) -> Result<Self> {
        let namespace = Namespace::create()?;
        namespace.set("net/core/somaxconn", value)?;
        let site = Site::own(&namespace)?;
        Ok(Self { site, namespace })
    }

    /// Saves a plan that sets a parameter and nothing else.
    pub(crate) fn plan(&self, key: &str, value: &str) -> Result<()> {
        let plan = plan_of(&self.namespace, key, value)?;
        self.site.lay_plan(&plan)
    }

    /// The parameter as it is now.
    pub(crate) fn now(&self) -> Result<String> {
        self.site.parameter(KEY)
    }

    /// `narrows prove` with this plan, in blocks of 0.3 s; its exit status, and what it printed, which holds to its schema.
    pub(crate) fn prove(&self, options: &[&str]) -> Result<(Option<i32>, Value)> {
        let short = ["--for", "300ms", "--warm-up", "100ms"];
        proved(
            self.site
                .prove(&[&short, options].concat())?
                .output()
                .attempt(|| "run narrows prove".to_owned())?,
        )
    }

    /// The status of each transaction, the first first.
    pub(crate) fn statuses(&self) -> Result<Vec<String>> {
        let history = self.site.history()?;
        let all = history["transactions"].as_array().cloned().unwrap_or_default();
        Ok(all.iter().map(|one| one["status"].as_str().unwrap_or_default().to_owned()).collect())
    }
}

/// A plan that sets a parameter of a namespace and no file.
pub(crate) fn plan_of(namespace: &Namespace, key: &str, value: &str) -> Result<Plan> {
    let target = Target::Sysctl(Sysctl { key: key.to_owned(), namespace: None });
    let now = namespace.run(|| target.kind().read().attempt(|| format!("read {key}")))?;
    let before = target.fingerprint(&now);
    let change = PlannedChange {
        id: key.to_owned(),
        causes: vec!["lab.wish".to_owned()],
        severity: None,
        remedy: "an example".to_owned(),
        alternatives: vec![],
        why: "a test wishes it".to_owned(),
        evidence: vec![],
        moves: "whatever it moves".to_owned(),
        metric: None,
        change: Change::sysctl(key, Some(before.clone()), Derived::new(value, "by hand")),
        operations: vec![Operation {
            target,
            action: Action::Set { value: value.to_owned() },
            phase: Phase::Now,
            before,
        }],
        reloads: vec![],
        shell: vec![],
    };
    let mut plan = Plan {
        schema: "narrows.plan/1".to_owned(),
        hash: String::new(),
        host: PlanHost::default(),
        changes: vec![change],
        files: vec![],
        refused: vec![],
        by_hand: vec![],
    };
    plan.hash = plan.digest().attempt(|| "hash a plan".to_owned())?;
    Ok(plan)
}

/// Exit status and JSON of a proof.
pub(crate) fn proved(output: Output) -> Result<(Option<i32>, Value)> {
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if printed.is_empty() {
        return Ok((output.status.code(), Value::String(said.into_owned())));
    }
    let proof: Value = serde_json::from_str(&printed).attempt(|| format!("understand “{printed}”"))?;
    Schemas::new().hold("proof-1.json", &proof);
    let primary = &proof["primary"];
    println!(
        "{} {}: {} → {}, {} ({} … {}), p {}; {}",
        proof["verdict"],
        primary["name"],
        primary["without"],
        primary["with"],
        primary["effect"],
        primary["low"],
        primary["high"],
        primary["p"],
        said
    );
    Ok((output.status.code(), proof))
}
