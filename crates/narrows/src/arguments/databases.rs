//! The options by which databases are found and let us in.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use database::Logins;
use host::{Host, HostError, LiveHost};

use crate::output;

/// Which database servers are asked, and as whom. A password never stands on a command line, where everybody sees it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Databases {
    /// Ask this database server too: a socket, or a server elsewhere; may be repeated
    #[arg(long, value_name = "[USER@]SOCKET|HOST[:PORT]")]
    pub(crate) database: Vec<String>,
    /// Read this option file for user and password, and no other [default: those of the mysql client: /etc/my.cnf, ~/.my.cnf …]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) defaults_file: Option<PathBuf>,
}

impl Databases {
    /// The same for a plan, which must find its way when it is undone too. No password is in it.
    pub(crate) fn of_plan(&self) -> change::kinds::Databases {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        change::kinds::Databases {
            defaults_file: self.defaults_file.as_ref().map(|path| absolute(path).display().to_string()),
            home: std::env::var("HOME").ok(),
            named: self.database.clone(),
            schema: None,
        }
    }

    /// The first option file that hangs whoever reads it: a process that waits for it could not even end. It is looked for
    /// by readers that can be left behind.
    fn silent_file(&self) -> Option<String> {
        let host = LiveHost::new();
        let hangs = |path: &String| matches!(host.read(path), Err(HostError::TimedOut { .. }));
        match &self.defaults_file {
            Some(only) => Some(only.display().to_string()).filter(hangs),
            None => Logins::files().into_iter().find(hangs),
        }
    }

    /// As whom to talk to which server; says what is wrong with the files that hold passwords.
    pub(crate) fn logins(&self) -> anyhow::Result<Logins> {
        if let Some(silent) = self.silent_file() {
            output::note(&format!(
                "warning: {silent} does not answer: no option file was asked for credentials\n"
            ));
            return Ok(self
                .database
                .iter()
                .fold(Logins::default(), |logins, server| logins.with_server(server)));
        }
        let logins = Logins::read(self.defaults_file.clone())?;
        for warning in logins.warnings() {
            output::note(&format!("warning: {warning}\n"));
        }
        Ok(self.database.iter().fold(logins, |logins, server| logins.with_server(server)))
    }
}
