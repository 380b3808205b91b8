//! The files of sysctl.d(5): which of them decides a parameter at boot, and where an edit ends the matter.

use std::sync::Arc;

use conf::{Effective, SysctlDocument, SysctlFile, SysctlKey, SysctlOrder, order_sysctls};
use host::{Host, HostError};
use model::Edit;

use super::{Claim, Place, claim_of_managed_file, read_file, resolve};
use crate::ChangeError;

/// The file in which narrows keeps the parameters that no one else sets.
const OURS: &str = "/etc/sysctl.d/90-narrows.conf";
/// The directories of sysctl.d(5), the one that masks the others first.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// The files of a host that set kernel parameters at boot.
#[derive(Debug, Clone, Default)]
pub(super) struct SysctlFiles {
    files: Vec<(String, Vec<u8>)>,
}

impl SysctlFiles {
    /// Reads them all. `/etc/sysctl.conf` counts through the link in `/etc/sysctl.d` that distributions make for it.
    ///
    /// # Errors
    /// When one is there and cannot be read: who wins could not be told.
    pub(super) fn read(host: &dyn Host) -> Result<Self, ChangeError> {
        let mut files = Vec::new();
        for directory in DIRECTORIES {
            let names = match host.list(directory) {
                Ok(names) => names,
                Err(HostError::NotFound { .. }) => continue,
                Err(error) => {
                    return Err(ChangeError::new(format!("list {directory}"), error.to_string())
                        .help("run as root; which file sets a kernel parameter cannot be told without it"));
                }
            };
            for name in names.iter().filter(|name| name.ends_with(".conf")) {
                let path = format!("{directory}/{name}");
                if let Some(bytes) = read_file(host, &path)? {
                    files.push((path, bytes));
                }
            }
        }
        Ok(Self { files })
    }

    /// The edits after which a parameter has a value at boot, on one line of one file.
    ///
    /// The line of an administrator that decides today is edited where it stands, and a line of ours beside it is taken
    /// out. Else our file gets the line, unless a file that is read later would win over it.
    ///
    /// # Errors
    /// The claim of whoever decides and must not be edited.
    pub(super) fn place(&self, host: &dyn Host, key: &str, value: &str) -> Result<Place, Claim> {
        let wanted = SysctlKey::new(key);
        let today = self.order(None).effective(&wanted).filter(|today| today.by_glob.is_none());
        match today.filter(|today| today.file.starts_with("/etc/") && &*today.file != OURS) {
            Some(admins) => self.edit_of_admins_line(host, &admins, value),
            None => self.edit_of_ours(&wanted, value),
        }
    }

    fn edit_of_admins_line(&self, host: &dyn Host, admins: &Effective, value: &str) -> Result<Place, Claim> {
        let (file, key) = (&*admins.file, admins.key.to_string());
        let place = format!("{file}:{}", admins.line);
        if admins.value.is_none() {
            let because = format!("{place} keeps every file of sysctl.d from setting {key}");
            return Err(Claim::new(because, &place, "take that line out, then plan again"));
        }
        let bytes = self.bytes(file);
        if let Some(claim) = claim_of_managed_file(file, bytes) {
            return Err(Claim { owner: Some(place), ..claim });
        }
        let path = resolve(host, file);
        if !path.starts_with("/etc/") {
            let because = format!("{file}, which sets {key}, is a link to {path}, outside /etc");
            return Err(Claim::new(because, place, "set it in whatever makes that file"));
        }
        let edit = |line| Edit::Sysctl { key: key.clone(), value: Some(value.to_owned()), line };
        let line = u32::try_from(admins.line).ok().filter(|_| times(file, bytes, &admins.key) > 1);
        let mut edits = vec![(path, vec![edit(line)])];
        if times(OURS, self.bytes(OURS), &admins.key) > 0 {
            edits.push((OURS.to_owned(), vec![Edit::Sysctl { key, value: None, line: None }]));
        }
        Ok(edits)
    }

    fn edit_of_ours(&self, key: &SysctlKey, value: &str) -> Result<Place, Claim> {
        let mut ours = self.bytes(OURS).to_vec();
        ours.extend_from_slice(format!("\n{key} = {value}\n").as_bytes());
        let winner = self.order(Some(&ours)).effective(key);
        if let Some(winner) = winner.filter(|winner| &*winner.file != OURS) {
            let (file, place) = (&winner.file, format!("{}:{}", winner.file, winner.line));
            let name = file.rsplit('/').next().unwrap_or_default();
            return Err(Claim::new(
                format!("{place} sets {key}, is read after {OURS} and would win at boot"),
                place,
                format!("copy {file} to /etc/sysctl.d/{name}, which hides it, and set {key} there"),
            ));
        }
        let edit = Edit::Sysctl { key: key.to_string(), value: Some(value.to_owned()), line: None };
        Ok(vec![(OURS.to_owned(), vec![edit])])
    }

    /// What the files say, with other contents of ours.
    fn order(&self, ours: Option<&[u8]>) -> SysctlOrder {
        let others = self.files.iter().filter(|(path, _)| ours.is_none() || path != OURS);
        let mut files: Vec<_> = others.map(|(path, bytes)| SysctlFile { path, bytes }).collect();
        files.extend(ours.map(|bytes| SysctlFile { path: OURS, bytes }));
        order_sysctls(&files)
    }

    fn bytes(&self, file: &str) -> &[u8] {
        self.files.iter().find(|(path, _)| path == file).map_or(&[], |(_, bytes)| bytes)
    }
}

/// On how many lines of a file a parameter stands.
fn times(file: &str, bytes: &[u8], key: &SysctlKey) -> usize {
    let document = SysctlDocument::new(Arc::from(file), bytes);
    document.entries().iter().filter(|entry| entry.key == *key).count()
}
