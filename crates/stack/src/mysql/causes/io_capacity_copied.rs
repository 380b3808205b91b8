//! An I/O capacity that storage does not have.

use model::observation::number_text;
use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::mysql::beside::whole;
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.io-capacity-copied",
    title: "innodb_io_capacity says more than storage is known to do",
    explains: &[],
    refutes: &[],
    document: include_str!("io_capacity_copied.md"),
    test,
};

/// What nobody has to set.
const DEFAULT: f64 = 200.0;
/// What a disk that rotates does each second.
const ROTATING: f64 = 200.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    if view.setting("innodb_io_capacity").is_none() {
        return Ok(Outcome::ruled_out(format!("{}: no file sets innodb_io_capacity", view.name())));
    }
    let capacity = view.needs("innodb_io_capacity")?;
    let flushed = view.per_s("Innodb_buffer_pool_pages_flushed").ok();
    let mut line = format!("{}: innodb_io_capacity {}", view.name(), number_text(capacity));
    line.push_str(
        &flushed.map_or_else(String::new, |rate| format!(", {} pages/s written back", number_text(rate))),
    );
    let rotating = rotating(view);
    let outcome = if capacity <= DEFAULT {
        Outcome::ruled_out(line)
    } else if let Some(disk) = rotating.as_deref() {
        let line = format!("{line}; {disk} rotates, and does some {} operations/s", number_text(ROTATING));
        Outcome::confirmed(Severity::Hygiene, line).remedy(remedy(view, disk))
    } else if view.is_here() {
        Outcome::consistent(Severity::Folklore, line).lacks(Missing::new(
            "operations a second that the storage does",
            "measure it (fio) or ask its provider: 50 to 75 % of that are innodb_io_capacity, 100 % innodb_io_capacity_max",
        ))
    } else {
        return Err(Missing::new("storage of a server elsewhere", "ask its provider what it does a second"));
    };
    Ok(outcome
        .seen_all(view.seen_variable("innodb_io_capacity"))
        .seen_all(view.seen_variable("innodb_io_capacity_max"))
        .seen_all(flushed.map(|rate| view.seen(STATUS, "Innodb_buffer_pool_pages_flushed", rate).unit("/s")))
        .seen_all(rotating.map(|disk| Observation::new("/sys/block", "rotational", disk))))
}

/// A disk that rotates, where all of this host's do; virtual disks say so of themselves, whatever they are.
fn rotating(view: &View<'_>) -> Option<String> {
    let disks = &view.evidence.latest(|reading| &reading.disk).ok()?.devices;
    let whole: Vec<_> =
        disks.iter().filter(|disk| disk.whole && disk.name.starts_with("sd") && disk.reads > 0).collect();
    let virtual_machine =
        view.evidence.host.virtualization.as_deref().is_some_and(|kind| kind != "bare metal");
    let all = !whole.is_empty() && !virtual_machine && whole.iter().all(|disk| disk.rotational == Some(true));
    whole.first().filter(|_| all).map(|disk| disk.name.clone())
}

fn remedy(view: &View<'_>, disk: &str) -> Remedy {
    let target = Derived::new(whole(DEFAULT), "the default, which is what one disk that rotates does").input(
        "disk",
        disk,
        "/sys/block/DISK/queue/rotational",
    );
    let change = edits::set(view, "innodb_io_capacity", target)
        .coupled_with("innodb_io_capacity_max, twice as much")
        .risks("pages are written back more slowly: watch Innodb_buffer_pool_wait_free");
    Remedy::new("Let InnoDB write back as fast as the disk is", "reads wait less behind writes")
        .change(change)
}
