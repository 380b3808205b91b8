//! Reads ProxySQL: its process, its configuration file, and what its administration says.
//!
//! Debian has no package of it. What is asked follows the schema that its source defines (`ProxySQL_Admin_Tables_Definitions.h`
//! of 2.x and 3.x) and was tried on a stand-in with tables of those names, not on a ProxySQL.

mod ask;
mod file;

#[cfg(test)]
mod tests;

use host::Host;
use model::{Layered, Unread};

use self::ask::Administration;
use super::{Counters, Facts, Proxy, ProxyCounters};
use crate::processes;

/// The configuration file of a package.
const FILE: &str = "/etc/proxysql.cnf";
/// The port of the administration if nothing says otherwise.
const PORT: &str = ":6032";

/// Whether an address that the user named is that of a ProxySQL's administration.
pub(crate) fn is_administration(address: &str) -> bool {
    address.ends_with(PORT)
}

/// Reads each ProxySQL's process, configuration file and, where it lets us in, its administration tables.
///
/// # Errors
/// When `/proc` cannot be listed. A host without ProxySQL has facts without any.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut facts = Facts::default();
    for found in found(host)? {
        facts.unread.extend(found.unread.clone());
        let asked = match found.administration(host) {
            Ok(administration) => administration.asked().into(),
            Err(unread) => Layered::Unread(unread),
        };
        let Found { address, pid, file, configured, .. } = found;
        facts.proxies.push(Proxy { address, pid, file, configured, asked });
    }
    Ok(facts)
}

/// Reads the counters of each ProxySQL that lets us in.
///
/// # Errors
/// When `/proc` cannot be listed. One that does not answer says why in its own [`super::ProxyCounters`].
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    let running = found(host)?.into_iter().filter(|found| found.pid.is_some() || found.is_named);
    let counters = |found: Found| match found.administration(host).and_then(|asked| asked.counters()) {
        Ok(counters) => counters,
        Err(unread) => {
            ProxyCounters { address: found.address, unread: Some(unread), ..ProxyCounters::default() }
        }
    };
    Ok(Counters { proxies: running.map(counters).collect() })
}

/// A ProxySQL before it was asked.
#[derive(Debug, Default)]
struct Found {
    address: String,
    pid: Option<u32>,
    file: Option<String>,
    configured: super::Configuration,
    unread: Option<Unread>,
    /// Whether the user named it.
    is_named: bool,
    /// Whether its ports are not those of the caller.
    is_apart: bool,
}

impl Found {
    fn administration<'a>(&self, host: &'a dyn Host) -> Result<Administration<'a>, Unread> {
        if self.pid.is_none() && !self.is_named {
            return Err(Unread::new("ProxySQL does not run", "start it, and read the host again"));
        }
        if self.is_apart && !self.is_named {
            return Err(Unread::new(
                "its ports are those of another network namespace, as a container's are",
                "name the address of its administration: narrows check --database ADDRESS:6032",
            ));
        }
        Ok(Administration { host, address: self.address.clone() })
    }
}

/// Each ProxySQL once: those that run, one that is configured and does not, and those that the user named.
fn found(host: &dyn Host) -> Result<Vec<Found>, Unread> {
    let mut named: Vec<_> =
        host.named_databases().into_iter().filter(|address| is_administration(address)).collect();
    let mut found: Vec<Found> = Vec::new();
    for process in processes::named(host, |name| name == "proxysql")? {
        let words = processes::command_line(host, process.pid);
        let root = processes::root_of(host, process.pid);
        let mut one = file::read(host, root.as_deref().unwrap_or_default(), &file_of(&words));
        one.pid = Some(process.pid);
        one.unread = one.unread.or(root.err());
        one.is_apart = !processes::shares_network(host, process.pid);
        // The first process only watches over the second (`-f` has one alone): the later one serves.
        match found.iter_mut().find(|other| other.address == one.address && other.file == one.file) {
            Some(other) => *other = one,
            None => found.push(one),
        }
    }
    if found.is_empty() && host.read(FILE).is_ok() {
        found.push(file::read(host, "", FILE));
    }
    for one in &mut found {
        one.is_named = named.contains(&one.address);
    }
    named.retain(|address| found.iter().all(|one| one.address != *address));
    found.extend(named.into_iter().map(|address| Found { address, is_named: true, ..Found::default() }));
    Ok(found)
}

/// `-c FILE`, `--config FILE` or `--config=FILE`; the package's without.
fn file_of(words: &[String]) -> String {
    let after = words.windows(2).find_map(|two| match two {
        [option, file] if option == "-c" || option == "--config" => Some(file.clone()),
        _ => None,
    });
    let joined = || words.iter().find_map(|word| word.strip_prefix("--config=").map(str::to_owned));
    after.or_else(joined).unwrap_or_else(|| FILE.to_owned())
}
