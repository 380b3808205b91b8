//! Which line of fstab(5) mounts something, and whether it was written to.

use conf::{MountTable, MountTableDialect};
use host::Host;

use super::{Claim, claim_of_managed_file, file_text, read_file};

/// The line of fstab(5) that cloud-init writes carries it (`cc_mounts`).
const CLOUD_INIT: &str = "comment=cloudconfig";

/// The mounts of a host.
pub(crate) struct Mounts<'a> {
    host: &'a dyn Host,
}

impl<'a> Mounts<'a> {
    /// The mounts of a host.
    pub(crate) fn new(host: &'a dyn Host) -> Self {
        Self { host }
    }

    /// Makes sure that a line of `/etc/fstab` mounts it, which narrows may edit.
    ///
    /// # Errors
    /// The claim of who mounts it instead.
    pub(crate) fn fstab(&self, mount_point: &str) -> Result<(), Claim> {
        let bytes = read_file(self.host, "/etc/fstab").ok().flatten().unwrap_or_default();
        if let Some(claim) = claim_of_managed_file("/etc/fstab", &bytes) {
            return Err(claim);
        }
        let table = MountTable::new("/etc/fstab", bytes, MountTableDialect::Fstab);
        let entry = table.entries().iter().find(|entry| entry.mount_point == mount_point.as_bytes());
        let Some(entry) = entry else {
            return Err(Claim {
                because: format!(
                    "no line of /etc/fstab mounts {mount_point}, so nothing would keep it over a boot"
                ),
                owner: None,
                instead: format!(
                    "set the options where it is mounted from: a .mount unit, autofs or a script (`findmnt {mount_point}`)"
                ),
            });
        };
        let text = String::from_utf8_lossy(table.as_bytes()).into_owned();
        let line = text.lines().nth(entry.line.saturating_sub(1)).unwrap_or_default();
        if line.contains(CLOUD_INIT) {
            return Err(Claim::new(
                format!("cloud-init writes the line of /etc/fstab that mounts {mount_point}"),
                format!("/etc/fstab:{}", entry.line),
                "set the options under `mounts:` of cloud-init's configuration",
            ));
        }
        Ok(())
    }

    /// Whether something was written through an NFS mount since it was mounted; `None` where nothing tells.
    pub(crate) fn written(&self, mount_point: &str) -> Option<bool> {
        let text = file_text(self.host, "/proc/self/mountstats")?;
        let marker = format!(" mounted on {mount_point} with fstype nfs");
        let mut lines = text.lines().skip_while(|line| !line.contains(&marker)).skip(1);
        let own = lines.by_ref().take_while(|line| !line.starts_with("device "));
        let mut told = None;
        for line in own {
            if let Some(count) = line.trim().strip_prefix("WRITE:") {
                let writes = count.split_whitespace().next()?.parse::<u64>().ok()?;
                told = Some(writes > 0);
            }
        }
        told
    }
}
