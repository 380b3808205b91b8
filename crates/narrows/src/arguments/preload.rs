//! The command line of `narrows preload`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
#[command(
    after_help = "Only files that declare classes and do nothing else are taken, with all their parents, and none that \
    code looks for without loading it.\nExit status: 0 a script was made, 1 nothing may be preloaded, 2 usage, 3 could not read"
)]
pub(crate) struct Preload {
    /// The folder of the application
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// A folder of libraries below it, whose classes may be preloaded [default: vendor]; may be repeated
    #[arg(long, value_name = "SUBFOLDER")]
    pub(crate) from: Vec<String>,
    /// The script to write [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// List every file that is left out, with the reason
    #[arg(long)]
    pub(crate) all: bool,
}
