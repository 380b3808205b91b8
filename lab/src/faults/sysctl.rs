use std::ffi::CString;
use std::fs;

use rustix::fs::{Mode, OFlags};

use super::child::LastWill;
use super::{Attempt, Result, report_left_behind};

/// A sysctl of the whole machine, changed until dropped.
pub struct ChangedSysctl {
    path: String,
    original: String,
    _last_will: LastWill,
}

impl ChangedSysctl {
    /// Sets `name`, such as `net/core/netdev_max_backlog`, and remembers what it was.
    pub fn set(name: &str, value: &str) -> Result<Self> {
        let path = format!("/proc/sys/{name}");
        let original = fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
        let c_path = CString::new(path.clone()).attempt(|| format!("spell {path}"))?;
        let last_will = LastWill::write(&[], || {
            if let Ok(file) = rustix::fs::open(c_path.as_c_str(), OFlags::WRONLY, Mode::empty()) {
                let _ = rustix::io::write(file, original.as_bytes());
            }
        })?;
        fs::write(&path, value).attempt(|| format!("write {value} to {path}"))?;
        Ok(Self { path, original, _last_will: last_will })
    }
}

impl Drop for ChangedSysctl {
    fn drop(&mut self) {
        let restored = fs::write(&self.path, &self.original);
        if let Err(error) = restored.attempt(|| format!("restore {} to {}", self.path, self.original.trim()))
        {
            report_left_behind(error);
        }
    }
}
