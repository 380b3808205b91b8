//! The command line of `narrows queries advise`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Advise {}
