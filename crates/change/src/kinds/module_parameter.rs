//! A parameter of a loaded module: `/sys/module/MODULE/parameters/PARAMETER`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::kernel_file;
use super::module::folder;
use crate::{Action, ChangeError, Kind, State};

/// A parameter of a loaded module: `/sys/module/MODULE/parameters/PARAMETER`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModuleParameter {
    /// The module.
    pub module: String,
    /// The parameter.
    pub parameter: String,
}

impl ModuleParameter {
    fn path(&self) -> Result<PathBuf, ChangeError> {
        kernel_file::below("/sys/module", &[&folder(&self.module), "parameters", &self.parameter])
    }

    /// Whether the module has any parameters now. Without them there is nothing to read or to write.
    fn is_loaded(&self) -> Result<bool, ChangeError> {
        Ok(kernel_file::below("/sys/module", &[&folder(&self.module)])?.is_dir())
    }
}

impl Kind for ModuleParameter {
    fn name(&self) -> String {
        format!("{}.{}", self.module, self.parameter)
    }

    fn read(&self) -> Result<State, ChangeError> {
        let path = self.path()?;
        if !self.is_loaded()? {
            return Ok(State::Absent);
        }
        kernel_file::read(&self.name(), &path).map(State::text)
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let path = self.path()?;
        if *state == State::Absent && !self.is_loaded()? {
            return Ok(());
        }
        let value = kernel_file::value_of(&self.name(), state)?;
        let attempted = || format!("write {value} to {}", self.name());
        let found = fs::metadata(&path).map_err(|error| {
            ChangeError::io(attempted(), &error).help("the module is not loaded, or has no such parameter")
        })?;
        // Root may open such a file for writing on some kernels, and learns only then that it is refused.
        if found.permissions().mode() & 0o222 == 0 {
            return Err(ChangeError::new(
                attempted(),
                "the module takes this parameter only when it is loaded",
            )
            .help("set it in /etc/modprobe.d; it holds from the next load of the module, or the next boot"));
        }
        let helps = [
            (libc::EINVAL, "the module does not take this value"),
            (libc::ERANGE, "the value is out of range"),
        ];
        // A text parameter keeps every byte, the newline too.
        kernel_file::write_bare(&self.name(), &path, value)
            .map_err(|error| kernel_file::help_on(error, &helps))
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        if *now == State::Absent {
            return Err(ChangeError::new(format!("set {}", self.name()), "its module is not loaded")
                .help("a line in /etc/modprobe.d sets it when the module is loaded"));
        }
        kernel_file::value_to_set(&self.name(), now, action).map(State::text)
    }

    /// Booleans read as `Y` and `N` and may be written as `1` and `0` (`param_get_bool` in the kernel's params.c).
    fn normal(&self, state: &State) -> State {
        kernel_file::respelled(state, |value| match value.trim() {
            "Y" | "y" => "1".to_owned(),
            "N" | "n" => "0".to_owned(),
            other => kernel_file::single_blanks(other),
        })
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let line = || {
            let value = kernel_file::value_of(&self.name(), to).ok()?;
            Some(kernel_file::line_bare(&self.path().ok()?, value))
        };
        line().into_iter().collect()
    }

    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

#[cfg(test)]
#[path = "module_parameter_tests.rs"]
mod tests;
