//! Packet steering of a queue: RPS, RFS or XPS.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use super::namespace::{boot_lines_in, read_in, within_sysfs, written_in};
use super::{cpu_set, kernel_file};
use crate::{Action, ChangeError, Kind, State};

const FOLDER: &str = "/sys/class/net";

/// Packet steering of a queue: RPS, RFS or XPS (Documentation/networking/scaling.rst).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PacketSteering {
    /// The file below `/sys/class/net`: `rps_cpus` or `rps_flow_cnt` of a receive queue, `xps_cpus` or `xps_rxqs` of a
    /// transmit queue, such as `eth0/queues/rx-0/rps_cpus`.
    pub path: String,
    /// The network namespace of the interface; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl PacketSteering {
    fn file(&self) -> Result<PathBuf, ChangeError> {
        let names: Vec<_> = self.path.split('/').collect();
        let numbered = |queue: &str, kind: &str| {
            let number = queue.strip_prefix(kind).filter(|number| !number.is_empty());
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let known = match names.as_slice() {
            [_, "queues", queue, "rps_cpus" | "rps_flow_cnt"] => numbered(queue, "rx-"),
            [_, "queues", queue, "xps_cpus" | "xps_rxqs"] => numbered(queue, "tx-"),
            _ => false,
        };
        if !known {
            let why = "it is no file that steers packets";
            return Err(ChangeError::new(format!("find {} below {FOLDER}", self.path), why)
                .help("name one as INTERFACE/queues/rx-0/rps_cpus"));
        }
        kernel_file::below(FOLDER, &names)
    }

    /// The state in the kernel's spelling; `None` where it is none of this file's.
    fn spelled(&self, value: &str) -> Option<String> {
        // A table of flows has a power of two of entries (`store_rps_dev_flow_table_cnt`).
        if self.path.ends_with("/rps_flow_cnt") {
            kernel_file::power_of_two(value)
        } else {
            cpu_set::mask(value)
        }
    }

    fn line(&self, to: &State) -> Option<String> {
        let value = kernel_file::value_of(&self.path, to).ok()?;
        Some(kernel_file::line(&self.file().ok()?, value))
    }
}

impl Kind for PacketSteering {
    fn name(&self) -> String {
        self.path.clone()
    }

    fn read(&self) -> Result<State, ChangeError> {
        let path = self.file()?;
        let helps = [(libc::ENOENT, "an interface with one transmit queue has nothing to steer")];
        read_in(within_sysfs(self.namespace.as_ref(), || {
            let value = kernel_file::read(&self.path, &path);
            // The file is there and its content is refused: XPS of a single queue.
            let value = if path.exists() {
                value.map_err(|error| kernel_file::help_on(error, &helps))
            } else {
                value
            };
            Ok(State::text(value?))
        }))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let path = self.file()?;
        let value = kernel_file::value_of(&self.path, state)?;
        let helps = [
            (libc::EINVAL, "no CPU in the mask may do this work: see isolcpus= and nohz_full="),
            (libc::EOVERFLOW, "the mask names more CPUs or queues than there can be"),
        ];
        let work = || {
            kernel_file::write(&self.path, &path, value).map_err(|error| kernel_file::help_on(error, &helps))
        };
        written_in(&self.path, within_sysfs(self.namespace.as_ref(), work))
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let value = kernel_file::value_to_set(&self.path, now, action)?;
        self.spelled(value).map(State::text).ok_or_else(|| {
            let attempted = format!("set {} to {value:?}", self.path);
            ChangeError::new(attempted, "it holds a mask such as `f0` or, of flows, a number")
        })
    }

    fn normal(&self, state: &State) -> State {
        kernel_file::respelled(state, |value| {
            self.spelled(value).unwrap_or_else(|| kernel_file::single_blanks(value))
        })
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let line = self.line(to);
        match &self.namespace {
            None => line.into_iter().collect(),
            Some(namespace) => line.map(|line| namespace.shell(&line, true)).into_iter().collect(),
        }
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        let lines = self.line(to).into_iter().collect();
        Some(boot_lines_in(self.namespace.as_ref(), &self.path, lines))
    }
}

#[cfg(test)]
#[path = "packet_steering_tests.rs"]
mod tests;
