//! Lines of crontab(5).

use super::{Clockwork, Job, command, schedule};

/// The most lines that are read of one table.
const MOST_LINES: usize = 2000;

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table<'a> {
    /// The host's: each line names a user.
    System,
    /// This user's.
    Of(&'a str),
}

/// The jobs of a crontab that run PHP. Lines that are not understood are passed over.
pub(super) fn jobs(path: &str, bytes: &[u8], table: Table<'_>) -> Vec<Job> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().take(MOST_LINES).zip(1_u32..);
    lines.filter_map(|(line, number)| job(path, line, number, table)).collect()
}

fn job(path: &str, line: &str, number: u32, table: Table<'_>) -> Option<Job> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let (schedule, rest) = split_fields(line, fields)?;
    let (user, rest) = match table {
        Table::System => split_fields(rest, 1)?,
        Table::Of(user) => (user, rest),
    };
    // What follows an unescaped % is the job's standard input.
    let end = rest.match_indices('%').find(|(at, _)| !rest.get(..*at).unwrap_or_default().ends_with('\\'));
    let run = rest.get(..end.map_or(rest.len(), |(at, _)| at)).unwrap_or(rest).trim();
    if !command::runs_php(run) {
        return None;
    }
    Some(Job {
        clockwork: Clockwork::Crontab,
        file: path.to_owned(),
        line: number,
        schedule: schedule.to_owned(),
        period_s: schedule::crontab_period_s(schedule),
        user: Some(user.to_owned()),
        command: command::without_secrets(run),
        service: None,
        enabled: Some(true),
    })
}

/// The first fields of a line, as written, and what follows them.
fn split_fields(line: &str, count: usize) -> Option<(&str, &str)> {
    let mut end = 0;
    for _ in 0..count {
        let rest = line.get(end..)?;
        let start = end + (rest.len() - rest.trim_start().len());
        let length = line.get(start..)?.find([' ', '\t'])?;
        end = start + length;
    }
    let rest = line.get(end..)?.trim_start();
    (!rest.is_empty()).then_some((line.get(..end)?, rest))
}

/// The lines of a script that run PHP, as jobs of root.
pub(super) fn script(path: &str, bytes: &[u8], schedule: &str) -> Vec<Job> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().take(MOST_LINES).zip(1_u32..);
    let runs = lines.filter(|(line, _)| !line.trim_start().starts_with('#') && command::runs_php(line));
    let job = |(line, number): (&str, u32)| Job {
        clockwork: Clockwork::Crontab,
        file: path.to_owned(),
        line: number,
        schedule: schedule.to_owned(),
        period_s: schedule::crontab_period_s(schedule),
        user: Some("root".to_owned()),
        command: command::without_secrets(line.trim()),
        service: None,
        enabled: Some(true),
    };
    runs.map(job).collect()
}
