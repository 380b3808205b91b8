//! The command line of `narrows queries explain`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Explain {}
