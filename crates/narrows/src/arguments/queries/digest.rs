//! The command line of `narrows queries digest`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Digest {}
