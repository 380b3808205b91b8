//! What the web host was like before, to hold it against what it is like in the end.

use std::collections::BTreeMap;

use crate::faults::{Attempt, FaultError, Result};
use crate::site::{Etc, Site};

/// Every kernel parameter of the network that can be written, and every file of `/etc`.
pub(super) struct State {
    parameters: BTreeMap<String, String>,
    etc: Etc,
}

impl State {
    /// Reads it.
    pub(super) fn of(host: &Site) -> Result<Self> {
        Ok(Self { parameters: parameters(host)?, etc: host.etc()? })
    }

    /// How many parameters and files are as they were; an error that names the others.
    pub(super) fn compare(&self, host: &Site) -> Result<(usize, usize)> {
        let now = Self::of(host)?;
        let mut moved: Vec<String> = self
            .parameters
            .iter()
            .filter(|(key, value)| now.parameters.get(*key) != Some(value))
            .map(|(key, _)| key.clone())
            .collect();
        let files = self.etc.keys().chain(now.etc.keys());
        moved.extend(
            files
                .filter(|path| self.etc.get(*path) != now.etc.get(*path))
                .map(|path| path.display().to_string()),
        );
        match moved.is_empty() {
            true => Ok((self.parameters.len(), self.etc.len())),
            false => Err(FaultError::new(format!("not as before: {}", moved.join(", ")))),
        }
    }
}

fn parameters(host: &Site) -> Result<BTreeMap<String, String>> {
    let output = host.command("sysctl").args(["--all", "--pattern", "^net\\."]).output();
    let output = output.attempt(|| "list kernel parameters with sysctl".to_owned())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    Ok(lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}
