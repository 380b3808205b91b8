//! A kernel module, loaded or not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::kernel_file;
use crate::shell::quoted;
use crate::{Action, ChangeError, Kind, State};

const LOADED: &str = "loaded";

/// A kernel module, loaded or not. One that is part of the kernel itself counts as loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Module {
    /// The module.
    pub name: String,
}

impl Module {
    /// Whether the kernel has it: as a module, or as a part that has parameters, or as one of `modules.builtin`.
    fn is_loaded(&self) -> Result<bool, ChangeError> {
        Ok(kernel_file::below("/sys/module", &[&folder(&self.name)])?.is_dir() || self.is_builtin())
    }

    /// Whether it is part of the kernel itself (modules.builtin of depmod(8)). `false` where that is not known.
    fn is_builtin(&self) -> bool {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let file = Path::new("/lib/modules").join(release.trim()).join("modules.builtin");
        let list = fs::read_to_string(file).unwrap_or_default();
        lists(&list, &self.name)
    }

    /// Whether anything uses it: other modules, connections, mounts. `false` where that is not known.
    fn is_used(&self) -> bool {
        let count = fs::read_to_string(Path::new("/sys/module").join(folder(&self.name)).join("refcnt"));
        count.is_ok_and(|count| count.trim() != "0")
    }

    fn load(&self) -> Result<(), ChangeError> {
        let attempted = format!("load the kernel module {}", self.name);
        modprobe(&attempted, &["--", &self.name]).map_err(|error| {
            error.help("the kernel's package must have it, and kernel.modules_disabled must be 0")
        })
    }

    fn unload(&self) -> Result<(), ChangeError> {
        let attempted = format!("unload the kernel module {}", self.name);
        modprobe(&attempted, &["-r", "--", &self.name]).map_err(|error| {
            if self.is_used() {
                error.help("it is in use and stays until its last user ends; then run: modprobe -r")
            } else {
                error.help("it stays until the next boot, which does not load it again")
            }
        })
    }
}

impl Kind for Module {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self) -> Result<State, ChangeError> {
        Ok(if self.is_loaded()? { State::text(LOADED) } else { State::Absent })
    }

    /// Loads the module with what it needs, or unloads it with what then is not used any more (modprobe(8)).
    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let loaded = self.is_loaded()?;
        match state {
            State::Absent if !loaded => Ok(()),
            State::Absent => self.unload(),
            _ if kernel_file::value_of(&self.name, state)? != LOADED => Err(ChangeError::new(
                format!("change the kernel module {}", self.name),
                "it can only be loaded",
            )),
            _ if loaded => Ok(()),
            _ => self.load(),
        }
    }

    fn wanted(&self, _now: &State, action: &Action) -> Result<State, ChangeError> {
        match action {
            Action::Load => Ok(State::text(LOADED)),
            _ => Err(ChangeError::new(
                format!("change the kernel module {}", self.name),
                "it can only be loaded",
            )),
        }
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let unload = if *to == State::Absent { "-r " } else { "" };
        vec![format!("modprobe {unload}-- {}", quoted(&self.name))]
    }

    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

/// The name of a module's folder in `/sys/module`, where `-` is `_`.
pub(super) fn folder(module: &str) -> String {
    module.replace('-', "_")
}

/// Whether `modules.builtin` names a module: one path a line, such as `kernel/net/ipv4/tcp_cubic.ko`.
fn lists(builtin: &str, module: &str) -> bool {
    let names = builtin.lines().filter_map(|path| path.rsplit('/').next()?.strip_suffix(".ko"));
    names.into_iter().any(|name| folder(name) == folder(module))
}

fn modprobe(attempted: &str, arguments: &[&str]) -> Result<(), ChangeError> {
    let found = ["/sbin/modprobe", "/usr/sbin/modprobe"].into_iter().find(|path| Path::new(path).exists());
    let Some(program) = found else {
        return Err(ChangeError::new(attempted, "there is no modprobe").help("apt-get install kmod"));
    };
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = output.map_err(|error| ChangeError::io(attempted, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = kernel_file::single_blanks(&String::from_utf8_lossy(&output.stderr));
    let why = if said.is_empty() { format!("modprobe: {}", output.status) } else { said };
    Err(ChangeError::new(attempted, why))
}

#[cfg(test)]
#[path = "module_tests.rs"]
mod tests;
