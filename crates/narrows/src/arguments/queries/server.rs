//! Which server is asked.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Which database server is asked, and as whom. A password never stands on a command line, where everybody sees it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Server {
    /// Ask this server [default: that of the option files]
    #[arg(long, value_name = "[USER@]SOCKET|HOST[:PORT]")]
    pub(crate) server: Option<String>,
    /// As this user [default: that of the option files, else your own name]
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Read this option file for user and password, and no other [default: those of the mysql client]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) defaults_file: Option<PathBuf>,
    /// The schema (database) that names without one mean
    #[arg(long = "db", value_name = "NAME")]
    pub(crate) database: Option<String>,
}
