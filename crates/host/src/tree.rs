//! A host as a tree of files: a directory laid out as `/`, or the same in memory, at one or several instants.
//!
//! A directory that holds folders named `0`, `1`, `2` … is a tree of several instants; any other directory is a single
//! instant. A file that an instant does not hold is taken from the latest earlier instant that does, except below
//! `/proc/PID`: processes come and go. Answers that a live kernel gives over netlink lie as JSON below `/.narrows`:
//! `listeners.json`, `tcp.json`, `qdiscs.json`, `links.json`, `ethtool/INTERFACE.json`, `folders/PATH.json` (what a folder says of
//! the names in it) and `clock.json`; the targets of
//! symbolic links whose path is also a directory lie in `symlinks.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use crate::{Clock, FILE_LIMIT_BYTES, FolderEntry, Host, HostError, Kind};

mod directory;

/// What a tree holds at one path of one instant.
#[derive(Debug, Clone)]
enum Entry {
    File(Vec<u8>),
    Link(String),
}

#[derive(Debug)]
enum Store {
    Memory(Vec<BTreeMap<String, Entry>>),
    Directories(Vec<PathBuf>),
}

/// A recorded or built host at one or several instants.
#[derive(Debug, Clone)]
pub struct Tree {
    store: Arc<Store>,
}

/// A tree at one instant.
#[derive(Debug, Clone)]
pub struct TreeHost {
    store: Arc<Store>,
    instant: usize,
}

impl Tree {
    /// Opens a directory, of one instant or several.
    ///
    /// # Errors
    /// When the directory cannot be listed, or holds neither instants nor `/proc`.
    pub fn open(directory: &Path) -> Result<Self, HostError> {
        Ok(Self { store: Arc::new(Store::Directories(directory::instants(directory)?)) })
    }

    /// An empty tree in memory with room for instants.
    pub fn in_memory(instants: usize) -> Self {
        Self { store: Arc::new(Store::Memory(vec![BTreeMap::new(); instants.max(1)])) }
    }

    /// How many instants it holds.
    pub fn instants(&self) -> usize {
        match &*self.store {
            Store::Memory(instants) => instants.len(),
            Store::Directories(instants) => instants.len(),
        }
    }

    /// The host at one instant, counted from 0.
    pub fn at(&self, instant: usize) -> TreeHost {
        TreeHost { store: Arc::clone(&self.store), instant }
    }

    /// Puts a file into a tree in memory, adding instants as needed. Trees on disk are not written to.
    pub fn put(&mut self, instant: usize, path: &str, bytes: impl Into<Vec<u8>>) {
        self.insert(instant, path, Entry::File(bytes.into()));
    }

    /// Puts a symbolic link into a tree in memory.
    pub fn put_link(&mut self, instant: usize, path: &str, target: &str) {
        self.insert(instant, path, Entry::Link(target.to_owned()));
    }

    /// Takes a path out of every instant of a tree in memory.
    pub fn remove(&mut self, path: &str) {
        if let Some(Store::Memory(instants)) = Arc::get_mut(&mut self.store) {
            instants.iter_mut().for_each(|instant| {
                instant.remove(path);
            });
        }
    }

    fn insert(&mut self, instant: usize, path: &str, entry: Entry) {
        if let Some(Store::Memory(instants)) = Arc::get_mut(&mut self.store) {
            if instants.len() <= instant {
                instants.resize(instant + 1, BTreeMap::new());
            }
            if let Some(files) = instants.get_mut(instant) {
                files.insert(path.to_owned(), entry);
            }
        }
    }
}

/// Whether a path belongs to a process, whose files are not carried over from earlier instants.
pub(crate) fn of_a_process(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/proc/") else { return false };
    rest.split('/').next().is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()))
}

impl TreeHost {
    fn instants_for(&self, path: &str) -> impl Iterator<Item = usize> + use<> {
        let oldest = if of_a_process(path) { self.instant } else { 0 };
        (oldest..=self.instant).rev()
    }

    fn lookup(&self, path: &str) -> Result<Entry, HostError> {
        match &*self.store {
            Store::Memory(instants) => self
                .instants_for(path)
                .find_map(|instant| instants.get(instant)?.get(path).cloned())
                .ok_or_else(|| HostError::NotFound { path: path.to_owned() }),
            Store::Directories(instants) => {
                for instant in self.instants_for(path) {
                    let Some(root) = instants.get(instant) else { continue };
                    match directory::entry(root, path) {
                        Err(HostError::NotFound { .. }) => {}
                        found => return found,
                    }
                }
                Err(HostError::NotFound { path: path.to_owned() })
            }
        }
    }

    fn names(&self, instant: usize, path: &str) -> Option<Vec<String>> {
        match &*self.store {
            Store::Memory(instants) => {
                let prefix = format!("{}/", path.trim_end_matches('/'));
                let inside = instants.get(instant)?.range(prefix.clone()..);
                let names = inside.map_while(|(path, _)| path.strip_prefix(&prefix));
                let names: BTreeSet<_> = names.filter_map(|rest| rest.split('/').next()).collect();
                (!names.is_empty()).then(|| names.into_iter().map(str::to_owned).collect())
            }
            Store::Directories(instants) => directory::names(instants.get(instant)?, path),
        }
    }

    fn kind(&self, path: &str) -> Kind {
        match self.lookup(path) {
            Ok(Entry::File(_)) => Kind::File,
            Ok(Entry::Link(_)) => Kind::Link,
            Err(_) if self.list(path).is_ok() => Kind::Folder,
            Err(_) => Kind::Unknown,
        }
    }

    fn answer<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, HostError> {
        let path = format!("/.narrows/{name}.json");
        let bytes = self.read(&path)?;
        serde_json::from_slice(&bytes).map_err(|error| HostError::Malformed {
            path,
            line: error.line(),
            byte: byte_of(&bytes, error.line(), error.column()),
            wanted: error.to_string(),
        })
    }
}

fn byte_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let start =
        crate::text::lines(bytes).find(|(number, ..)| *number == line).map_or(0, |(_, start, _)| start);
    start + column.saturating_sub(1)
}

impl Host for TreeHost {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        match self.lookup(path)? {
            Entry::File(bytes) => {
                buffer.extend_from_slice(bytes.get(..FILE_LIMIT_BYTES).unwrap_or(&bytes));
                Ok(())
            }
            Entry::Link(target) => Err(HostError::Unsupported {
                path: path.to_owned(),
                reason: format!("it is a link to {target}, which the tree does not hold"),
            }),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let mut found = None::<BTreeSet<String>>;
        for instant in self.instants_for(path) {
            let Some(names) = self.names(instant, path) else { continue };
            let current = instant == self.instant;
            let kept = names.into_iter().filter(|name| current || !of_a_process(&format!("{path}/{name}")));
            found.get_or_insert_default().extend(kept);
        }
        match found {
            Some(names) => Ok(names.into_iter().collect()),
            None => Err(HostError::NotFound { path: path.to_owned() }),
        }
    }

    /// As recorded, or by what the tree holds.
    fn list_kinds(&self, path: &str) -> Result<Vec<FolderEntry>, HostError> {
        if let Ok(recorded) = self.answer(&format!("folders{}", path.trim_end_matches('/'))) {
            return Ok(recorded);
        }
        let names = self.list(path)?.into_iter();
        Ok(names.map(|name| FolderEntry { kind: self.kind(&format!("{path}/{name}")), name }).collect())
    }

    fn link(&self, path: &str) -> Result<String, HostError> {
        if let Ok(Entry::Link(target)) = self.lookup(path) {
            return Ok(target);
        }
        let recorded: BTreeMap<String, String> = self.answer("symlinks").unwrap_or_default();
        recorded.get(path).cloned().ok_or_else(|| HostError::NotFound { path: path.to_owned() })
    }

    fn clock(&self) -> Clock {
        if let Ok(clock) = self.answer::<Clock>("clock") {
            return clock;
        }
        let uptime = self.value("/proc/uptime").ok();
        let uptime = uptime
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .filter(|uptime: &f64| uptime.is_finite());
        Clock { monotonic_s: uptime.unwrap_or_default(), unix_s: None }
    }

    fn is_root(&self) -> Option<bool> {
        None
    }

    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.answer("listeners")
    }

    fn tcp_table(&self, _ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.answer("tcp")
    }

    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.answer("qdiscs")
    }

    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.answer("links")
    }

    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.answer(&format!("ethtool/{interface}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_carried_over_until_a_later_instant_replaces_it() {
        let mut tree = Tree::in_memory(3);
        tree.put(0, "/proc/loadavg", "0.1");
        tree.put(2, "/proc/loadavg", "9.9");
        let read = |instant| tree.at(instant).value("/proc/loadavg").unwrap();
        assert_eq!((read(0), read(1), read(2)), ("0.1".into(), "0.1".into(), "9.9".into()));
    }

    #[test]
    fn a_process_lives_only_in_the_instants_that_hold_it() {
        let mut tree = Tree::in_memory(2);
        tree.put(0, "/proc/7/stat", "7 (a) S");
        tree.put(0, "/proc/stat", "cpu 1");
        assert_eq!(tree.at(1).list("/proc").unwrap(), vec!["stat"]);
        assert!(matches!(tree.at(1).read("/proc/7/stat"), Err(HostError::NotFound { .. })));
    }

    #[test]
    fn a_torn_answer_names_file_line_and_byte() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/.narrows/links.json", "[\n {\"name\": 7}]");
        let error = tree.at(0).links().unwrap_err();
        assert!(matches!(error, HostError::Malformed { line: 2, byte: 12, .. }), "{error}");
    }
}
