//! Reads database servers: their processes, their option files, and what they say of themselves.

mod ask;
mod asked;
mod autoload;
mod options;
mod processes;
mod statements;
mod version;

#[cfg(test)]
mod tests;

use conf::OptionFiles;
use host::{Host, HostError};
use model::{Layered, Unread};

use self::ask::Server as Asking;
use self::options::Options;
use self::processes::Running;
use super::version_facts::{self, Standing};
use super::{Counters, Facts, Flavor, Server, ServerCounters, Version};
use crate::php_fpm::FileProblem;
use crate::proxysql;

/// Where servers listen if nothing says otherwise: Debian, Red Hat, built from source.
const SOCKETS: [&str; 3] = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];
/// Where their data lie if nothing says otherwise.
const DATA: &str = "/var/lib/mysql";
/// The port if nothing says otherwise.
const PORT: &str = "3306";
/// Servers that stop at once, or serve nobody.
const NO_SERVER: [&str; 6] =
    ["--help", "--version", "-V", "--bootstrap", "--wsrep-recover", "--initialize-insecure"];

/// Reads each server's processes, option files and, where it lets us in, what it says of itself.
///
/// # Errors
/// When `/proc` cannot be listed. A host without a server has facts without any.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let found = found(host)?;
    let mut facts = Facts::default();
    for found in &found.local {
        facts.unread.extend(found.running.as_ref().and_then(|running| running.unread.clone()));
        facts.servers.push(found.server(host));
    }
    facts.servers.extend(found.elsewhere.iter().map(|address| elsewhere(host, address)));
    Ok(facts)
}

/// Reads the counters of each server that lets us in.
///
/// # Errors
/// When `/proc` cannot be listed. A server that does not answer says why in its own [`super::ServerCounters`].
pub fn read_counters(host: &dyn Host) -> Result<Counters, Unread> {
    let found = found(host)?;
    let running = found.local.iter().filter_map(|found| Some((found, found.running.as_ref()?)));
    let local = running.map(|(found, running)| ServerCounters {
        cpu_s: Some(running.cpu_s),
        pid: Some(running.pid),
        ..counters(&found.answers(host).0)
    });
    let elsewhere = found.elsewhere.iter().map(|address| counters(&Asking::new(host, address).0));
    Ok(Counters { servers: local.chain(elsewhere).collect() })
}

fn counters(asking: &Asking<'_>) -> ServerCounters {
    let mut counters = ServerCounters { address: asking.address.clone(), ..ServerCounters::default() };
    match asking.pairs("status", "SHOW GLOBAL STATUS") {
        Ok(pairs) => {
            let number = |(name, value): (String, String)| {
                Some((name, value.parse().ok().filter(|value: &f64| value.is_finite())?))
            };
            counters.status = pairs.into_iter().filter_map(number).collect();
        }
        Err(unread) => counters.unread = Some(unread),
    }
    counters
}

/// The servers of this host, and those elsewhere that the user named.
struct Found {
    local: Vec<Local>,
    elsewhere: Vec<String>,
}

fn found(host: &dyn Host) -> Result<Found, Unread> {
    let mut named = host.named_databases();
    named.retain(|address| !proxysql::is_administration(address));
    let serves = |running: &Running| !running.words.iter().any(|word| NO_SERVER.contains(&word.as_str()));
    let mut local: Vec<_> = processes::running(host)?
        .into_iter()
        .filter(serves)
        .map(|running| Local::new(host, Some(running)))
        .collect();
    if local.is_empty() {
        local.extend(Some(Local::new(host, None)).filter(|server| !server.options.settings.is_empty()));
    }
    for server in &mut local {
        let own = server.candidates();
        let is_own = |address: &String| own.contains(address);
        server.named = named.iter().find(|address| is_own(address)).cloned();
        named.retain(|address| !is_own(address));
    }
    Ok(Found { local, elsewhere: named })
}

/// A server of this host, before it was asked.
struct Local {
    running: Option<Running>,
    files: OptionFiles,
    options: Options,
    named: Option<String>,
}

impl Local {
    fn new(host: &dyn Host, running: Option<Running>) -> Self {
        let files = options::files(host, running.as_ref());
        // Before the version is known: where it listens is hardly set for one version alone.
        let options = options::of(&files, running.as_ref(), Flavor::MariaDb, None);
        Self { running, files, options, named: None }
    }

    fn root(&self) -> &str {
        self.running.as_ref().map_or("", |running| &running.root)
    }

    fn data(&self) -> &str {
        self.options.get("datadir").unwrap_or(DATA).trim_end_matches('/')
    }

    /// Every place at which it may listen, the likeliest first.
    fn candidates(&self) -> Vec<String> {
        let socket = self.options.get("socket").map(|socket| match socket.starts_with('/') {
            true => socket.to_owned(),
            false => format!("{}/{socket}", self.data()),
        });
        let usual = SOCKETS.iter().map(|path| (*path).to_owned());
        let sockets = socket.map_or_else(|| usual.collect(), |socket| vec![socket]);
        let mut all: Vec<_> = sockets.iter().map(|socket| format!("{}{socket}", self.root())).collect();
        let networked = self.options.get("skip_networking") != Some("ON");
        if networked && self.running.as_ref().is_none_or(|running| running.same_network) {
            let port = self.options.get("port").filter(|port| *port != "0").unwrap_or(PORT);
            let bound =
                self.options.get("bind_address").unwrap_or("127.0.0.1").split(',').next().unwrap_or_default();
            let all_addresses = matches!(bound, "*" | "0.0.0.0" | "::" | "localhost" | "");
            let bound = if all_addresses { "127.0.0.1" } else { bound };
            let bound = if bound.contains(':') { format!("[{bound}]") } else { bound.to_owned() };
            all.push(format!("{bound}:{port}"));
        }
        all
    }

    /// Asks at the place that the user named, else at the first at which somebody answers or refuses.
    fn answers<'a>(&self, host: &'a dyn Host) -> (Asking<'a>, Option<HostError>) {
        let candidates = self.named.clone().map_or_else(|| self.candidates(), |named| vec![named]);
        let mut first = None;
        for address in &candidates {
            let (asking, error) = Asking::new(host, address);
            match error {
                Some(HostError::NotFound { .. }) => drop(first.get_or_insert((asking, error))),
                error => return (asking, error),
            }
        }
        first.unwrap_or_else(|| Asking::new(host, SOCKETS[0]))
    }

    fn server(&self, host: &dyn Host) -> Server {
        let (asking, error) = match self.running {
            Some(_) => self.answers(host),
            None => (Asking::silent(host, &self.candidates().into_iter().next().unwrap_or_default()), None),
        };
        let (flavor, version) = match &asking.version {
            Some(version) => (asking.flavor, Some(*version)),
            None => version::by_files(host, self.root(), self.data(), self.running.as_ref()),
        };
        let mut options = options::of(&self.files, self.running.as_ref(), flavor, version);
        let asked = match (&self.running, error) {
            (None, _) => Layered::Unread(Unread::new("the server does not run", "start it")),
            (Some(_), Some(error)) => Layered::Unread(asking.refused(&error)),
            (Some(_), None) => asked::all(&asking).into(),
        };
        if let Some(asked) = asked.facts() {
            options.full_names(&asked.variables);
        }
        refused_options(&mut options, flavor, version);
        let of_server = asked.facts().and_then(|asked| asked.variables.get("datadir").cloned());
        Server {
            address: asking.address.clone(),
            process: self.running.as_ref().map(|running| running.facts(host)),
            flavor,
            version,
            data_directory: Some(of_server.unwrap_or_else(|| self.data().to_owned())),
            options: options.options,
            settings: options.settings,
            problems: options.problems,
            option_file: options.place,
            asked,
        }
    }
}

/// Options with which this version does not start.
fn refused_options(options: &mut Options, flavor: Flavor, version: Option<Version>) {
    let Some(version) = version else { return };
    for line in options.settings.iter().filter(|line| !line.name.starts_with("loose_")) {
        let (name, _) = options::meant(&line.name, String::new());
        if version_facts::standing(flavor, version, &name) == Standing::Refused {
            let what = format!("this version does not know `{name}` and does not start with it");
            let (file, line) = (line.file.clone(), line.line);
            options.problems.push(FileProblem { file, line, what, stops: true });
        }
    }
}

/// A server on another machine, or one that runs where its process cannot be seen.
fn elsewhere(host: &dyn Host, address: &str) -> Server {
    let (asking, error) = Asking::new(host, address);
    Server {
        address: address.to_owned(),
        flavor: asking.flavor,
        version: asking.version,
        asked: match error {
            Some(error) => Layered::Unread(asking.refused(&error)),
            None => asked::all(&asking).into(),
        },
        ..Server::default()
    }
}
