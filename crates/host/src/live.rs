//! This machine, now.

use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::ask::sql::Databases;
use crate::foreign::{Ask, ForeignReader};
use crate::kernel::{
    self, Ethtool, KernelError, Link, Listener, Listeners, ModuleState, Qdisc, TcpTable, proc_net_tcp,
    proc_net_unix,
};
use crate::{Clock, FILE_LIMIT_BYTES, FolderEntry, Host, HostError, Kind, Question};

/// This machine. Reading it changes nothing: no module is loaded, nothing is mounted, no network mount is touched.
#[derive(Debug, Default)]
pub struct LiveHost {
    foreign: Mutex<ForeignReader>,
    listeners: Mutex<Option<Listeners>>,
    tcp_diag_would_load: OnceLock<bool>,
    databases: Databases,
}

impl LiveHost {
    /// This machine, seen from the namespaces of the calling process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says as whom to talk to database servers, and which of them to ask beside those that run here.
    #[must_use]
    pub fn with_logins(self, logins: database::Logins) -> Self {
        Self { databases: Databases::new(logins), ..self }
    }

    /// Where asking `sock_diag` would load a module, `/proc/net` says almost as much: no backlog, and no `tcp_info`.
    fn listeners_from_proc(&self) -> Result<Vec<Listener>, HostError> {
        let mut listeners = proc_net_tcp::listeners(&self.read("/proc/net/tcp")?).answer;
        if let Ok(tcp6) = self.read("/proc/net/tcp6") {
            listeners.extend(proc_net_tcp::listeners(&tcp6).answer);
        }
        if let Ok(unix) = self.read("/proc/net/unix") {
            listeners.extend(proc_net_unix::listeners(&unix).answer);
        }
        Ok(listeners)
    }

    fn ask_reader(&self, ask: Ask, path: &str) -> Result<Vec<u8>, HostError> {
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner).ask(ask, path)
    }
}

/// Whether the kernel itself answers for a path. It does not for what lies in a process's folders, as seen by the process.
fn is_kernels(path: &str) -> bool {
    let of_a_process = |rest: &str| {
        matches!(rest.split('/').nth(1), Some("root" | "cwd")) && rest.split('/').nth(2).is_some()
    };
    path.strip_prefix("/proc/").is_some_and(|rest| !of_a_process(rest))
        || path.starts_with("/sys/")
        || path == "/proc"
        || path == "/sys"
}

fn failed(path: &str, errno: rustix::io::Errno) -> HostError {
    HostError::from_errno(path, errno.raw_os_error())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Host for LiveHost {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        if !is_kernels(path) {
            buffer.extend_from_slice(&self.ask_reader(Ask::File, path)?);
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(path, errno))?;
        crate::read_all(path, &file, FILE_LIMIT_BYTES, buffer)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let mut names: Vec<String> = if is_kernels(path) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(path, errno))?;
            let entries = rustix::fs::Dir::read_from(folder).map_err(|errno| failed(path, errno))?;
            let names = entries.filter_map(|entry| Some(text(entry.ok()?.file_name().to_bytes())));
            names.filter(|name| name != "." && name != "..").collect()
        } else {
            let bytes = self.ask_reader(Ask::Directory, path)?;
            bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(text).collect()
        };
        names.sort_unstable();
        Ok(names)
    }

    fn list_kinds(&self, path: &str) -> Result<Vec<FolderEntry>, HostError> {
        let bytes = self.ask_reader(Ask::Kinds, path)?;
        let entry = |entry: &[u8]| {
            let (kind, name) = entry.split_first()?;
            Some(FolderEntry { name: text(name), kind: Kind::of(kind.saturating_sub(1)) })
        };
        let mut entries: Vec<_> = bytes.split(|byte| *byte == 0).filter_map(entry).collect();
        entries.sort_unstable();
        Ok(entries)
    }

    fn link(&self, path: &str) -> Result<String, HostError> {
        if !is_kernels(path) {
            return self.ask_reader(Ask::Link, path).map(|target| text(&target));
        }
        let target = rustix::fs::readlink(path, Vec::new()).map_err(|errno| failed(path, errno))?;
        Ok(text(target.to_bytes()))
    }

    fn ask(&self, question: &Question) -> Result<Vec<u8>, HostError> {
        crate::ask::ask(question, &self.databases)
    }

    fn named_databases(&self) -> Vec<String> {
        self.databases.named()
    }

    fn read_end(&self, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        if is_kernels(path) {
            let reason = "a file of the kernel has no end that could be read alone".to_owned();
            return Err(HostError::Unsupported { path: path.to_owned(), reason });
        }
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner).ask_end(path, most_bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "nanoseconds since boot fit 53 bits for 104 days to 1 ns")]
    fn clock(&self) -> Clock {
        let seconds = |time: rustix::time::Timespec| time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
        Clock {
            monotonic_s: seconds(clock_gettime(ClockId::Monotonic)),
            unix_s: Some(seconds(clock_gettime(ClockId::Realtime))),
        }
    }

    fn is_root(&self) -> Option<bool> {
        Some(rustix::process::geteuid().is_root())
    }

    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        let mut open = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            match Listeners::open(false) {
                Ok(listeners) => *open = Some(listeners),
                Err(KernelError::WouldLoadModule { .. }) => return self.listeners_from_proc(),
                Err(error) => return Err(asked("sock_diag", &error)),
            }
        }
        let Some(listeners) = open.as_mut() else { return self.listeners_from_proc() };
        listeners.read().map_err(|error| asked("sock_diag", &error))
    }

    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        let would_load = || kernel::diag_state().tcp == ModuleState::WouldLoad;
        if *self.tcp_diag_would_load.get_or_init(would_load) {
            let tcp6 = self.read("/proc/net/tcp6").unwrap_or_default();
            return Ok(proc_net_tcp::tcp_table(&self.read("/proc/net/tcp")?, &tcp6, ephemeral).answer);
        }
        kernel::tcp_table(ephemeral, true).map_err(|error| asked("sock_diag", &error))
    }

    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        kernel::qdiscs().map_err(|error| asked("rtnetlink", &error))
    }

    fn links(&self) -> Result<Vec<Link>, HostError> {
        kernel::links().map_err(|error| asked("rtnetlink", &error))
    }

    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        kernel::ethtool(interface).map_err(|error| asked(&format!("ethtool {interface}"), &error))
    }
}

fn asked(query: &str, error: &KernelError) -> HostError {
    let path = query.to_owned();
    match error {
        KernelError::Permission { .. } => HostError::Permission { path },
        KernelError::Unsupported { .. } | KernelError::WouldLoadModule { .. } => {
            HostError::Unsupported { path, reason: error.to_string() }
        }
        KernelError::Malformed { .. } | KernelError::Io { .. } => {
            HostError::Io { path, reason: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_and_other_files_are_read() {
        let host = LiveHost::new();
        assert!(host.value("/proc/uptime").unwrap().contains('.'));
        assert!(host.list("/proc").unwrap().contains(&"stat".to_owned()));
        assert!(host.link("/proc/self/exe").unwrap().starts_with('/'));
        assert!(host.value("/etc/passwd").unwrap().starts_with("root:"));
        assert!(host.list("/etc").unwrap().contains(&"passwd".to_owned()));
    }

    #[test]
    fn a_folder_tells_what_its_names_are_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("a.php"), "x").unwrap();
        std::os::unix::fs::symlink("b", folder.path().join("c")).unwrap();
        let path = folder.path().display().to_string();
        let found = LiveHost::new().list_kinds(&path).unwrap();
        let entry = |name: &str, kind| FolderEntry { name: name.to_owned(), kind };
        assert_eq!(found, [entry("a.php", Kind::File), entry("b", Kind::Folder), entry("c", Kind::Link)]);
        assert!(LiveHost::new().list_kinds("/no-such-folder").is_err());
    }

    #[test]
    fn what_a_process_sees_is_no_file_of_the_kernels() {
        assert!(
            is_kernels("/proc/7/stat") && is_kernels("/proc/7/root") && is_kernels("/proc/sys/kernel/root")
        );
        assert!(!is_kernels("/proc/7/root/etc/passwd") && !is_kernels("/proc/7/cwd/a"));
        let through = format!("/proc/{}/root/etc/passwd", std::process::id());
        assert!(LiveHost::new().value(&through).unwrap().starts_with("root:"));
    }

    #[test]
    fn a_path_that_does_not_exist_says_so() {
        let host = LiveHost::new();
        for path in ["/proc/no-such-file", "/no-such-file"] {
            assert_eq!(host.read(path), Err(HostError::NotFound { path: path.to_owned() }));
        }
    }
}
