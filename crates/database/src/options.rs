//! What option files and the environment say to a client.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use conf::{OptionFileSource, OptionFiles, Setting};

use crate::{Address, DatabaseError, Tls, TlsMode};

/// Option files in the order in which they are read, before the one of the user (`my_load_defaults` of MariaDB and MySQL).
const FIRST: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// The groups of the client programs, and one of our own, for a user that may only watch.
pub(crate) const GROUPS: [&str; 6] =
    ["client", "client-server", "client-mariadb", "mysql", "mariadb-client", "narrows"];
/// The group for the administration of ProxySQL, which the client programs do not read.
pub(crate) const ADMINISTRATION: [&str; 1] = ["proxysql-admin"];
/// Where servers listen if nothing says otherwise: Debian, Red Hat, built from source.
const SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];

/// The option files of the system and of the user, which are read where no other is named.
pub(crate) fn usual_files(home: Option<String>) -> Vec<String> {
    let own = home.map(|home| format!("{home}/.my.cnf"));
    FIRST.iter().map(|path| (*path).to_owned()).chain(own).collect()
}

/// Which option files are read, and the environment.
pub struct Sources<'a> {
    /// `--defaults-file`: this one, and no other.
    pub only: Option<PathBuf>,
    /// `--defaults-extra-file`: after those of the system.
    pub extra: Option<PathBuf>,
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What option files and the environment say to a client. A password lies in it and is never shown.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) socket: Option<String>,
    pub(crate) over_tcp: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) warnings: Vec<String>,
}

impl Options {
    /// Reads them as the programs do: the environment first, so that files go over it.
    pub(crate) fn read(sources: &Sources<'_>) -> Result<Self, DatabaseError> {
        let variable = |name: &str| (sources.variable)(name).filter(|value| !value.is_empty());
        let options = Self {
            host: variable("MYSQL_HOST"),
            port: variable("MYSQL_TCP_PORT").and_then(|port| port.parse().ok()),
            socket: variable("MYSQL_UNIX_PORT"),
            password: variable("MYSQL_PWD"),
            ..Self::default()
        };
        options.read_groups(sources, &GROUPS)
    }

    /// Reads what files say of the administration of ProxySQL.
    pub(crate) fn of_administration(sources: &Sources<'_>) -> Result<Self, DatabaseError> {
        Self::default().read_groups(sources, &ADMINISTRATION)
    }

    fn read_groups(self, sources: &Sources<'_>, groups: &[&str]) -> Result<Self, DatabaseError> {
        let variable = |name: &str| (sources.variable)(name).filter(|value| !value.is_empty());
        let mut options = self;
        let named: Vec<_> = sources.only.iter().chain(&sources.extra).collect();
        for path in named {
            let failed =
                |reason: String| DatabaseError::OptionFile { path: path.display().to_string(), reason };
            std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        }
        let shown = |path: &PathBuf| path.display().to_string();
        let first = match &sources.only {
            Some(only) => vec![shown(only)],
            None => {
                let home = variable("HOME").map(|home| format!("{home}/.my.cnf"));
                FIRST
                    .iter()
                    .map(|path| (*path).to_owned())
                    .chain(sources.extra.as_ref().map(shown))
                    .chain(home)
                    .collect()
            }
        };
        let mut disk = Disk::default();
        let found = OptionFiles::read(&first, &mut disk);
        let mut with_password = vec![];
        for setting in &found.settings {
            let group = String::from_utf8_lossy(setting.section.as_deref().unwrap_or_default());
            if groups.contains(&&*group) && options.set(setting) {
                with_password.push(setting.file.to_string());
            }
        }
        with_password.dedup();
        options.warnings.extend(with_password.iter().filter_map(|file| readable_by_others(file)));
        options.warnings.append(&mut disk.warnings);
        Ok(options)
    }

    /// Takes an option; says whether it was a password.
    fn set(&mut self, setting: &Setting) -> bool {
        let name = String::from_utf8_lossy(&setting.key).replace('-', "_");
        let name = name.strip_prefix("loose_").unwrap_or(&name);
        let text = String::from_utf8_lossy(&setting.value).into_owned();
        let value = (!text.is_empty()).then(|| text.clone());
        let on = !matches!(text.to_ascii_lowercase().as_str(), "0" | "off" | "false");
        match name {
            "host" => self.host = value,
            "port" => self.port = text.parse().ok(),
            "socket" => self.socket = value,
            "protocol" => self.over_tcp = text.eq_ignore_ascii_case("tcp"),
            "user" => self.user = value,
            "password" => {
                self.password = value;
                return self.password.is_some();
            }
            "ssl" | "enable_ssl" => {
                self.tls.mode = if on { self.at_least(TlsMode::Required) } else { TlsMode::Off }
            }
            "skip_ssl" | "disable_ssl" => self.tls.mode = TlsMode::Off,
            "ssl_ca" => {
                self.tls.authorities = value.map(PathBuf::from);
                self.tls.mode = self.at_least(TlsMode::VerifiedAuthority);
            }
            "ssl_cert" => self.identity(value, None),
            "ssl_key" => self.identity(None, value),
            "ssl_verify_server_cert" if on => self.tls.mode = TlsMode::VerifiedName,
            "ssl_mode" => self.tls.mode = ssl_mode(&text),
            _ => {}
        }
        false
    }

    fn at_least(&self, mode: TlsMode) -> TlsMode {
        if self.tls.mode == TlsMode::VerifiedName { TlsMode::VerifiedName } else { mode }
    }

    /// A certificate and a key come as two options; one alone stands for both, as where one file holds both.
    fn identity(&mut self, certificate: Option<String>, key: Option<String>) {
        let (certificate, key) = (certificate.map(PathBuf::from), key.map(PathBuf::from));
        let known = self.tls.identity.take();
        let Some(given) = certificate.clone().or_else(|| key.clone()) else { return };
        let (known_certificate, known_key) = known.unwrap_or_else(|| (given.clone(), given));
        self.tls.identity = Some((certificate.unwrap_or(known_certificate), key.unwrap_or(known_key)));
        self.tls.mode = self.at_least(TlsMode::Required.max_of(self.tls.mode));
    }

    /// The server that is meant where none is named.
    pub(crate) fn address(&self) -> Address {
        let port = self.port.unwrap_or(3306);
        match &self.host {
            Some(host) if host != "localhost" => Address::Tcp(host.clone(), port),
            _ if self.over_tcp => Address::Tcp("127.0.0.1".to_owned(), port),
            _ => Address::Socket(self.socket.clone().unwrap_or_else(usual_socket)),
        }
    }

    /// Whether files or the environment name this server.
    pub(crate) fn name(&self, address: &Address) -> bool {
        (self.host.is_some() || self.socket.is_some() || self.over_tcp) && self.address() == *address
    }
}

impl TlsMode {
    fn max_of(self, other: Self) -> Self {
        if other == Self::VerifiedAuthority { other } else { self }
    }
}

/// `--ssl-mode` of MySQL's clients.
fn ssl_mode(text: &str) -> TlsMode {
    match text.to_ascii_uppercase().as_str() {
        "DISABLED" => TlsMode::Off,
        "REQUIRED" => TlsMode::Required,
        "VERIFY_CA" => TlsMode::VerifiedAuthority,
        "VERIFY_IDENTITY" => TlsMode::VerifiedName,
        _ => TlsMode::Preferred,
    }
}

fn usual_socket() -> String {
    let there = SOCKETS.iter().find(|path| Path::new(path).exists());
    (*there.unwrap_or(&"/run/mysqld/mysqld.sock")).to_owned()
}

fn readable_by_others(path: &str) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.mode();
    let why = format!("{path} holds a password and every user of this machine may read it: chmod 600 {path}");
    (mode & 0o004 != 0).then_some(why)
}

/// Files of this machine.
#[derive(Default)]
struct Disk {
    warnings: Vec<String>,
}

impl OptionFileSource for Disk {
    /// A file that every user may write to is left out, as the programs do.
    fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        let status = std::fs::metadata(path).ok()?;
        if !status.is_file() {
            return None;
        }
        if status.mode() & 0o002 != 0 {
            self.warnings
                .push(format!("{path} is not read, since every user of this machine may write to it"));
            return None;
        }
        std::fs::read(path).ok()
    }

    fn names(&mut self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }
}
