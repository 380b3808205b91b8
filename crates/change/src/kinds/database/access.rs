//! By what a server lets narrows in. No password is in it: that stays in the option file.

use std::path::PathBuf;

use database::{Address, DatabaseError, Login, Logins, Sources};
use serde::{Deserialize, Serialize};

/// By what a server lets narrows in, written down so that an undo finds the same way, whoever runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// The one option file that is read for user and password (`--defaults-file`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defaults_file: Option<String>,
    /// The home directory whose `.my.cnf` is read after those of the system, where no one file is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Whether somebody named this server, so that the password may go there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    /// The user, where one was named with the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The schema that statements mean where they name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

impl Access {
    /// Whether there is nothing to write down.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The login, with the password that is in the option files now.
    pub(super) fn login(&self, server: &str) -> Result<Login, DatabaseError> {
        let variable = |name: &str| match (name, &self.home) {
            ("HOME", Some(home)) => Some(home.clone()),
            _ => std::env::var(name).ok(),
        };
        let only = self.defaults_file.as_ref().map(PathBuf::from);
        let mut logins = Logins::read_from(&Sources { only, extra: None, variable: &variable })?;
        if self.named {
            let user = self.user.as_deref().unwrap_or_default();
            logins = logins.with_server(&format!("{user}@{server}"));
        }
        Ok(logins.for_server(&Address::parse(server)))
    }
}

/// How the databases of a plan are reached: the options of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Databases {
    /// `--defaults-file`.
    pub defaults_file: Option<String>,
    /// The home directory of whoever plans.
    pub home: Option<String>,
    /// `--database`: `[USER@]SOCKET` or `[USER@]HOST[:PORT]`, each.
    pub named: Vec<String>,
    /// The schema that statements mean where they name none.
    pub schema: Option<String>,
}

impl Databases {
    /// How one server is reached.
    pub(crate) fn access(&self, server: &str) -> Access {
        let address = Address::parse(server);
        let split = |text: &'_ String| match text.split_once('@') {
            Some((user, place)) => {
                (Some(user.to_owned()).filter(|user| !user.is_empty()), Address::parse(place))
            }
            None => (None, Address::parse(text)),
        };
        let named = self.named.iter().map(split).find(|(_, place)| *place == address);
        Access {
            defaults_file: self.defaults_file.clone(),
            home: self.home.clone().filter(|_| self.defaults_file.is_none()),
            named: named.is_some(),
            user: named.and_then(|(user, _)| user),
            schema: self.schema.clone(),
        }
    }
}
