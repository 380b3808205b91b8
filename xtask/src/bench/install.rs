//! Installs the peers where they are missing, without starting their daemons.

use crate::packages;
use crate::run::exists;

/// Programs, and the Debian packages they come from.
const PACKAGES: &[(&str, &str)] = &[
    ("prometheus-node-exporter", "prometheus-node-exporter"),
    ("pidstat", "sysstat"),
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("sysctl", "procps"),
    ("tuned", "tuned"),
];

/// Installs what is missing. A machine without apt-get is measured without the peers it does not have.
pub(super) fn peers() -> anyhow::Result<()> {
    if exists("apt-get") { packages::install(PACKAGES) } else { Ok(()) }
}
