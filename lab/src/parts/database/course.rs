//! The course of scenarios whose fault is a setting of the server: look, measure, change, measure, undo, measure.

use std::time::Duration;

use change::plan::Plan;
use model::report::Report;

use super::Database;
use crate::faults::Result;
use crate::http_burst;
use crate::parts::course::{Metric, spelled, told};
use crate::score::{Effect, Score};

/// The layers of which the machine is the owner, and the scenario the cause.
const LAYERS: &[&str] = &["mysql", "sockets", "nic", "qdisc", "nginx", "php-fpm", "wordpress", "cron"];

/// What clients do, again and again.
type Load<'a> = &'a (dyn Fn(&Database) -> Result<()> + Sync);

/// What is asked of narrows, and under which load.
pub struct Course<'a> {
    /// The cause that must be named first.
    pub cause: &'a str,
    /// The causes that must be ruled out.
    pub rivals: &'a [&'a str],
    /// How long `check` and `plan` look, such as `8s`.
    pub window: &'a str,
    /// What clients do, again and again.
    pub load: Load<'a>,
    /// From one such time to the next.
    pub every: Duration,
}

impl Course<'_> {
    /// What `check` says while clients come.
    pub fn check(&self, database: &Database) -> Result<Report> {
        self.loaded(database, || database.machine.site.check(&["--for", self.window]))
    }

    fn loaded<T>(&self, database: &Database, work: impl FnOnce() -> Result<T>) -> Result<T> {
        http_burst::meanwhile(self.every, || (self.load)(database), work)
    }

    /// Looks at a server without the fault, under the same load.
    pub fn look_at_twin(&self, score: &mut Score, database: &Database) -> Result<()> {
        let mut report = self.check(database)?;
        report.causes.retain(|cause| cause.id.split('.').next().is_some_and(|layer| LAYERS.contains(&layer)));
        score.judge_twin(&report);
        Ok(())
    }

    /// Looks at one with the fault, and lets narrows change it: what `measure` tells before, after and once it is undone are
    /// the effects, in the order of `metrics`. Undone is what is as it was in `/etc` and among all variables of the server.
    pub fn take<const N: usize>(
        &self,
        score: &mut Score,
        database: &Database,
        metrics: [Metric; N],
        measure: impl Fn(&Database) -> Result<[f64; N]>,
    ) -> Result<Plan> {
        let site = &database.machine.site;
        let before = measure(database)?;
        let with_fault = format!("with the fault: {}", told(&metrics, before));
        score.remarks.push(with_fault.clone());
        let report = self.check(database)?;
        score.judge(&report, self.cause, self.rivals);
        let unread = report.unread.iter().filter(|unread| unread.layer == "mysql");
        score.remarks.extend(unread.map(|unread| format!("unread of {}: {}", unread.layer, unread.why)));
        let (etc, variables) = (site.etc()?, database.variables()?);
        let options = ["--for", self.window, "--only", self.cause];
        let plan = self.loaded(database, || site.plan_something(&options))?;
        site.apply()?;
        let after = measure(database)?;
        site.undo()?;
        let undone = measure(database)?;
        score.restored = Some(site.etc()? == etc && database.variables()? == variables);
        // The effects say so from here on.
        score.remarks.retain(|remark| *remark != with_fault);
        let change = spelled(&plan);
        for (((metric, before), after), undone) in metrics.into_iter().zip(before).zip(after).zip(undone) {
            let Metric { name: metric, expected } = metric;
            let Some(expected) = expected else {
                score.remarks.push(format!("{metric}: {before:.1} → {after:.1}, undone {undone:.1}"));
                continue;
            };
            let (change, undone) = (change.clone(), Some(undone));
            score.effects.push(Effect { change, metric, before, after, undone, expected });
        }
        Ok(plan)
    }
}
