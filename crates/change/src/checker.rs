//! Which program checks a configuration file before its service takes it up, and what it says.

use std::time::Duration;

use conf::SysctlDocument;

use crate::kinds::File;
use crate::program::{Ran, lines_that_matter, plain, run};
use crate::{ChangeError, Kind, State};

/// How long a checker may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What checks a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checker {
    /// `nginx -t`. Where they are missing it makes its log files and an empty file for its process's number, as at a
    /// start.
    Nginx,
    /// `php-fpm -t` of a version, such as `8.2`; without one where the system has a single `php-fpm`.
    PhpFpm {
        /// The version in the program's name.
        version: Option<String>,
    },
    /// `php -l`, which parses a file and runs nothing of it.
    Php {
        /// The file.
        path: String,
    },
    /// `haproxy -c`.
    Haproxy {
        /// Whether the service reads `/etc/haproxy/conf.d` too, as on Red Hat's systems.
        folder: bool,
    },
    /// `mariadbd --help --verbose`, which reads the option files and ends; `mysqld --validate-config` of MySQL 8.
    Database,
    /// `systemd-analyze verify` of a unit.
    Systemd {
        /// The unit.
        unit: String,
        /// The file of the unit that is changed.
        path: String,
    },
    /// `findmnt --verify`.
    Fstab,
    /// Our own reading of sysctl.d(5): no program checks such files without writing to the kernel.
    Sysctl {
        /// The file.
        path: String,
    },
}

/// What a check that found nothing wrong is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The program found nothing wrong.
    Passed,
    /// The program is not installed; nothing was checked.
    NotInstalled,
}

/// What checks the file of an absolute path; `None` for files that no program checks.
pub fn checker_of(path: &str) -> Option<Checker> {
    let below = |folder: &str| path.strip_prefix(folder)?.strip_prefix('/');
    if below("/etc/nginx").is_some() {
        return Some(Checker::Nginx);
    }
    if let Some(rest) = below("/etc/php") {
        let (version, rest) = rest.split_once('/')?;
        let fpm = rest.starts_with("fpm/") || rest.starts_with("mods-available/");
        return fpm.then(|| Checker::PhpFpm { version: Some(version.to_owned()) });
    }
    if path == "/etc/php-fpm.conf" || below("/etc/php-fpm.d").is_some() {
        return Some(Checker::PhpFpm { version: None });
    }
    if below("/etc/haproxy").is_some() {
        return Some(Checker::Haproxy { folder: below("/etc/haproxy/conf.d").is_some() });
    }
    if path == "/etc/my.cnf" || below("/etc/mysql").is_some() || below("/etc/my.cnf.d").is_some() {
        return Some(Checker::Database);
    }
    if let Some(rest) = below("/etc/systemd/system") {
        return unit_of(rest).map(|unit| Checker::Systemd { unit, path: path.to_owned() });
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "wp-config.php" || below("/etc/wordpress").is_some_and(|name| name.ends_with(".php")) {
        return Some(Checker::Php { path: path.to_owned() });
    }
    match path {
        "/etc/fstab" => Some(Checker::Fstab),
        "/etc/sysctl.conf" => Some(Checker::Sysctl { path: path.to_owned() }),
        _ => below("/etc/sysctl.d").map(|_| Checker::Sysctl { path: path.to_owned() }),
    }
}

/// The unit that a file below `/etc/systemd/system` belongs to: itself, or the one whose drop-in it is. Drop-ins for
/// all units of a type or of a prefix (systemd.unit(5)) belong to no single one.
fn unit_of(rest: &str) -> Option<String> {
    const TYPES: [&str; 10] =
        ["service", "socket", "timer", "mount", "automount", "swap", "slice", "scope", "path", "target"];
    let is_unit = |name: &&str| {
        name.rsplit_once('.')
            .is_some_and(|(stem, kind)| TYPES.contains(&kind) && !stem.is_empty() && !stem.ends_with('-'))
    };
    let unit = match rest.split_once('/') {
        None => Some(rest),
        Some((folder, file)) if file.ends_with(".conf") => folder.strip_suffix(".d"),
        Some(_) => None,
    };
    unit.filter(is_unit).map(str::to_owned)
}

impl Checker {
    /// Runs the check.
    ///
    /// # Errors
    /// When it finds something wrong, does not end within 20 seconds, or cannot be run though it is there.
    pub fn run(&self) -> Result<CheckOutcome, ChangeError> {
        self.run_after(Some(&[]))
    }

    /// Runs the check after a change, and holds nothing against the change that was wrong before it. `before` is what
    /// [`Checker::complaints`] gave then.
    ///
    /// # Errors
    /// As [`Checker::run`]; and when the program stops at the first fault and found one before, because then it has
    /// not read the change.
    pub fn run_after(&self, before: Option<&[String]>) -> Result<CheckOutcome, ChangeError> {
        let Some(after) = self.complaints()? else { return Ok(CheckOutcome::NotInstalled) };
        let before = before.unwrap_or_default();
        let attempted = format!("check with {}", self.command().join(" "));
        if !before.is_empty() && !self.reads_on() {
            let why = format!("it found a fault before the change already: {}", shown(before));
            return Err(ChangeError::new(attempted, why).help("mend that first"));
        }
        let known: Vec<_> = before.iter().map(|line| without_place(line)).collect();
        let new: Vec<_> = after.into_iter().filter(|line| !known.contains(&without_place(line))).collect();
        if new.is_empty() { Ok(CheckOutcome::Passed) } else { Err(ChangeError::new(attempted, shown(&new))) }
    }

    /// What the check finds wrong, line by line; `None` when its program is not installed.
    ///
    /// # Errors
    /// When it does not end within 20 seconds, or cannot be run though it is there.
    pub fn complaints(&self) -> Result<Option<Vec<String>>, ChangeError> {
        if let Self::Sysctl { path } = self {
            return unread_lines(path).map(Some);
        }
        let mut words = self.command();
        if *self == Self::Database {
            match database_command()? {
                Some(command) => words = command,
                None => return Ok(None),
            }
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        Ok(match run(&words, DEADLINE)? {
            Ran::NotInstalled => None,
            Ran::Ended { status, output } => Some(self.faults(status.success(), &output)),
        })
    }

    /// The words of the command, for people too.
    pub fn command(&self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match self {
            Self::Nginx => words(&["nginx", "-t"]),
            Self::PhpFpm { version } => {
                words(&[&format!("php-fpm{}", version.as_deref().unwrap_or_default()), "-t"])
            }
            Self::Php { path } => words(&["php", "-l", path]),
            Self::Haproxy { folder: false } => words(&["haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"]),
            Self::Haproxy { folder: true } => {
                words(&["haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg", "-f", "/etc/haproxy/conf.d"])
            }
            Self::Database => words(&["mariadbd", "--help", "--verbose"]),
            Self::Systemd { unit, .. } => words(&["systemd-analyze", "verify", "--man=no", unit]),
            Self::Fstab => words(&["findmnt", "--verify", "--tab-file", "/etc/fstab"]),
            Self::Sysctl { path } => words(&["narrows's own reading of", path]),
        }
    }

    /// Whether the check reads on after a fault, so that what it finds before and after a change can be compared.
    pub(crate) fn reads_on(&self) -> bool {
        matches!(self, Self::Systemd { .. } | Self::Fstab | Self::Sysctl { .. })
    }

    /// What an output holds against the configuration. Not every program says by its exit status what it ignores.
    fn faults(&self, success: bool, output: &str) -> Vec<String> {
        let ignored: Vec<String> = match self {
            Self::Systemd { path, .. } => {
                output.lines().filter(|line| line.contains(path.as_str())).map(plain).collect()
            }
            Self::Fstab => fstab_faults(output),
            // An option file that cannot be read as one: `error: Wrong group definition in config file`.
            Self::Database => output.lines().filter(|line| line.starts_with("error:")).map(plain).collect(),
            _ => vec![],
        };
        if success || !ignored.is_empty() {
            return ignored;
        }
        let marks: &[&str] = match self {
            Self::Nginx => &["[emerg]", "[alert]", "[crit]", "[error]"],
            Self::PhpFpm { .. } => &["ERROR:", "ALERT:"],
            Self::Php { .. } => &["PHP Parse error", "PHP Fatal error"],
            Self::Haproxy { .. } => &["[ALERT]"],
            Self::Database => &["[ERROR]"],
            Self::Systemd { .. } | Self::Fstab | Self::Sysctl { .. } => &[""],
        };
        let lines = lines_that_matter(output, |line| marks.iter().any(|mark| line.contains(mark)));
        if lines.is_empty() { vec!["it failed and did not say why".to_owned()] } else { lines }
    }
}

/// The first faults, as one line.
fn shown(faults: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = faults.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// The errors of findmnt(8), each with its mount point. Its warnings are common and hold nothing up at boot.
fn fstab_faults(output: &str) -> Vec<String> {
    let mut faults = vec![];
    let mut mount_point = "";
    for line in output.lines() {
        if let Some(error) = line.trim_start().strip_prefix("[E]") {
            faults.push(plain(&format!("{mount_point}:{error}")));
        } else if line.contains("parse error at line") {
            faults.push(plain(line));
        } else if !line.starts_with(char::is_whitespace) {
            mount_point = line.trim();
        }
    }
    faults
}

fn unread_lines(path: &str) -> Result<Vec<String>, ChangeError> {
    let State::File(file) = (File { path: path.to_owned() }).read()? else { return Ok(vec![]) };
    let document = SysctlDocument::new(path, file.contents.0);
    let complaint = |line: &conf::UnreadLine| {
        let text =
            String::from_utf8_lossy(document.document().get(line.span).unwrap_or_default()).into_owned();
        plain(&format!("line {} has no effect: {text}", line.line))
    };
    Ok(document.unread().iter().map(complaint).collect())
}

/// The command of the server that is installed. MariaDB before 10.5 and MySQL both call theirs `mysqld`.
fn database_command() -> Result<Option<Vec<String>>, ChangeError> {
    let command = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    if let Ran::Ended { .. } = run(&["mariadbd", "--version"], DEADLINE)? {
        return Ok(command(&["mariadbd", "--help", "--verbose"]));
    }
    Ok(match run(&["mysqld", "--version"], DEADLINE)? {
        Ran::NotInstalled => None,
        Ran::Ended { output, .. } if output.contains("MariaDB") => {
            command(&["mysqld", "--help", "--verbose"])
        }
        // MySQL 8.0.16 and later; it refuses to run as root otherwise (reference manual, "Server Configuration Validation").
        Ran::Ended { .. } => command(&["mysqld", "--validate-config", "--user=mysql"]),
    })
}

/// A complaint without the line numbers in it (`line 3`, `file:3:`), since a change moves lines.
fn without_place(complaint: &str) -> String {
    let mut text = String::with_capacity(complaint.len());
    for character in complaint.chars() {
        if !(character.is_ascii_digit() && (text.ends_with("line ") || text.ends_with(':'))) {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
