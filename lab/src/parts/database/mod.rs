//! A machine with Debian's MariaDB as its package starts it: option files in `/etc/mysql`, its socket in `/run/mysqld`,
//! slow log in `/var/log/mysql`, and data on a disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ::database::{Address, Connection, Login};
use tempfile::TempDir;

use crate::faults::wait::wait_within;
use crate::faults::{Attempt, FaultError, Result};
use crate::machine::Machine;

/// Clients of a database, and what each of them saw.
pub mod clients;
/// What narrows has to say and do of a server whose fault is a setting.
pub mod course;
/// What the server's process and its counters tell of a stretch of time.
pub mod meter;
/// One statement and its cost.
pub mod question;
/// What narrows has to say and do of a server whose fault is a question.
pub mod question_course;
/// Tables of WordPress, filled by the server itself.
pub mod wordpress;

/// The server's service.
pub const SERVICE: &str = "mariadb";
/// The option file of the lab, which is read last.
pub const OPTIONS: &str = "/etc/mysql/mariadb.conf.d/90-site.cnf";
/// Where it is told where temporary tables go.
const TEMPORARY: &str = "/etc/mysql/mariadb.conf.d/70-temporary.cnf";
/// The socket of Debian's server.
pub const SOCKET: &str = "/run/mysqld/mysqld.sock";
/// Where its slow log lies.
pub const SLOW_LOG: &str = "/var/log/mysql/mariadb-slow.log";
/// The schema that holds the site.
pub const SCHEMA: &str = "wordpress";
/// As whom applications talk to it.
const USER: &str = "app";
const PASSWORD: &str = "lab";
/// The longest that a statement may take, and the longest that a server may take to start.
const PATIENCE: Duration = Duration::from_secs(180);

/// The machine, whose server runs.
pub struct Database {
    /// Where it and narrows run.
    pub machine: Machine,
    /// Holds the data, on whatever disk temporary files lie.
    _data: TempDir,
}

impl Database {
    /// A server with these options in the group `mysqld`, and an empty schema.
    pub fn boot(options: &str) -> Result<Self> {
        let machine = Machine::boot()?;
        let data =
            TempDir::with_prefix("narrows-lab-data-").attempt(|| "make a folder for data".to_owned())?;
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755))
            .attempt(|| format!("open {} to others", data.path().display()))?;
        let place = data.path().display();
        let (files, temporary) = (format!("{place}/data"), format!("{place}/tmp"));
        machine.run(&["install", "-d", "-o", "mysql", &files, &temporary])?;
        machine.run(&["mount", "--bind", &files, "/var/lib/mysql"])?;
        machine.run(&["chown", "mysql", "/run/mysqld"])?;
        machine.run(&["install", "-d", "-o", "mysql", "-m", "2750", "/var/log/mysql"])?;
        // Temporary tables are named after processes, whose numbers are those of other machines of the lab, too.
        machine.site.write(TEMPORARY, &format!("[mysqld]\ntmpdir = {temporary}\n"))?;
        let install =
            "mariadb-install-db --user=mysql --auth-root-authentication-method=normal --skip-test-db";
        machine.run(&["sh", "-c", install])?;
        let database = Self { machine, _data: data };
        database.configure(options)?;
        database.start()?;
        database.run(&format!(
            "CREATE DATABASE {SCHEMA}; CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'; \
             GRANT ALL ON {SCHEMA}.* TO {USER}@'%'"
        ))?;
        Ok(database)
    }

    /// Writes options, which the server reads when it starts.
    pub fn configure(&self, options: &str) -> Result<()> {
        self.machine.site.write(OPTIONS, &format!("[mysqld]\n{options}"))
    }

    /// Starts it anew with these options: what it holds in memory is gone, its data are not.
    pub fn restart_with(&self, options: &str) -> Result<()> {
        self.machine.service(SERVICE, "stop")?;
        self.configure(options)?;
        self.start()
    }

    fn start(&self) -> Result<()> {
        self.machine.service(SERVICE, "start")?;
        wait_within(PATIENCE, "a MariaDB that answers", || {
            Ok(self.machine.run(&["mariadb-admin", "ping"]).is_ok().then_some(()))
        })
    }

    /// Runs statements as root; gives rows, with tabulators between columns.
    pub fn run(&self, statements: &str) -> Result<String> {
        self.machine.run(&["mariadb", "--batch", "--skip-column-names", "-e", statements])
    }

    /// The first value that a statement gives.
    pub fn value(&self, statement: &str) -> Result<String> {
        Ok(self.run(statement)?.split(['\t', '\n']).next().unwrap_or_default().to_owned())
    }

    /// The first value that a statement gives, as a number.
    pub fn number(&self, statement: &str) -> Result<f64> {
        let value = self.value(statement)?;
        value.parse().attempt(|| format!("take `{value}`, which `{statement}` gave, for a number"))
    }

    /// A counter of `SHOW GLOBAL STATUS`.
    pub fn counter(&self, name: &str) -> Result<f64> {
        let line = self.run(&format!("SHOW GLOBAL STATUS LIKE '{name}'"))?;
        let value = line.split('\t').nth(1).unwrap_or_default().trim();
        value.parse().attempt(|| format!("take {name}, which is `{value}`, for a number"))
    }

    /// All global variables that the server has now, but for the one that names an instant.
    pub fn variables(&self) -> Result<String> {
        let all = self.run("SHOW GLOBAL VARIABLES")?;
        Ok(all.lines().filter(|line| !line.starts_with("gtid_")).collect::<Vec<_>>().join("\n"))
    }

    /// Does some work in the network of the machine, where [`login`] leads to the server.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.machine.within(work)
    }

    /// Opens a connection of an application and does some work with it.
    pub fn connected<T: Send>(&self, work: impl FnOnce(&mut Connection) -> Result<T> + Send) -> Result<T> {
        self.within(|| {
            let connection = Connection::open(&login(3306), PATIENCE);
            let mut connection = connection.attempt(|| "connect to the server".to_owned())?;
            use_site(&mut connection)?;
            work(&mut connection)
        })
    }

    /// The server's process, as the machine that runs the lab numbers it.
    pub fn process(&self) -> Result<u32> {
        let own = self.machine.network_identity()?;
        let processes = std::fs::read_dir("/proc").attempt(|| "list /proc".to_owned())?;
        let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_server = |pid: &u32| {
            let place = format!("/proc/{pid}");
            let name = std::fs::read_to_string(format!("{place}/comm")).unwrap_or_default();
            let network = std::fs::read_link(format!("{place}/ns/net")).unwrap_or_default();
            name.trim() == "mariadbd" && network == Path::new(&own)
        };
        numbers.into_iter().find(is_server).ok_or_else(|| FaultError::new("no mariadbd runs on the machine"))
    }
}

/// As an application, at this port of the machine.
pub fn login(port: u16) -> Login {
    Login::new(Address::Tcp("127.0.0.1".to_owned(), port), USER).with_password(Some(PASSWORD.to_owned()))
}

/// Chooses the schema of the site.
fn use_site(connection: &mut Connection) -> Result<()> {
    connection.execute(&format!("USE {SCHEMA}")).attempt(|| "choose a schema".to_owned()).map(drop)
}
