//! The number of queues of a network interface.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interface::{Place, number};
use super::namespace::within_sysfs;
use super::{NetworkNamespace, channels_beside};
use crate::ethtool::{self, Structure, Values};
use crate::{Action, ChangeError, Kind, State};

/// As ethtool(8) spells them, in the order of `struct ethtool_channels`.
const NAMES: [&str; 4] = ["rx", "tx", "other", "combined"];
const COMBINED: &str = "combined";

/// The number of queues of a network interface.
///
/// Its state is the number of each kind of queue that the device can have: `combined` (pairs), `rx`, `tx`, `other`.
/// It is set to `4` (pairs), or to `rx=2 tx=2` where the driver counts the directions apart. Writing resets the
/// interface with most drivers, and gives interrupts, steering and the disciplines below an `mq` their defaults. So a
/// state that was read holds interrupts and steering too; they are given back with it, and are in no comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Channels {
    /// The network interface.
    pub interface: String,
    /// The network namespace of the interface; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Channels {
    fn place(&self) -> Place<'_> {
        Place { interface: &self.interface, namespace: self.namespace.as_ref() }
    }

    /// The values, in the namespace of the caller.
    fn values_here(&self, attempted: &str) -> Result<Values, ChangeError> {
        ethtool::get(&self.interface, Structure::Channels).map_err(|error| match error.raw_os_error() {
            Some(libc::EOPNOTSUPP) => ChangeError {
                errno: Some(libc::EOPNOTSUPP),
                ..ChangeError::new(attempted, "its driver does not tell its queues")
            },
            _ => ChangeError::io(attempted, &error),
        })
    }

    fn write_here(&self, attempted: &str, wanted: &BTreeMap<String, String>) -> Result<(), ChangeError> {
        let before = self.values_here(attempted)?;
        let mut values = before;
        for ((name, count), most) in NAMES.into_iter().zip(&mut values.now).zip(before.most) {
            if let Some(value) = wanted.get(name) {
                *count = checked(attempted, name, value, most)?;
            }
        }
        if values == before {
            return Ok(());
        }
        ethtool::set(&self.interface, Structure::Channels, &values).map_err(|error| {
            ChangeError::io(attempted, &error).help(format!(
                "the driver may allow other numbers only, or its flow table may use a queue that would go: \
                 see `dmesg` and `ethtool -x {}`",
                self.interface
            ))
        })
    }
}

impl Kind for Channels {
    fn name(&self) -> String {
        self.place().name("channels")
    }

    fn read(&self) -> Result<State, ChangeError> {
        let attempted = format!("read {}", self.name());
        let values = self.place().visit(&attempted, |_| self.values_here(&attempted))?;
        let Some(values) = values else { return Ok(State::Absent) };
        let beside = within_sysfs(self.namespace.as_ref(), || Ok(channels_beside::read(&self.interface)))?;
        let counts = NAMES.into_iter().zip(values.most).zip(values.now);
        let values: BTreeMap<_, _> = counts
            .filter(|((_, most), _)| *most != 0)
            .map(|((name, _), now)| (name.to_owned(), now.to_string()))
            .collect();
        let known = !values.is_empty();
        let values = values.into_iter().chain(beside.unwrap_or_default()).collect();
        match known {
            false => Err(ChangeError::new(attempted, "its driver does not tell its queues")),
            true => Ok(State::Values { values }),
        }
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let State::Values { values } = state else {
            return Err(ChangeError::new(format!("write {}", self.name()), "channels are several numbers"));
        };
        let attempted = format!("write {} to {}", spelled(values, "="), self.name());
        self.place().change(&attempted, |_| self.write_here(&attempted, values))?;
        within_sysfs(self.namespace.as_ref(), || channels_beside::write(&self.interface, values)).map(drop)
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let attempted = format!("change {}", self.name());
        let Action::Set { value } = action else {
            return Err(ChangeError::new(attempted, "channels are only set to numbers"));
        };
        let State::Values { values: now } = now else {
            return Err(ChangeError::new(attempted, format!("there is no interface {}", self.interface)));
        };
        let mut wanted = now.clone();
        // The driver spreads interrupts over the new queues; the old CPUs belong to the old queues.
        wanted.retain(|name, _| !channels_beside::is_beside(name));
        for (name, count) in assignments(&attempted, value, now)? {
            let Some(into) = wanted.get_mut(name) else {
                return Err(ChangeError::new(attempted, format!("the device has no {name} channels"))
                    .help(format!("it has {}", spelled(now, "="))));
            };
            *into = number(&attempted, count)?.to_string();
        }
        Ok(State::Values { values: wanted })
    }

    fn check(&self, wanted: &State) -> Result<(), ChangeError> {
        let attempted = format!("change {}", self.name());
        let State::Values { values: wanted } = wanted else { return Ok(()) };
        let Ok(Some(values)) = self.place().visit(&attempted, |_| self.values_here(&attempted)) else {
            return Ok(());
        };
        for (name, most) in NAMES.into_iter().zip(values.most) {
            if let Some(value) = wanted.get(name) {
                checked(&attempted, name, value, most)?;
            }
        }
        Ok(())
    }

    /// No channels of a kind, and a kind that the device does not have, mean the same.
    fn normal(&self, state: &State) -> State {
        let State::Values { values } = state else { return state.clone() };
        let values = values
            .iter()
            .map(|(name, value)| {
                let count = value.trim().parse::<u32>();
                (name.clone(), count.map_or_else(|_| value.trim().to_owned(), |count| count.to_string()))
            })
            .filter(|(name, value)| value != "0" && !channels_beside::is_beside(name))
            .collect();
        State::Values { values }
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let State::Values { values } = to else { return vec![] };
        let numbers = spelled(values, " ");
        let words: Vec<_> =
            ["ethtool", "-L", &self.interface].into_iter().chain(numbers.split(' ')).collect();
        vec![self.place().line(&words)]
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        Some(self.place().at_boot(self.shell(to)))
    }
}

/// `4`, or `rx=2 tx=2`, as names and numbers.
fn assignments<'a>(
    attempted: &str,
    value: &'a str,
    now: &BTreeMap<String, String>,
) -> Result<Vec<(&'a str, &'a str)>, ChangeError> {
    if !value.contains('=') {
        if now.contains_key(COMBINED) {
            return Ok(vec![(COMBINED, value)]);
        }
        return Err(ChangeError::new(attempted, "the device counts its queues by direction")
            .help(format!("say it as {}", spelled(now, "="))));
    }
    value
        .split_whitespace()
        .map(|word| {
            word.split_once('=')
                .ok_or_else(|| ChangeError::new(attempted, format!("`{word}` has no =; say it as rx=2 tx=2")))
        })
        .collect()
}

fn checked(attempted: &str, name: &str, value: &str, most: u32) -> Result<u32, ChangeError> {
    let count = number(attempted, value)?;
    if count <= most {
        return Ok(count);
    }
    Err(ChangeError::new(attempted, format!("the device takes at most {most} {name} channels"))
        .help("on a virtual machine, ask the hypervisor for more queues"))
}

fn spelled(values: &BTreeMap<String, String>, between: &str) -> String {
    let counts = values.iter().filter(|(name, _)| !channels_beside::is_beside(name));
    counts.map(|(name, value)| format!("{name}{between}{value}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "channels_tests.rs"]
mod tests;
