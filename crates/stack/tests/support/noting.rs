//! A host that notes what is asked of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use host::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
use host::{Clock, Host, HostError, LiveHost};

/// What was read, by path; links with their targets, and the directories that were listed.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Files and what they held.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Links and their targets.
    pub(crate) links: BTreeMap<String, String>,
    /// Directories.
    pub(crate) directories: Vec<String>,
}

/// This machine, with a memory of what was asked.
#[derive(Debug, Default)]
pub(crate) struct Noting {
    host: LiveHost,
    noted: Mutex<Noted>,
}

impl Noting {
    /// Everything noted so far.
    pub(crate) fn finish(self) -> Noted {
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, write: impl FnOnce(&mut Noted)) {
        write(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes an answer of the kernel where a tree keeps it.
    fn answer<T: serde::Serialize>(&self, name: &str, answer: Result<T, HostError>) -> Result<T, HostError> {
        if let Ok(json) = answer.as_ref().map_err(|_| ()).and_then(|a| serde_json::to_vec(a).map_err(|_| ()))
        {
            self.note(|noted| drop(noted.files.insert(format!("/.narrows/{name}.json"), json)));
        }
        answer
    }
}

impl Host for Noting {
    fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
        let start = buffer.len();
        self.host.read_into(path, buffer)?;
        let bytes = buffer.get(start..).unwrap_or_default().to_vec();
        self.note(|noted| drop(noted.files.insert(path.to_owned(), bytes)));
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let names = self.host.list(path)?;
        self.note(|noted| noted.directories.push(path.to_owned()));
        Ok(names)
    }

    fn link(&self, path: &str) -> Result<String, HostError> {
        let target = self.host.link(path)?;
        self.note(|noted| drop(noted.links.insert(path.to_owned(), target.clone())));
        Ok(target)
    }

    fn clock(&self) -> Clock {
        self.host.clock()
    }

    fn is_root(&self) -> Option<bool> {
        self.host.is_root()
    }

    fn listeners(&self) -> Result<Vec<Listener>, HostError> {
        self.answer("listeners", self.host.listeners())
    }

    fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
        self.answer("tcp", self.host.tcp_table(ephemeral))
    }

    fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
        self.answer("qdiscs", self.host.qdiscs())
    }

    fn links(&self) -> Result<Vec<Link>, HostError> {
        self.answer("links", self.host.links())
    }

    fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
        self.answer(&format!("ethtool/{interface}"), self.host.ethtool(interface))
    }
}
