//! The command line of `narrows queries fingerprint`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Fingerprint {}
