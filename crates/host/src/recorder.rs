//! Records what is read of a host as a tree, which [`crate::Tree`] opens again.
//!
//! Everything that is asked of the host is written below one folder per instant, laid out as `/`. A file that has not
//! changed since the instant before is not written again. Secrets are taken out on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use crate::{Clock, FolderEntry, Host, HostError, Question, redact};

/// Folders whose entries count even when nothing in them is read: a host with no interface but `lo`, an idle disk.
const DEVICE_FOLDERS: [&str; 2] = ["/sys/class/net", "/sys/block"];

/// A host that writes down all it answers.
#[derive(Debug)]
pub struct Recorder<H> {
    host: H,
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    instant: usize,
    written: HashMap<String, u64>,
    links: BTreeMap<String, String>,
    files: u64,
    failed: Option<HostError>,
}

/// What was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Folders of instants.
    pub instants: usize,
    /// Files and links written.
    pub files: u64,
}

impl<H: Host> Recorder<H> {
    /// Records into a directory, which must be empty or not exist.
    ///
    /// # Errors
    /// When the directory holds something already, or cannot be made.
    pub fn create(root: &Path, host: H) -> Result<Self, HostError> {
        let shown = root.display().to_string();
        std::fs::create_dir_all(root).map_err(|error| HostError::from_io(&shown, &error))?;
        let mut entries = std::fs::read_dir(root).map_err(|error| HostError::from_io(&shown, &error))?;
        if entries.next().is_some() {
            let reason = "it is not empty; name a new directory".to_owned();
            return Err(HostError::Io { path: shown, reason });
        }
        let recorder = Self { host, root: root.to_owned(), state: Mutex::default() };
        recorder.begin(0)?;
        Ok(recorder)
    }

    /// Begins an instant, and writes down when.
    ///
    /// # Errors
    /// When the folder of the instant cannot be written.
    pub fn begin(&self, instant: usize) -> Result<(), HostError> {
        self.locked().instant = instant;
        self.answer("clock", &self.host.clock());
        match self.locked().failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn finish(&self) -> Result<Recorded, HostError> {
        let links = self.locked().links.clone();
        let last = std::mem::take(&mut self.locked().instant);
        self.answer("symlinks", &links);
        let mut state = self.locked();
        state.instant = last;
        match state.failed.take() {
            Some(error) => Err(error),
            None => Ok(Recorded { instants: state.instant + 1, files: state.files }),
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: serde::Serialize>(&self, name: &str, answer: &T) {
        if let Ok(mut json) = serde_json::to_vec_pretty(answer) {
            json.push(b'\n');
            self.write(&format!("/.narrows/{name}.json"), &json);
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let mut state = self.locked();
        let hash = hash(bytes);
        if !crate::tree::of_a_process(path) && state.written.get(path) == Some(&hash) {
            return;
        }
        let place = self.root.join(state.instant.to_string()).join(path.trim_start_matches('/'));
        let folder = place.parent().map_or(Ok(()), std::fs::create_dir_all);
        match folder.and_then(|()| std::fs::write(&place, bytes)) {
            Ok(()) => {
                state.written.insert(path.to_owned(), hash);
                state.files += 1;
            }
            Err(error) => {
                state.failed.get_or_insert(HostError::from_io(&place.display().to_string(), &error));
            }
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl<H: Host> Host for Recorder<H> {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        let start = buffer.len();
        self.host.read_into(path, buffer)?;
        let read = buffer.get(start..).unwrap_or_default();
        self.write(path, &redact::file(path, read));
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let names = self.host.list(path)?;
        if DEVICE_FOLDERS.contains(&path) {
            let place = self.root.join(self.locked().instant.to_string()).join(path.trim_start_matches('/'));
            names.iter().for_each(|name| drop(std::fs::create_dir_all(place.join(name))));
        }
        Ok(names)
    }

    fn list_kinds(&self, path: &str) -> Result<Vec<FolderEntry>, HostError> {
        let name = format!("folders{}", path.trim_end_matches('/'));
        self.host.list_kinds(path).inspect(|entries| self.answer(&name, entries))
    }

    fn link(&self, path: &str) -> Result<String, HostError> {
        let target = self.host.link(path)?;
        self.locked().links.insert(path.to_owned(), target.clone());
        Ok(target)
    }

    fn read_end(&self, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        let bytes = self.host.read_end(path, most_bytes)?;
        self.write(path, &redact::log(&bytes));
        Ok(bytes)
    }

    fn ask(&self, question: &Question) -> Result<Vec<u8>, HostError> {
        let answer = self.host.ask(question).inspect(|answer| self.write(&question.place(), answer));
        if let (Err(HostError::Refused { code, reason, .. }), Question::Sql { .. }) = (&answer, question) {
            let refusal = serde_json::json!({"refused": {"code": code, "reason": reason}});
            self.write(&question.place(), refusal.to_string().as_bytes());
        }
        answer
    }

    fn named_databases(&self) -> Vec<String> {
        let named = self.host.named_databases();
        if !named.is_empty() {
            self.answer("databases", &named);
        }
        named
    }

    fn clock(&self) -> Clock {
        self.host.clock()
    }

    fn is_root(&self) -> Option<bool> {
        self.host.is_root()
    }

    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.host.listeners().inspect(|answer| self.answer("listeners", answer))
    }

    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.host.tcp_table(ephemeral).inspect(|answer| self.answer("tcp", answer))
    }

    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.host.qdiscs().inspect(|answer| self.answer("qdiscs", answer))
    }

    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.host.links().inspect(|answer| self.answer("links", answer))
    }

    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.host.ethtool(interface).inspect(|answer| self.answer(&format!("ethtool/{interface}"), answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;

    #[test]
    fn what_was_recorded_reads_the_same() {
        let mut tree = Tree::in_memory(2);
        tree.put(0, "/proc/loadavg", "1");
        tree.put(0, "/proc/sys/kernel/hostname", "web");
        tree.put(1, "/proc/loadavg", "2");
        tree.put_link(0, "/sys/class/net/eth0/device", "../../../virtio0");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        for instant in 0..2 {
            let recorder = match instant {
                0 => Recorder::create(&root, tree.at(0)).unwrap(),
                _ => Recorder { host: tree.at(1), root: root.clone(), state: Mutex::default() },
            };
            recorder.begin(instant).unwrap();
            recorder.value("/proc/loadavg").unwrap();
            recorder.value("/proc/sys/kernel/hostname").unwrap();
            recorder.link("/sys/class/net/eth0/device").unwrap();
            recorder.finish().unwrap();
        }
        let again = Tree::open(&root).unwrap();
        assert_eq!(again.instants(), 2);
        assert_eq!(again.at(1).value("/proc/loadavg").unwrap(), "2");
        assert_eq!(again.at(1).value("/proc/sys/kernel/hostname").unwrap(), "web");
        assert_eq!(again.at(1).link("/sys/class/net/eth0/device").unwrap(), "../../../virtio0");
        assert!(Recorder::create(&root, tree.at(0)).is_err());
    }

    #[test]
    fn the_end_of_a_log_is_recorded_without_query_strings() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/uptime", "1 1");
        tree.put(0, "/var/log/nginx/access.log", "torn\n\"GET /a?token=1 HTTP/1.1\" 200\n");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        let recorder = Recorder::create(&root, tree.at(0)).unwrap();
        let end = recorder.read_end("/var/log/nginx/access.log", 30).unwrap();
        assert_eq!(end, b"\"GET /a?token=1 HTTP/1.1\" 200\n".as_slice());
        recorder.finish().unwrap();
        let again = Tree::open(&root).unwrap().at(0).read("/var/log/nginx/access.log").unwrap();
        assert_eq!(again, b"\"GET /a?redacted HTTP/1.1\" 200\n".as_slice());
    }

    #[test]
    fn what_a_folder_says_of_its_names_is_recorded_though_no_file_is() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/var/www/index.php", "<?php");
        tree.put(0, "/var/www/lib/a.php", "<?php");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        let recorder = Recorder::create(&root, tree.at(0)).unwrap();
        let live = recorder.list_kinds("/var/www").unwrap();
        recorder.finish().unwrap();
        let kinds: Vec<_> = live.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        assert_eq!(kinds, [("index.php", crate::Kind::File), ("lib", crate::Kind::Folder)]);
        assert_eq!(Tree::open(&root).unwrap().at(0).list_kinds("/var/www").unwrap(), live);
        assert!(!root.join("0/var/www").exists());
    }

    #[test]
    fn what_lies_behind_a_link_is_recorded_inside_the_tree() {
        let mut tree = Tree::in_memory(1);
        tree.put_link(0, "/sys/class/net/eth0/device", "../../../0000:00:02.0/virtio0");
        tree.put_link(0, "/sys/class/net/eth0/device/driver", "../../bus/virtio/drivers/virtio_net");
        tree.put(0, "/sys/class/net/eth0/device/numa_node", "0");
        tree.put_link(0, "/sys/outside", "/../../../etc");
        tree.put(0, "/sys/outside/passwd", "x");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        let recorder = Recorder::create(&root, tree.at(0)).unwrap();
        for link in ["/sys/class/net/eth0/device", "/sys/class/net/eth0/device/driver", "/sys/outside"] {
            recorder.link(link).unwrap();
        }
        recorder.value("/sys/class/net/eth0/device/numa_node").unwrap();
        recorder.value("/sys/outside/passwd").unwrap();
        recorder.finish().unwrap();
        let again = Tree::open(&root).unwrap().at(0);
        let driver = again.link("/sys/class/net/eth0/device/driver").unwrap();
        assert_eq!(driver, "../../bus/virtio/drivers/virtio_net");
        assert_eq!(again.value("/sys/class/net/eth0/device/numa_node").unwrap(), "0");
        assert_eq!(again.value("/sys/outside/passwd").unwrap(), "x");
        assert!(!root.join("0/etc").exists(), "nothing is written through a link");
    }
}
