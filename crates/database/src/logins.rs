//! As whom to talk to the servers that a run meets.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::administration;
use crate::options::{Options, Sources, usual_files};
use crate::{Address, DatabaseError, Login};

/// As whom to talk to the servers that a run meets: what option files and the environment say, and which servers the user named.
///
/// A password goes only to a server that the user or an option file names, and to one of this machine whose socket belongs to
/// root, to `mysql` or to the caller: anybody may start a program named `mysqld`.
#[derive(Clone, Default)]
pub struct Logins {
    options: Options,
    administration: Options,
    named: Vec<Named>,
}

#[derive(Clone)]
struct Named {
    address: Address,
    user: Option<String>,
}

impl Logins {
    /// Reads the option files of the client programs and the environment of this process; `only` is `--defaults-file`.
    ///
    /// # Errors
    /// When a file that was named cannot be read.
    pub fn read(only: Option<PathBuf>) -> Result<Self, DatabaseError> {
        Self::read_from(&Sources { only, extra: None, variable: &|name| std::env::var(name).ok() })
    }

    /// The files that [`Logins::read`] begins with where none is named.
    pub fn files() -> Vec<String> {
        usual_files(std::env::var("HOME").ok())
    }

    /// As [`Logins::read`], from sources that are handed in.
    ///
    /// # Errors
    /// When a file that was named cannot be read.
    pub fn read_from(sources: &Sources<'_>) -> Result<Self, DatabaseError> {
        let administration = Options::of_administration(sources)?;
        Ok(Self { options: Options::read(sources)?, administration, named: vec![] })
    }

    /// Adds a server that the user named: `[USER@]SOCKET` or `[USER@]HOST[:PORT]`.
    #[must_use]
    pub fn with_server(mut self, text: &str) -> Self {
        let (user, place) = match text.split_once('@') {
            Some((user, place)) => (Some(user.to_owned()).filter(|user| !user.is_empty()), place),
            None => (None, text),
        };
        let address = match place {
            "" | "localhost" => Options { host: None, over_tcp: false, ..self.options.clone() }.address(),
            place => Address::parse(place),
        };
        self.named.push(Named { address, user });
        self
    }

    /// The servers that the user named.
    pub fn servers(&self) -> Vec<Address> {
        self.named.iter().map(|named| named.address.clone()).collect()
    }

    /// What is wrong with the files that were read.
    pub fn warnings(&self) -> &[String] {
        &self.options.warnings
    }

    /// The login for the one server that is meant: the first that the user named, else that of the option files.
    pub fn login(&self) -> Login {
        let named = self.named.first().map(|named| named.address.clone());
        match named {
            Some(address) => self.for_server(&address),
            None => self.full(self.options.address(), None),
        }
    }

    /// The login for a server.
    pub fn for_server(&self, address: &Address) -> Login {
        let named = self.named.iter().find(|named| named.address == *address);
        if let Some(login) =
            administration::login(&self.administration, address, named.and_then(|named| named.user.clone()))
        {
            return login;
        }
        if let Some(named) = named {
            return self.full(address.clone(), named.user.clone());
        }
        if self.options.name(address) {
            return self.full(address.clone(), None);
        }
        let login = self.full(address.clone(), None);
        match self.options.password.as_ref().and_then(|_| stranger(address)) {
            Some(whose) => {
                let mut login = login.with_password(None);
                login.withheld = Some(format!(
                    "no password was sent, since {whose}; if it is yours, name it: --database {address}"
                ));
                login
            }
            None => login,
        }
    }

    fn full(&self, address: Address, user: Option<String>) -> Login {
        let user = user.or_else(|| self.options.user.clone()).unwrap_or_else(own_name);
        Login::new(address, user)
            .with_password(self.options.password.clone())
            .with_tls(self.options.tls.clone())
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.named.iter().map(|named| named.address.to_string())).finish()
    }
}

/// Why a server that nobody named may not be the one it seems.
fn stranger(address: &Address) -> Option<String> {
    let Address::Socket(path) = address else {
        return Some("nobody named this server, and any program may listen at a port".to_owned());
    };
    let Ok(status) = std::fs::metadata(path) else {
        return Some("its socket has no owner that can be seen".to_owned());
    };
    let owner = status.uid();
    let trusted = owner == 0
        || owner == rustix::process::geteuid().as_raw()
        || account(owner).as_deref() == Some("mysql");
    // Numbers of users mean others inside a container.
    let foreign = path.starts_with("/proc/") && owner != 0;
    (!trusted || foreign).then(|| format!("its socket belongs to the user with the number {owner}"))
}

/// The name of a user by `/etc/passwd`.
fn account(number: u32) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, given) = (fields.next()?, fields.nth(1)?);
        (given.parse() == Ok(number)).then(|| name.to_owned())
    })
}

fn own_name() -> String {
    let own = rustix::process::geteuid();
    if own.is_root() { None } else { account(own.as_raw()) }.unwrap_or_else(|| "root".to_owned())
}
