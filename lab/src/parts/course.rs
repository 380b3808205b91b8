//! The course of most scenarios of the request path: look, measure, change, measure, undo, measure.

use std::time::Duration;

use change::plan::Plan;

use crate::faults::Result;
use crate::http_burst;
use crate::machine::{Machine, NGINX};
use crate::score::{Effect, Expected, Score};

/// The layers of the request path, and those that a machine of namespaces has to itself.
const LAYERS: &[&str] =
    &["sockets", "nic", "qdisc", "nginx", "php-fpm", "opcache", "composer", "wordpress", "cron"];

/// What visitors do.
type Visits<'a> = &'a (dyn Fn(&Machine) -> Result<()> + Sync);

/// What is asked of narrows, and under which load.
pub struct Course<'a> {
    /// The cause that must be named first.
    pub cause: &'a str,
    /// The causes that must be ruled out.
    pub rivals: &'a [&'a str],
    /// The causes whose remedies are planned, with commas between.
    pub cure: &'a [&'a str],
    /// How long `check` and `plan` look, such as `8s`.
    pub window: &'a str,
    /// What visitors do, again and again.
    pub load: Visits<'a>,
    /// What they do on the machine without the fault, where that is less; it is not measured then.
    pub calm: Option<Visits<'a>>,
    /// From one such time to the next.
    pub every: Duration,
}

/// A figure that has to move.
pub struct Metric {
    /// The figure and its unit.
    pub name: String,
    /// What has to come of it; `None` for what is only told.
    pub expected: Option<Expected>,
}

impl Metric {
    /// A figure that must fall to at most this share.
    pub fn falls_to(share: f64, name: &str) -> Self {
        Self { name: name.to_owned(), expected: Some(Expected::FallsTo(share)) }
    }

    /// A figure that is told and proves nothing, such as a time on shared CPUs.
    pub fn remark(name: &str) -> Self {
        Self { name: name.to_owned(), expected: None }
    }
}

impl Course<'_> {
    fn loaded<T>(&self, machine: &Machine, work: impl FnOnce() -> Result<T>) -> Result<T> {
        http_burst::meanwhile(self.every, || (self.load)(machine), work)
    }

    fn look_at_twin<const N: usize>(
        &self,
        score: &mut Score,
        machine: &Machine,
        metrics: &[Metric; N],
        measure: impl Fn(&Machine) -> Result<[f64; N]>,
    ) -> Result<()> {
        let load = self.calm.unwrap_or(self.load);
        if self.calm.is_none() {
            score.remarks.push(format!("without the fault: {}", told(metrics, measure(machine)?)));
        }
        let check = || machine.site.check(&["--for", self.window]);
        let mut report = http_burst::meanwhile(self.every, || load(machine), check)?;
        let of_the_path = |id: &str| id.split('.').next().is_some_and(|layer| LAYERS.contains(&layer));
        report.causes.retain(|cause| of_the_path(&cause.id));
        score.judge_twin(&report);
        Ok(())
    }

    /// Takes it on a machine without the fault and then on one with it: what `measure` tells before, after and once it is
    /// undone are the effects, in the order of `metrics`.
    pub fn take<const N: usize>(
        &self,
        score: &mut Score,
        twin: impl FnOnce() -> Result<Machine>,
        faulty: impl FnOnce() -> Result<Machine>,
        metrics: [Metric; N],
        measure: impl Fn(&Machine) -> Result<[f64; N]>,
    ) -> Result<Plan> {
        let window = ["--for", self.window];
        self.look_at_twin(score, &twin()?, &metrics, &measure)?;

        let machine = faulty()?;
        let site = &machine.site;
        let before = measure(&machine)?;
        let with_fault = format!("with the fault: {}", told(&metrics, before));
        score.remarks.push(with_fault.clone());
        let report = self.loaded(&machine, || site.check(&window))?;
        score.judge(&report, self.cause, self.rivals);
        let unread = report.unread.iter().filter(|unread| LAYERS.contains(&unread.layer.as_str()));
        score.remarks.extend(unread.map(|unread| format!("unread of {}: {}", unread.layer, unread.why)));
        let etc = site.etc()?;
        let cure = self.cure.join(",");
        let options = [&window[..], &["--only", &cure]].concat();
        let plan = self.loaded(&machine, || site.plan_something(&options))?;
        let changed = |change: &dyn Fn() -> Result<String>| {
            let old = machine.nginx_workers()?;
            change()?;
            match plan.changes.iter().flat_map(|change| &change.reloads).any(|it| it.unit.starts_with(NGINX))
            {
                true => machine.wait_for_other_nginx(&old),
                false => machine.wait_for_web(),
            }
        };
        changed(&|| site.apply_and_restart())?;
        let after = measure(&machine)?;
        changed(&|| site.undo())?;
        let undone = measure(&machine)?;
        score.restored = Some(site.etc()? == etc);
        // The effects say so from here on.
        score.remarks.retain(|remark| *remark != with_fault);
        let change = spelled(&plan);
        for (((Metric { name: metric, expected }, before), after), undone) in
            metrics.into_iter().zip(before).zip(after).zip(undone)
        {
            let Some(expected) = expected else {
                let line = format!("{metric}: {before:.1} → {after:.1}, undone {undone:.1}");
                score.remarks.push(line);
                continue;
            };
            let (change, undone) = (change.clone(), Some(undone));
            score.effects.push(Effect { change, metric, before, after, undone, expected });
        }
        Ok(plan)
    }
}

/// What a plan changes, in a line.
pub fn spelled(plan: &Plan) -> String {
    let spelled = plan.changes.iter().map(|planned| {
        let value = &planned.change.target.value;
        format!("{} → {value}", planned.id)
    });
    spelled.collect::<Vec<_>>().join(", ")
}

/// Figures in a line.
pub fn told<const N: usize>(metrics: &[Metric; N], figures: [f64; N]) -> String {
    let told = metrics.iter().zip(figures).map(|(metric, figure)| format!("{} {figure:.1}", metric.name));
    told.collect::<Vec<_>>().join(", ")
}
