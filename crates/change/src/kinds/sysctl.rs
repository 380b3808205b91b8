//! A kernel parameter below `/proc/sys`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use conf::SysctlKey;
use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use super::namespace::{boot_lines_in, read_in, within, written_in};
use super::{cpu_set, kernel_file};
use crate::{Action, ChangeError, Kind, State};

/// Parameters of which one must be 0: setting one sets the other to 0. An amount first, then a share. Writing 0 to
/// the amount is refused with EINVAL or means "none", so that a pair is set by the one that is not 0
/// (Documentation/admin-guide/sysctl/vm.rst; `dirty_ratio_handler` and its like in the kernel's mm).
const PAIRS: [[&str; 2]; 3] = [
    ["vm.dirty_bytes", "vm.dirty_ratio"],
    ["vm.dirty_background_bytes", "vm.dirty_background_ratio"],
    ["vm.overcommit_kbytes", "vm.overcommit_ratio"],
];

/// A kernel parameter below `/proc/sys`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sysctl {
    /// The key, spelled as sysctl.d(5) allows: with dots, or with slashes where a name in it has dots.
    pub key: String,
    /// The network namespace it belongs to; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Sysctl {
    fn dotted(&self) -> String {
        SysctlKey::new(&self.key).to_string()
    }

    /// The two that change together, where it is one of them.
    pub(crate) fn pair(&self) -> Option<[&'static str; 2]> {
        let key = self.dotted();
        PAIRS.into_iter().find(|pair| pair.contains(&key.as_str()))
    }

    /// What to write where for a state: one parameter, of a pair the one that is not 0.
    fn assignment<'a>(&'a self, state: &'a State) -> Result<(&'a str, &'a str), ChangeError> {
        let Some(pair @ [amount, share]) = self.pair() else {
            return Ok((&self.key, kernel_file::value_of(&self.key, state)?));
        };
        let attempted = || format!("write {amount} and {share}");
        let State::Values { values } = state else {
            let why =
                format!("they change together, and this is not the state of both: {}", state.fingerprint());
            return Err(ChangeError::new(attempted(), why));
        };
        let [of_amount, of_share] = pair.map(|key| values.get(key).map_or("0", String::as_str));
        match (is_zero(of_amount), is_zero(of_share)) {
            (false, true) => Ok((amount, of_amount)),
            (true, _) => Ok((share, of_share)),
            (false, false) => Err(ChangeError::new(attempted(), "one of the two must be 0")),
        }
    }
}

impl Kind for Sysctl {
    fn name(&self) -> String {
        self.dotted()
    }

    fn read(&self) -> Result<State, ChangeError> {
        read_in(within(self.namespace.as_ref(), || match self.pair() {
            None => Ok(State::text(kernel_file::read(&self.key, &path(&self.key)?)?)),
            Some(pair) => {
                let mut values = BTreeMap::new();
                for key in pair {
                    values.insert(key.to_owned(), kernel_file::read(key, &path(key)?)?);
                }
                Ok(State::Values { values })
            }
        }))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let work = || {
            let (key, value) = self.assignment(state)?;
            match self.pair() {
                Some([amount, share]) if key == share && is_zero(value) => write_zeros(amount, share),
                _ => write_value(key, value),
            }
        };
        written_in(&self.name(), within(self.namespace.as_ref(), work))
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let value = kernel_file::value_to_set(&self.key, now, action)?;
        let Some(pair @ [amount, share]) = self.pair() else { return Ok(State::text(value)) };
        let key = self.dotted();
        if key == amount && is_zero(value) {
            return Err(ChangeError::new(
                format!("set {key} to 0"),
                "0 means that the other of the pair counts",
            )
            .help(format!("set {share} instead")));
        }
        let of = |each: &str| if each == key { value.to_owned() } else { "0".to_owned() };
        Ok(State::Values { values: pair.map(|each| (each.to_owned(), of(each))).into() })
    }

    fn normal(&self, state: &State) -> State {
        let key = self.dotted();
        kernel_file::respelled(state, |value| {
            let value = kernel_file::single_blanks(value);
            respelled(&key, &value).unwrap_or(value)
        })
    }

    /// On the way to a pair of zeros the share is 1 for an instant.
    fn is_between(&self, now: &State, original: &State, wanted: &State) -> bool {
        let Some([amount, share]) = self.pair() else { return false };
        let pair = |of_share: &str| State::Values {
            values: [(amount, "0"), (share, of_share)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        };
        *now == pair("1") && [original, wanted].contains(&&pair("0"))
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let line = self.line(to);
        match &self.namespace {
            None => line.into_iter().collect(),
            Some(namespace) => line.map(|line| namespace.shell(&line, false)).into_iter().collect(),
        }
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        let namespace = self.namespace.as_ref()?;
        Some(boot_lines_in(Some(namespace), &self.key, self.line(to).into_iter().collect()))
    }
}

impl Sysctl {
    fn line(&self, to: &State) -> Option<String> {
        let (key, value) = self.assignment(to).ok()?;
        Some(kernel_file::line(&path(key).ok()?, value))
    }
}

/// The file of a key.
fn path(key: &str) -> Result<PathBuf, ChangeError> {
    let normal = SysctlKey::new(key);
    let names = || normal.as_path().split(|byte| *byte == b'/');
    let refused = |why: &str| ChangeError::new(format!("find the kernel parameter {key:?}"), why);
    if normal.is_empty() || names().any(|name| name == b"..") || normal.as_path().contains(&0) {
        return Err(refused("it is no name of a parameter"));
    }
    if normal.is_glob() {
        return Err(refused("it is a pattern").help("name one parameter"));
    }
    Ok(Path::new("/proc/sys").join(OsStr::from_bytes(normal.as_path())))
}

fn write_value(key: &str, value: &str) -> Result<(), ChangeError> {
    let helps = [
        (libc::EINVAL, "the kernel takes other values for it: see the documentation of the parameter"),
        (libc::ENOENT, "this kernel has no such parameter or value, or its module is not loaded"),
    ];
    kernel_file::write(key, &path(key)?, value).map_err(|error| kernel_file::help_on(error, &helps))
}

/// Both of a pair to 0. The kernel takes the amount to 0 when the share changes, so a share that is 0 already has to
/// change twice.
fn write_zeros(amount: &str, share: &str) -> Result<(), ChangeError> {
    write_value(share, "0")?;
    if is_zero(&kernel_file::read(amount, &path(amount)?)?) {
        return Ok(());
    }
    write_value(share, "1")?;
    write_value(share, "0")
}

fn is_zero(value: &str) -> bool {
    value.trim().parse() == Ok(0_u64)
}

/// Values of parameters that the kernel gives back in its own spelling. `None` where it gives what it was given.
fn respelled(key: &str, value: &str) -> Option<String> {
    match key {
        "net.ipv4.ip_local_reserved_ports" => cpu_set::list(value),
        "net.core.flow_limit_cpu_bitmap" => cpu_set::mask(value),
        "net.core.rps_sock_flow_entries" => kernel_file::power_of_two(value),
        "net.ipv4.tcp_allowed_congestion_control" => {
            let mut names: Vec<_> = value.split(' ').collect();
            names.sort_unstable();
            Some(names.join(" "))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "sysctl_tests.rs"]
mod tests;
