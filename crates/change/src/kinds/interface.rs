//! What rings, channels and queueing disciplines share: a network interface, perhaps in another namespace.

use host::kernel::KernelError;

use super::NetworkNamespace;
use super::namespace::within;
use crate::ChangeError;
use crate::shell::{comment, quoted};

/// A network interface and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) interface: &'a str,
    pub(super) namespace: Option<&'a NetworkNamespace>,
}

impl Place<'_> {
    /// The name people choose it by: what it is of the interface, and the namespace if there is one.
    pub(super) fn name(&self, what: &str) -> String {
        let Self { interface, namespace } = self;
        match namespace {
            None => format!("{what} {interface}"),
            Some(NetworkNamespace { name: Some(name), .. }) => format!("{what} {interface} in {name}"),
            Some(NetworkNamespace { inode, .. }) => format!("{what} {interface} in net:[{inode}]"),
        }
    }

    /// Runs work where the interface is, with its index. `Ok(None)` when the interface or the namespace has gone.
    ///
    /// The index comes from netlink: an ioctl with a name makes the kernel look for a module of that name
    /// (`dev_load` in `net/core/dev_ioctl.c`).
    pub(super) fn visit<T: Send>(
        &self,
        attempted: &str,
        work: impl FnOnce(u32) -> Result<T, ChangeError> + Send,
    ) -> Result<Option<T>, ChangeError> {
        let found = within(self.namespace, || {
            let links = host::kernel::links().map_err(|error| kernel_error(attempted, error))?;
            match links.iter().find(|link| link.name == self.interface) {
                Some(link) => work(link.index).map(Some),
                None => Ok(None),
            }
        })?;
        Ok(found.flatten())
    }

    /// As [`Place::visit`], where an interface that has gone is an error.
    pub(super) fn change(
        &self,
        attempted: &str,
        work: impl FnOnce(u32) -> Result<(), ChangeError> + Send,
    ) -> Result<(), ChangeError> {
        self.visit(attempted, work)?.ok_or_else(|| {
            ChangeError::new(attempted, format!("there is no interface {} any more", self.interface))
        })
    }

    /// A line of shell, run where the interface is.
    pub(super) fn line(&self, words: &[&str]) -> String {
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        match self.namespace {
            None => line,
            Some(NetworkNamespace { name: Some(name), .. }) => {
                format!("ip netns exec {} {line}", quoted(name))
            }
            Some(NetworkNamespace { process: Some(process), .. }) => {
                format!("nsenter --net=/proc/{process}/ns/net {line}")
            }
            Some(NetworkNamespace { inode, .. }) => comment(&format!(
                "# in the network namespace net:[{inode}], which has no name and no process: {line}"
            )),
        }
    }

    /// The lines for a boot script. A namespace without a name is made anew by whatever starts in it: there is nothing
    /// to set at boot.
    pub(super) fn at_boot(&self, lines: Vec<String>) -> Vec<String> {
        match self.namespace {
            Some(NetworkNamespace { name: None, .. }) => vec![],
            _ => lines,
        }
    }
}

/// A question that the kernel did not answer, with its errno where it gave one.
pub(super) fn kernel_error(attempted: &str, error: KernelError) -> ChangeError {
    match error {
        KernelError::Io { source, .. } => ChangeError::io(attempted, &source),
        error => ChangeError::new(attempted, error.to_string()),
    }
}

/// A count as people write it.
pub(super) fn number(attempted: &str, text: &str) -> Result<u32, ChangeError> {
    text.trim().parse().map_err(|_| {
        ChangeError::new(attempted, format!("`{}` is no number from 0 to {}", text.trim(), u32::MAX))
    })
}
