//! A database server with everything that the evidence says of it.

use model::{Layered, Missing, Observation};

use super::{Asked, Flavor, OptionLine, Server, ServerCounters, Version};
use crate::php_fpm::Setting;
use crate::{Evidence, services};

/// Where counters are read.
pub(crate) const STATUS: &str = "SHOW GLOBAL STATUS";
/// Where variables are read.
pub(crate) const VARIABLES: &str = "SHOW GLOBAL VARIABLES";

/// A server and the evidence around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) server: &'a Server,
    /// Whether it is the only one.
    alone: bool,
}

/// Every server, running or not.
///
/// # Errors
/// Why none was read.
pub(crate) fn servers(evidence: &Evidence) -> Result<Vec<View<'_>>, Missing> {
    let servers = &services::facts(&evidence.services.mysql)?.servers;
    let alone = servers.len() == 1;
    Ok(servers.iter().map(|server| View { evidence, server, alone }).collect())
}

impl<'a> View<'a> {
    /// `MariaDB 10.11.6`, with its address where there are several.
    pub(crate) fn name(&self) -> String {
        let flavor = match self.server.flavor {
            Flavor::MariaDb => "MariaDB",
            Flavor::MySql => "MySQL",
            Flavor::Percona => "Percona Server",
        };
        let version = self.server.version.map_or_else(String::new, |version| {
            format!(" {}.{}.{}", version.major, version.minor, version.patch)
        });
        match self.alone {
            true => format!("{flavor}{version}"),
            false => format!("{flavor}{version} at {}", self.server.address),
        }
    }

    /// Whether it runs: its process is here, or it answered.
    pub(crate) fn runs(&self) -> bool {
        self.is_here() || self.server.asked.facts().is_some()
    }

    /// Whether it runs on this host.
    pub(crate) fn is_here(&self) -> bool {
        self.server.process.is_some()
    }

    pub(crate) fn is_mariadb(&self) -> bool {
        self.server.flavor == Flavor::MariaDb
    }

    /// Whether its version is at least this; `None` where it is not known.
    pub(crate) fn since(&self, major: u32, minor: u32, patch: u32) -> Option<bool> {
        self.server.version.map(|version| version >= Version { major, minor, patch })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// Why it did not answer.
    pub(crate) fn asked(&self) -> Result<&'a Asked, Missing> {
        match &self.server.asked {
            Layered::Facts(asked) => Ok(asked),
            Layered::Unread(unread) => Err(unread.missing(&format!("what {} says of itself", self.name()))),
        }
    }

    /// What a part of its answers lacks: `connections`, `waits for locks` and the like, by the beginning of its name.
    fn lacks(&self, part: &str) -> Option<Missing> {
        let unread = &self.server.asked.facts()?.unread;
        let unread = unread.iter().find(|unread| unread.why.starts_with(part))?;
        Some(Missing::new(format!("{}: {}", self.name(), unread.why), unread.how_to_enable.clone()))
    }

    /// A part of what it says of itself.
    ///
    /// # Errors
    /// Why it did not answer, or not that.
    pub(crate) fn asked_for(&self, part: &str) -> Result<&'a Asked, Missing> {
        let asked = self.asked()?;
        self.lacks(part).map_or(Ok(asked), Err)
    }

    /// A variable as it is now, else as files set it.
    pub(crate) fn variable(&self, name: &str) -> Option<&'a str> {
        let asked = self.server.asked.facts().and_then(|asked| asked.variables.get(name));
        let own = || self.server.options.get(name).map(|setting| &setting.value);
        asked.or_else(own).map(String::as_str)
    }

    /// A variable that is a number; a suffix of an option file counts.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        number(self.variable(name)?)
    }

    /// A variable that is a number, and without which nothing is decided.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) fn needs(&self, name: &str) -> Result<f64, Missing> {
        if let Some(number) = self.number(name) {
            return Ok(number);
        }
        self.asked()?;
        Err(Missing::new(format!("{name} of {}", self.name()), "look at SHOW GLOBAL VARIABLES"))
    }

    /// Whether a variable is on.
    pub(crate) fn is_on(&self, name: &str) -> Option<bool> {
        let value = self.variable(name)?;
        Some(["ON", "1", "YES", "TRUE", ""].iter().any(|word| value.eq_ignore_ascii_case(word)))
    }

    /// Where a file sets a variable.
    pub(crate) fn setting(&self, name: &str) -> Option<&'a Setting> {
        self.server.options.get(name)
    }

    /// The line of a file that sets a variable, the last that counts.
    pub(crate) fn line(&self, name: &str) -> Option<&'a OptionLine> {
        let setting = self.setting(name);
        let lines = self.server.settings.iter().rev();
        let mut same = lines.filter(|line| line.name == name);
        match setting {
            Some(own) => same.find(|line| line.file == own.file && line.line == own.line),
            None => same.next(),
        }
    }

    fn counters(&self) -> Result<(&'a ServerCounters, &'a ServerCounters, f64), Missing> {
        let span = self.evidence.span(|reading| &reading.mysql)?;
        let own =
            |counters: &'a [ServerCounters]| counters.iter().find(|one| one.address == self.server.address);
        match (own(&span.first.servers), own(&span.last.servers)) {
            (Some(first), Some(last)) => match first.unread.as_ref().or(last.unread.as_ref()) {
                Some(unread) => Err(unread.missing(&format!("{STATUS} of {}", self.name()))),
                None => Ok((first, last, span.seconds)),
            },
            _ => {
                self.asked()?;
                Err(Missing::new(
                    format!("{STATUS} of {} at both ends of the window", self.name()),
                    "read the host again: the server came or went meanwhile",
                ))
            }
        }
    }

    /// The growth of a counter over the window.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) fn grown(&self, counter: &str) -> Result<f64, Missing> {
        let (first, last, _) = self.counters()?;
        let grown = first.status.get(counter).zip(last.status.get(counter)).map(|(first, last)| last - first);
        grown.filter(|grown| *grown >= 0.0).ok_or_else(|| {
            Missing::new(
                format!("{counter} in {STATUS} of {}", self.name()),
                "the server does not count it, or was restarted within the window: read it again",
            )
        })
    }

    /// The growth of a counter per second.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) fn per_s(&self, counter: &str) -> Result<f64, Missing> {
        let (_, _, seconds) = self.counters()?;
        Ok(self.grown(counter)? / seconds)
    }

    /// A number of the status at the end of the window.
    pub(crate) fn gauge(&self, name: &str) -> Option<f64> {
        let last = self.evidence.latest(|reading| &reading.mysql).ok()?;
        let own = last.servers.iter().find(|one| one.address == self.server.address);
        let counted = own.and_then(|own| own.status.get(name).copied());
        counted.or_else(|| self.server.asked.facts()?.status.get(name)?.parse().ok())
    }

    /// The least of a number of the status at both ends of the window: it was so much at both.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) fn at_least(&self, name: &str) -> Result<f64, Missing> {
        let (first, last, _) = self.counters()?;
        let both = first.status.get(name).zip(last.status.get(name)).map(|(first, last)| first.min(*last));
        both.ok_or_else(|| Missing::new(format!("{name} in {STATUS} of {}", self.name()), "read it again"))
    }

    /// A number that it says, as evidence.
    pub(crate) fn seen(&self, source: &str, field: &str, value: f64) -> Observation {
        Observation::new(self.source(source), field, value)
    }

    /// Where something was read, with the server where there are several.
    pub(crate) fn source(&self, source: &str) -> String {
        match self.alone {
            true => source.to_owned(),
            false => format!("{source} of {}", self.server.address),
        }
    }

    /// A variable as evidence: where a file sets it, else as the server says.
    pub(crate) fn seen_variable(&self, name: &str) -> Option<Observation> {
        let value = self.variable(name)?.to_owned();
        let place = self.setting(name).map_or_else(|| self.source(VARIABLES), Setting::place);
        Some(Observation::new(place, name, value))
    }
}

/// A number with the suffix of an option file.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => {
            let power = "kmgtpe".find(unit.to_ascii_lowercase())?;
            (text.get(..at)?, 1024_f64.powi(i32::try_from(power).ok()?.saturating_add(1)))
        }
        _ => (text, 1.0),
    };
    digits.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_option_files_have_suffixes_of_1024() {
        assert_eq!(
            ["48G", "4k", "1M", "200", "0.5"].map(number).map(Option::unwrap),
            [51_539_607_552.0, 4096.0, 1_048_576.0, 200.0, 0.5]
        );
        assert_eq!(["", "x", "ON", "4x", "inf"].map(number), [None; 5]);
    }
}
