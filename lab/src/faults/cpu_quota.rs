use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::child::Child;
use super::wait::wait_until;
use super::{Attempt, FaultError, Result, report_left_behind};

/// A tenth of the kernel's default period of 100 ms.
const QUOTA_US: u64 = 10_000;
const PERIOD_US: u64 = 100_000;

/// A process that would use a whole CPU and listens as a server does, in a control group, named as a service, whose quota is
/// a tenth of a CPU.
///
/// The kernel counts periods in which the quota ran out as `nr_throttled` in the group's `cpu.stat`.
pub struct CpuQuota {
    burner: Option<Child>,
    /// The group by each controller that has a hierarchy of its own; `cpu` first.
    folders: Vec<PathBuf>,
    unit: String,
}

impl CpuQuota {
    /// Makes the group and starts the process in it.
    pub fn start() -> Result<Self> {
        let unit = format!("narrows-quota-{}.service", std::process::id());
        let cgroup = Path::new("/sys/fs/cgroup");
        let folders = if cgroup.join("cgroup.controllers").exists() {
            let control = cgroup.join("cgroup.subtree_control");
            fs::write(&control, "+cpu").attempt(|| format!("write +cpu to {}", control.display()))?;
            vec![cgroup.join(&unit)]
        } else {
            ["cpu", "cpuacct"].map(|controller| cgroup.join(controller).join(&unit)).to_vec()
        };
        let mut quota = Self { burner: None, folders, unit };
        for folder in &quota.folders {
            fs::create_dir(folder).attempt(|| format!("make the control group {}", folder.display()))?;
        }
        quota.limit(QUOTA_US)?;
        let server =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).attempt(|| "listen as a server".to_owned())?;
        let burner = Child::fork(c"burner", &[], &[server.as_fd()], || {
            loop {
                std::hint::spin_loop();
            }
        })?;
        let pid = burner.pid().to_string();
        quota.burner = Some(burner);
        for folder in &quota.folders {
            let path = folder.join("cgroup.procs");
            fs::write(&path, &pid).attempt(|| format!("write {pid} to {}", path.display()))?;
        }
        wait_until("the quota running out", || Ok(quota.throttled()? >= 5))?;
        Ok(quota)
    }

    /// The unit of systemd that the group is named as.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Gives the group so many microseconds of CPU time in each period, as systemd does when it takes a drop-in up.
    pub fn limit(&self, microseconds: u64) -> Result<()> {
        let folder = self.folder()?;
        let (path, value) = match folder.join("cpu.max") {
            path if path.exists() => (path, format!("{microseconds} {PERIOD_US}")),
            _ => (folder.join("cpu.cfs_quota_us"), microseconds.to_string()),
        };
        fs::write(&path, &value).attempt(|| format!("write {value} to {}", path.display()))
    }

    /// Periods in which the quota ran out.
    pub fn throttled(&self) -> Result<u64> {
        self.counted("nr_throttled ")
    }

    /// Periods in which there was something to run.
    pub fn periods(&self) -> Result<u64> {
        self.counted("nr_periods ")
    }

    fn counted(&self, name: &str) -> Result<u64> {
        let path = self.folder()?.join("cpu.stat");
        let text = fs::read_to_string(&path).attempt(|| format!("read {}", path.display()))?;
        let count = text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
        count.ok_or_else(|| FaultError::new(format!("{} has no {name}", path.display())))
    }

    fn folder(&self) -> Result<&Path> {
        self.folders.first().map(PathBuf::as_path).ok_or_else(|| FaultError::new("no control group"))
    }
}

impl Drop for CpuQuota {
    fn drop(&mut self) {
        drop(self.burner.take());
        for folder in self.folders.iter().filter(|folder| folder.exists()) {
            let removed = wait_until("an empty control group", || Ok(fs::remove_dir(folder).is_ok()));
            if let Err(error) = removed {
                report_left_behind(format!("{}: {error}", folder.display()));
            }
        }
    }
}
