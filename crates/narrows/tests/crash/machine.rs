//! Values of the whole machine, put back whatever happens.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::faults::{Attempt, FaultError, LastWill, Result, report_left_behind};

/// A value that is what it was when this is dropped, or when the tests are killed.
pub(crate) struct Restored {
    path: PathBuf,
    original: String,
    _last_will: LastWill,
}

impl Restored {
    /// Remembers the value of a file of the kernel.
    pub(crate) fn remember(path: &Path) -> Result<Self> {
        let original = fs::read_to_string(path).attempt(|| format!("read {}", path.display()))?;
        let c_path = CString::new(path.as_os_str().as_encoded_bytes()).attempt(|| "spell a path".into())?;
        let last_will = LastWill::write(&[], || {
            if let Ok(file) = rustix::fs::open(c_path.as_c_str(), OFlags::WRONLY, Mode::empty()) {
                let _ = rustix::io::write(file, original.as_bytes());
            }
        })?;
        Ok(Self { path: path.to_owned(), original, _last_will: last_will })
    }

    /// Changes it.
    pub(crate) fn set(&self, value: &str) -> Result<()> {
        fs::write(&self.path, value).attempt(|| format!("write {value} to {}", self.path.display()))
    }

    /// What it was.
    pub(crate) fn original(&self) -> &str {
        &self.original
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|now| now == self.original) {
            return;
        }
        if let Err(error) = fs::write(&self.path, &self.original) {
            report_left_behind(format!("{}: {error}", self.path.display()));
        }
    }
}

/// An interrupt whose CPUs can be chosen, the quietest of them that is not bound to the first CPU, and its name.
pub(crate) fn movable_interrupt() -> Result<(u32, String)> {
    let table = fs::read_to_string("/proc/interrupts").attempt(|| "read /proc/interrupts".into())?;
    let cpus = table.lines().next().map_or(0, |head| head.split_whitespace().count());
    let mut found: Vec<(u64, u32, String)> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let (number, rest) = line.split_once(':')?;
            let fields: Vec<_> = rest.split_whitespace().collect();
            let count = fields.iter().take(cpus).filter_map(|field| field.parse::<u64>().ok()).sum();
            Some((count, number.trim().parse().ok()?, (*fields.last()?).to_owned()))
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .find(|(_, number, _)| {
            let path = affinity_of(*number);
            let now = fs::read_to_string(&path).unwrap_or_default();
            now.trim() != "0" && fs::write(&path, &now).is_ok()
        })
        .map(|(_, number, name)| (number, name))
        .ok_or_else(|| FaultError::new("no interrupt of this machine lets its CPUs be chosen"))
}

/// The file with the CPUs of an interrupt.
pub(crate) fn affinity_of(interrupt: u32) -> PathBuf {
    PathBuf::from(format!("/proc/irq/{interrupt}/smp_affinity_list"))
}
