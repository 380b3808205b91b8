//! Whether a `sock_diag` query would make the kernel load a module.
//!
//! `sock_diag` asks modprobe for a missing handler (`sock_load_diag_module` in kernel `net/core/sock_diag.c`),
//! whoever asks. Distribution kernels ship `tcp_diag` and `unix_diag` as modules. A module is
//! - loaded, if `/sys/module/NAME` exists or `/proc/modules` lists it;
//! - out of reach, if `/proc/modules` does not exist (`CONFIG_MODULES=n`), `/proc/sys/kernel/modules_disabled`
//!   is 1, or `/proc/sys/kernel/modprobe` is empty: asking is then harmless;
//! - built in, if `/lib/modules/RELEASE/modules.builtin` lists it;
//! - loadable otherwise. That errs on the safe side in a container without `/lib/modules`.

#![expect(
    clippy::disallowed_methods,
    reason = "asks about the running kernel itself, on pseudo file systems"
)]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::KernelError;

/// The modules that answer for TCP, outermost first.
const TCP_MODULES: [&str; 2] = ["tcp_diag", "inet_diag"];
const UNIX_MODULES: [&str; 1] = ["unix_diag"];

/// Says what asking for a module's service would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleState {
    /// Loaded: asking is harmless.
    Loaded,
    /// Part of the kernel image: asking is harmless.
    BuiltIn,
    /// Nothing can be loaded: asking is harmless, and the service may be missing.
    CannotLoad,
    /// Asking would load it.
    WouldLoad,
}

/// Says what asking for sockets would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagState {
    /// For TCP sockets: `tcp_diag` and `inet_diag`.
    pub tcp: ModuleState,
    /// For Unix sockets: `unix_diag`.
    pub unix: ModuleState,
}

/// Finds out whether socket queries would load kernel modules, without asking any.
#[must_use]
pub fn diag_state() -> DiagState {
    diag_state_under(Path::new("/"))
}

fn diag_state_under(root: &Path) -> DiagState {
    DiagState { tcp: worst(root, &TCP_MODULES), unix: worst(root, &UNIX_MODULES) }
}

/// Refuses a TCP query that would load a module.
pub(super) fn require_tcp(query: &str, allow_autoload: bool) -> Result<(), KernelError> {
    refuse(query, allow_autoload, &TCP_MODULES)
}

/// Refuses a Unix socket query that would load a module.
pub(super) fn require_unix(query: &str, allow_autoload: bool) -> Result<(), KernelError> {
    refuse(query, allow_autoload, &UNIX_MODULES)
}

fn refuse(query: &str, allow_autoload: bool, modules: &[&str]) -> Result<(), KernelError> {
    if allow_autoload {
        return Ok(());
    }
    match modules.iter().find(|module| module_state(Path::new("/"), module) == ModuleState::WouldLoad) {
        None => Ok(()),
        Some(&module) => {
            Err(KernelError::WouldLoadModule { query: query.to_owned(), module: module.to_owned() })
        }
    }
}

fn worst(root: &Path, modules: &[&str]) -> ModuleState {
    let states = modules.iter().map(|module| module_state(root, module));
    states.fold(ModuleState::BuiltIn, |worst, state| match (worst, state) {
        (ModuleState::BuiltIn, state) => state,
        (_, ModuleState::WouldLoad) => ModuleState::WouldLoad,
        (worst, _) => worst,
    })
}

fn module_state(root: &Path, module: &str) -> ModuleState {
    if root.join("sys/module").join(module).is_dir() {
        return ModuleState::Loaded;
    }
    let loaded = match fs::read_to_string(root.join("proc/modules")) {
        Ok(loaded) => loaded,
        Err(error) if error.kind() == ErrorKind::NotFound && kernel_setting(root, "osrelease").is_some() => {
            return ModuleState::CannotLoad;
        }
        Err(_) => String::new(),
    };
    if loaded.lines().any(|line| line.split(' ').next() == Some(module)) {
        return ModuleState::Loaded;
    }
    if kernel_setting(root, "modules_disabled").is_some_and(|value| value == "1")
        || kernel_setting(root, "modprobe").is_some_and(|value| value.is_empty())
    {
        return ModuleState::CannotLoad;
    }
    if is_built_in(root, module) { ModuleState::BuiltIn } else { ModuleState::WouldLoad }
}

fn kernel_setting(root: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(root.join("proc/sys/kernel").join(name)).ok()?;
    Some(text.trim().to_owned())
}

/// Lines of `modules.builtin` read `kernel/net/ipv4/tcp_diag.ko`.
fn is_built_in(root: &Path, module: &str) -> bool {
    let Some(release) = kernel_setting(root, "osrelease") else { return false };
    let folders = [root.join("lib/modules"), root.join("usr/lib/modules")];
    let mut lists =
        folders.iter().filter_map(|at| fs::read_to_string(at.join(&release).join("modules.builtin")).ok());
    lists.next().is_some_and(|list| {
        list.lines()
            .filter_map(|line| line.rsplit('/').next()?.strip_suffix(".ko"))
            .any(|name| name == module)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const DEBIAN: [(&str, &str); 3] = [
        ("proc/modules", "nf_tables 372736 0 - Live 0x0\n"),
        ("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n"),
        ("lib/modules/6.1.0-28-amd64/modules.builtin", "kernel/net/unix/unix.ko\n"),
    ];

    #[test]
    fn a_distribution_kernel_would_load_both() {
        let root = machine(&DEBIAN);
        let state = diag_state_under(root.path());
        assert_eq!(state, DiagState { tcp: ModuleState::WouldLoad, unix: ModuleState::WouldLoad });
    }

    #[test]
    fn tcp_is_ready_only_with_both_its_modules() {
        let root = machine(&DEBIAN);
        fs::write(root.path().join("proc/modules"), "tcp_diag 16384 0 - Live 0x0\n").unwrap();
        assert_eq!(diag_state_under(root.path()).tcp, ModuleState::WouldLoad);
        fs::create_dir_all(root.path().join("sys/module/inet_diag")).unwrap();
        assert_eq!(diag_state_under(root.path()).tcp, ModuleState::Loaded);
    }

    #[test]
    fn a_built_in_module_is_found_by_its_whole_name() {
        let root = machine(&DEBIAN);
        let list = root.path().join("lib/modules/6.1.0-28-amd64/modules.builtin");
        fs::write(&list, "kernel/net/unix/not_unix_diag.ko\n").unwrap();
        assert_eq!(diag_state_under(root.path()).unix, ModuleState::WouldLoad);
        fs::write(&list, "kernel/net/unix/unix_diag.ko\n").unwrap();
        assert_eq!(diag_state_under(root.path()).unix, ModuleState::BuiltIn);
    }

    #[test]
    fn a_kernel_that_loads_nothing_may_be_asked() {
        let without_modules = machine(&DEBIAN);
        fs::remove_file(without_modules.path().join("proc/modules")).unwrap();
        assert_eq!(diag_state_under(without_modules.path()).tcp, ModuleState::CannotLoad);
        let without_proc = tempfile::tempdir().unwrap();
        assert_eq!(diag_state_under(without_proc.path()).tcp, ModuleState::WouldLoad);
        for (setting, value) in [("modules_disabled", "1\n"), ("modprobe", "\n")] {
            let root = machine(&DEBIAN);
            fs::write(root.path().join("proc/sys/kernel").join(setting), value).unwrap();
            assert_eq!(diag_state_under(root.path()).tcp, ModuleState::CannotLoad, "{setting}");
        }
    }
}
