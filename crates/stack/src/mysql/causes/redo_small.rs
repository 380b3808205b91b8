//! A redo log that is full before its pages are written back at leisure.

use model::observation::number_text;
use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::cpu::shares::percent;
use crate::mysql::beside::{text, whole};
use crate::mysql::view::{STATUS, View};
use crate::mysql::{edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "mysql.redo-small",
    title: "InnoDB's redo log holds less than an hour of what is written",
    explains: &["mysql.slow-queries", "disk.latency-high"],
    refutes: &[],
    document: include_str!("redo_small.md"),
    test,
};

/// It should hold what an hour writes.
const HOUR_S: f64 = 3600.0;
/// From this share of the log on, InnoDB writes pages back whatever else waits.
const FULL: f64 = 0.75;
/// Less than this an hour is no load.
const LITTLE: f64 = 67_108_864.0;
/// A log that grows by less is not worth it.
const WORTH: f64 = 1.25;
/// No remedy makes it larger than this: what it holds is read again after a crash.
const MOST: f64 = 68_719_476_736.0;
const MIB: f64 = 1_048_576.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_running(evidence, judge)
}

/// The variable that sizes the log, the size of the whole log in bytes, and how many files share it.
struct Log {
    name: &'static str,
    bytes: f64,
    files: f64,
    at_start: bool,
}

fn log(view: &View<'_>) -> Result<Log, Missing> {
    let capacity = view.number("innodb_redo_log_capacity");
    if let Some(bytes) = capacity.filter(|_| !view.is_mariadb()) {
        return Ok(Log { name: "innodb_redo_log_capacity", bytes, files: 1.0, at_start: false });
    }
    let size = view.needs("innodb_log_file_size")?;
    let files = view.number("innodb_log_files_in_group").filter(|files| *files >= 1.0);
    let single = view.is_mariadb() && view.since(10, 5, 2) != Some(false);
    let files = if single { 1.0 } else { files.unwrap_or(2.0) };
    // MariaDB resizes the log while it runs since 10.9.
    let at_start = !(view.is_mariadb() && view.since(10, 9, 0) == Some(true));
    Ok(Log { name: "innodb_log_file_size", bytes: size * files, files, at_start })
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let log = log(view)?;
    let (window, source) = written(view)?;
    let since_start =
        view.gauge("Innodb_os_log_written").zip(view.gauge("Uptime")).map(|(all, up)| all / up.max(1.0));
    let hour = window * HOUR_S;
    let age = view.server.asked.facts().and_then(|asked| asked.innodb.as_ref()?.checkpoint_age_bytes);
    #[expect(clippy::cast_precision_loss, reason = "bytes of a log")]
    let age = age.map(|bytes| bytes as f64).or_else(|| view.gauge("Innodb_checkpoint_age"));
    let filled = age.map(|age| age / log.bytes.max(1.0));
    let mut line =
        format!("{}: {}/s written to a redo log of {}", view.name(), text(window), text(log.bytes));
    line.push_str(&filled.map_or_else(String::new, |filled| {
        format!(", {} % of it not written back yet", number_text(percent(filled)))
    }));
    let short = hour > log.bytes && hour >= LITTLE;
    let always = since_start.is_some_and(|rate| rate * HOUR_S > log.bytes);
    let minutes = log.bytes / window.max(1.0) / 60.0;
    let outcome = if short && filled.is_some_and(|filled| filled >= FULL) {
        Outcome::confirmed(
            Severity::Limiting,
            format!("{line}; it holds {} min", number_text(minutes.round())),
        )
        .remedy(larger(view, &log, hour))
    } else if short && always {
        Outcome::confirmed(
            Severity::Latent,
            format!(
                "{line}; it holds {} min, and less than an hour on average since its start",
                number_text(minutes.round())
            ),
        )
        .remedy(larger(view, &log, hour))
    } else if short {
        Outcome::consistent(
            Severity::Latent,
            format!("{line}; it holds {} min of this", number_text(minutes.round())),
        )
        .lacks(Missing::new(
            "an hour that writes as much",
            "look again over a longer window: `narrows check --for 60s`",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    Ok(outcome
        .seen(view.seen(STATUS, source, window).unit("bytes/s"))
        .seen_all(view.seen_variable(log.name))
        .seen_all(age.map(|age| view.seen(STATUS, "checkpoint age", age).unit("bytes"))))
}

/// Bytes written to the log per second, and what counts them: the log's own position where the server says it.
fn written(view: &View<'_>) -> Result<(f64, &'static str), Missing> {
    for position in ["Innodb_redo_log_current_lsn", "Innodb_lsn_current"] {
        if let Ok(rate) = view.per_s(position) {
            return Ok((rate, position));
        }
    }
    let counter = "Innodb_os_log_written";
    view.per_s(counter).map(|rate| (rate, counter))
}

fn larger(view: &View<'_>, log: &Log, hour: f64) -> Remedy {
    let wanted =
        ((hour / MIB / 64.0).ceil() * 64.0 * MIB).min(MOST).max((log.bytes * WORTH / MIB).ceil() * MIB);
    let each = (wanted / log.files / MIB).ceil() * MIB;
    let formula = "min(written per s × 3600, 64 GiB) / files, in steps of 64 MiB";
    let target = Derived::new(whole(each), formula)
        .input("written per s", text(hour / HOUR_S), "SHOW GLOBAL STATUS")
        .input("files", number_text(log.files), "files of the log");
    let change: Change = match log.at_start {
        true => edits::set_at_start(view, log.name, target),
        false => edits::set(view, log.name, target),
    };
    let change = change
        .coupled_with("space of the file system that holds it")
        .risks("after a crash more of it is read again: the server is there some minutes later");
    let moves = "the checkpoint age stays below three quarters of the log";
    Remedy::new(format!("Give {} a redo log of {}", view.name(), text(each * log.files)), moves)
        .change(change)
}
