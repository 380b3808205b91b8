//! Finds the jobs that run PHP: lines of crontabs, and timers of systemd with the services they start.

use host::{Host, HostError};
use model::Unread;

use super::crontab::{self, Table};
use super::{Facts, units};

/// Folders of crontabs that name a user in each line (cron(8)).
const SYSTEM_TABLES: &str = "/etc/cron.d";

/// The crontabs of users, each named like its user (crontab(1)).
const USER_TABLES: &str = "/var/spool/cron/crontabs";

/// Folders whose scripts run-parts(8) starts, and how often.
const SCRIPTS: [(&str, &str); 3] =
    [("/etc/cron.hourly", "@hourly"), ("/etc/cron.daily", "@daily"), ("/etc/cron.weekly", "@weekly")];

/// The most files that are read of one folder.
const MOST_FILES: usize = 500;

/// Reads the layer.
///
/// # Errors
/// When `/etc` cannot be listed. A host without crontabs and timers has no jobs.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    host.list("/etc").map_err(|error| {
        Unread::new(format!("crontabs and timers: {error}"), "run narrows where /etc is that of the host")
    })?;
    let mut facts = Facts::default();
    if let Ok(bytes) = host.read("/etc/crontab") {
        facts.jobs.extend(crontab::jobs("/etc/crontab", &bytes, Table::System));
    }
    for (path, bytes) in files(host, SYSTEM_TABLES).unwrap_or_default() {
        facts.jobs.extend(crontab::jobs(&path, &bytes, Table::System));
    }
    for (folder, schedule) in SCRIPTS {
        for (path, bytes) in files(host, folder).unwrap_or_default() {
            facts.jobs.extend(crontab::script(&path, &bytes, schedule));
        }
    }
    match files(host, USER_TABLES) {
        Ok(tables) => {
            for (path, bytes) in tables {
                let user = path.rsplit('/').next().unwrap_or_default();
                facts.jobs.extend(crontab::jobs(&path, &bytes, Table::Of(user)));
            }
        }
        Err(HostError::NotFound { .. }) => {}
        Err(error) => {
            let why = format!("the crontabs of users: {error}");
            facts.unread.push(Unread::new(why, "run narrows as root: only root may read them"));
        }
    }
    facts.jobs.extend(units::jobs(host));
    Ok(facts)
}

/// The files of a folder that can be read, by name.
fn files(host: &dyn Host, folder: &str) -> Result<Vec<(String, Vec<u8>)>, HostError> {
    let names = host.list(folder)?;
    // cron(8) and run-parts(8) pass over names with other characters, such as those of backups.
    let plain =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let counted = |name: &String| plain(name) || folder == USER_TABLES;
    let paths = names.into_iter().filter(counted).take(MOST_FILES).map(|name| format!("{folder}/{name}"));
    Ok(paths.filter_map(|path| Some((path.clone(), host.read(&path).ok()?))).collect())
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
