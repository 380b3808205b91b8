use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Service;
use crate::faults::netns::Namespace;
use crate::faults::tools::{SETPRIV, Tool};
use crate::faults::{Attempt, FaultError, Result};

const INSTALL: Tool = Tool { program: "mariadb-install-db", package: "mariadb-server" };

/// MariaDB with a fresh data directory, on port 3306 of one address.
pub struct MariaDb {
    _service: Service,
    socket: PathBuf,
}

impl MariaDb {
    /// Makes the data directory and starts it. Options files of the machine are not read.
    pub fn start(namespace: &Namespace, folder: &Path, address: &str) -> Result<Self> {
        Self::start_with(namespace, folder, address, &[])
    }

    /// As [`MariaDb::start`], with more options.
    pub fn start_with(namespace: &Namespace, folder: &Path, address: &str, more: &[&str]) -> Result<Self> {
        let data = folder.join("data");
        let (shown, socket) = (data.display(), data.join("mariadb.sock"));
        let temporary = temporary(folder)?;
        INSTALL.run(&[
            "--no-defaults",
            "--user=mysql",
            &format!("--datadir={shown}"),
            // A server that starts removes what others keep in a folder of temporary tables that they share.
            &format!("--tmpdir={shown}"),
            "--skip-test-db",
            &temporary,
            "--auth-root-authentication-method=normal",
        ])?;
        // MariaDB would give up root's rights itself, and with them the signal that ends it when this program dies.
        let plain = [
            SETPRIV.program,
            "--reuid=mysql",
            "--regid=mysql",
            "--clear-groups",
            "--pdeathsig=TERM",
            "--",
            "mariadbd",
            "--no-defaults",
            &format!("--datadir={shown}"),
            &format!("--tmpdir={shown}"),
            &format!("--socket={}", socket.display()),
            &format!("--pid-file={shown}/mariadb.pid"),
            &format!("--bind-address={address}"),
            "--skip-name-resolve",
            "--skip-log-bin",
            &temporary,
            "--innodb-buffer-pool-size=16M",
        ];
        let words = [&plain[..], more].concat();
        let mut service = Service::start("mariadbd", namespace, &words, folder)?;
        service.wait_until_ready(|| query(&socket, "SELECT 1").is_ok())?;
        Ok(Self { _service: service, socket })
    }

    /// Its socket, by which root gets in without a password.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Runs statements as its root.
    pub fn run(&self, statements: &str) -> Result<String> {
        query(&self.socket, statements)
    }
}

/// A place of its own for temporary tables: a server that starts removes all of them that it finds, also those of another
/// one that shares the place.
fn temporary(folder: &Path) -> Result<String> {
    let place = folder.join("temporary");
    let attempted = || format!("make {}", place.display());
    std::fs::create_dir_all(&place).attempt(attempted)?;
    std::fs::set_permissions(&place, Permissions::from_mode(0o1777)).attempt(attempted)?;
    Ok(format!("--tmpdir={}", place.display()))
}

fn query(socket: &Path, statements: &str) -> Result<String> {
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--socket"]).arg(socket);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().attempt(|| "start mariadb".to_owned())?;
    if let Some(mut input) = client.stdin.take() {
        input.write_all(statements.as_bytes()).attempt(|| "hand statements to mariadb".to_owned())?;
    }
    let output = client.wait_with_output().attempt(|| "run mariadb".to_owned())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(FaultError::new(format!("mariadb: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
