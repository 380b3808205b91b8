//! Tasks stay in uninterruptible wait.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::tasks::places::{is_stuck, passed};
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "tasks.stuck",
    title: "Tasks stay in uninterruptible wait",
    document: include_str!("stuck.md"),
    test,
};

/// From one task on, on average over all looks, someone always waits.
const ALWAYS: f64 = 1.0;

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    let samples = &evidence.samples;
    passed(samples)?;
    let mean = samples.mean_tasks(is_stuck).unwrap_or(0.0);
    let looks = samples.task_passes;
    let summary = format!("{} tasks in D on average over {looks} looks", number_text(mean));
    let mut presence = Presence::new(mean >= ALWAYS, summary)
        .seen(Observation::new("/proc/PID/stat", "state D", mean).unit("tasks"));
    if let Some(most) = samples.waits.iter().find(|wait| is_stuck(wait)) {
        presence = presence.seen(Observation::new("samples", "most often in", most.folded()));
    }
    Ok(presence)
}
