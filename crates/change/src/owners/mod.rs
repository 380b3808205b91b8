//! Who else sets what a change would set.
//!
//! A value that two programs write is a fight that nobody wins: one of them undoes the other at the next boot, or ten
//! seconds later. Each file here knows one owner, and answers from files and processes of the host alone.

mod bpftune;
mod container;
mod drop_in;
mod glob;
mod host_files;
mod irqbalance;
mod link_files;
mod managed;
mod modprobe;
mod mounts;
mod persisted;
mod processes;
mod sysctl_d;
mod tuned;

use host::Host;
use model::Edit;

use crate::ChangeError;

pub(crate) use container::RUNTIME_HOLDS_IT;
pub(crate) use drop_in::set_later as set_by_later_drop_in;
pub(crate) use host_files::{read as read_file, resolve, text as file_text};
pub(crate) use irqbalance::CouplingWithIrqbalance;
pub(crate) use managed::claim as claim_of_managed_file;
pub(crate) use modprobe::{loads_at_boot, place as module_parameter_place};
pub(crate) use mounts::Mounts;
pub(crate) use persisted::{claim as claim_of_set_persist, file_of as set_persist_file_of};

/// Why narrows leaves something to whoever manages it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Why narrows does not make the change.
    pub because: String,
    /// Who manages it, as a program's name or `file:line`.
    pub owner: Option<String>,
    /// How to come to an agreement with the owner, or what to do instead.
    pub instead: String,
}

impl Claim {
    pub(crate) fn new(
        because: impl Into<String>,
        owner: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self { because: because.into(), owner: Some(owner.into()), instead: instead.into() }
    }
}

/// The edits that make a value last, each list with its file.
pub(crate) type Place = Vec<(String, Vec<Edit>)>;

/// Everyone who may own something on a host, found once.
pub struct Owners<'a> {
    host: &'a dyn Host,
    sysctl: sysctl_d::SysctlFiles,
    tuned: Option<tuned::Tuned>,
    irqbalance: Option<Vec<String>>,
    bpftune: bool,
    container: Option<Claim>,
}

impl<'a> Owners<'a> {
    /// Looks for owners on a host.
    ///
    /// # Errors
    /// When files that may set kernel parameters are there and cannot be read.
    pub fn find(host: &'a dyn Host) -> Result<Self, ChangeError> {
        let mut running = processes::running(host, &["tuned", "irqbalance", "bpftune"]);
        Ok(Self {
            host,
            sysctl: sysctl_d::SysctlFiles::read(host)?,
            tuned: running.remove("tuned").and_then(|_| tuned::active(host)),
            irqbalance: running.remove("irqbalance"),
            bpftune: running.contains_key("bpftune"),
            container: container::claim(host),
        })
    }

    /// Where a kernel parameter is made to last, or who owns it.
    ///
    /// # Errors
    /// The claim of its owner.
    pub(crate) fn sysctl(&self, key: &str, value: &str) -> Result<Place, Claim> {
        if let Some(claim) = &self.container {
            return Err(claim.clone());
        }
        if let Some(claim) = bpftune::claim(key).filter(|_| self.bpftune) {
            return Err(claim);
        }
        if let Some(claim) = self.tuned.as_ref().and_then(|tuned| tuned.sysctl(key, value)) {
            return Err(claim);
        }
        self.sysctl.place(self.host, key, value)
    }

    /// Who owns the affinity of interrupts, except irqbalance, which can be told to leave one alone.
    ///
    /// # Errors
    /// The claim of its owner.
    pub(crate) fn irq_affinity(&self) -> Result<(), Claim> {
        self.tuned.as_ref().and_then(tuned::Tuned::irq_affinity).map_or(Ok(()), Err)
    }

    /// What must be told to irqbalance so that it leaves an interrupt alone; nothing where it does not run.
    pub(crate) fn irqbalance(&self, irq: u32) -> Option<CouplingWithIrqbalance> {
        irqbalance::coupling(self.host, self.irqbalance.as_deref()?, irq)
    }

    /// Where the size of a ring or the number of queues is made to last. `None` where a boot script is the place.
    ///
    /// `option` is TuneD's name for it, `keys` are those of systemd.link(5).
    ///
    /// # Errors
    /// The claim of its owner.
    pub(crate) fn interface(
        &self,
        interface: &str,
        option: &str,
        keys: &[&str],
        value: &str,
    ) -> Result<Option<Place>, Claim> {
        if let Some(claim) = self.tuned.as_ref().and_then(|tuned| tuned.interface(option, interface)) {
            return Err(claim);
        }
        link_files::place(self.host, interface, keys, value)
    }

    /// Who owns an attribute of a block device.
    ///
    /// # Errors
    /// The claim of its owner.
    pub(crate) fn block_queue(&self, device: &str, attribute: &str) -> Result<(), Claim> {
        self.tuned.as_ref().and_then(|tuned| tuned.block_queue(device, attribute)).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
#[path = "owners_tests.rs"]
mod tests;
