//! A MariaDB for one trial, gone afterwards.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::{Address, Connection, Login};
use tempfile::TempDir;

use super::{Stop, TrialError};

/// The beginning of its folder's name.
pub(super) const FOLDER: &str = "narrows-trial-";
/// The longest that it may take to start.
const START: Duration = Duration::from_secs(60);
/// How much of its own log an error repeats, in bytes.
const SHOWN: usize = 600;
/// Where servers lie, besides the search path.
const FOLDERS: [&str; 6] =
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec", "/opt/mariadb/bin"];

/// How it is set up.
#[derive(Debug, Clone, Default)]
pub(super) struct Setup {
    /// Memory for data, in bytes.
    pub(super) buffer_pool: u64,
    /// `character_set_server` and `collation_server`, as on the source.
    pub(super) collation: Option<(String, String)>,
    /// Whether names of tables are compared without case, as on the source.
    pub(super) lower_case: Option<String>,
}

/// A server that reads no option file, listens on no network, and ends when dropped; the kernel ends it when the thread
/// that started it ends otherwise.
pub(super) struct ThrowAway {
    process: Arc<Mutex<Child>>,
    folder: TempDir,
}

impl ThrowAway {
    /// Starts it, and waits until it answers.
    pub(super) fn start(setup: &Setup, stop: &Stop) -> Result<Self, TrialError> {
        let installer = program(&["mariadb-install-db", "mysql_install_db"])?;
        let daemon = program(&["mariadbd", "mysqld"])?;
        let failed =
            |error: std::io::Error| TrialError::server("make a folder for the throw-away server", error);
        let folder = TempDir::with_prefix(FOLDER).map_err(failed)?;
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).map_err(failed)?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data).map_err(failed)?;
        std::fs::set_permissions(&data, Permissions::from_mode(0o700)).map_err(failed)?;
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            chown(&data, Some(uid), Some(gid)).map_err(failed)?;
        }
        install(&installer, &data, user)?;
        stop.check()?;
        let process = spawn(&daemon, &data, user, setup)?;
        let mut server = Self { process: Arc::new(Mutex::new(process)), folder };
        let shared = Arc::clone(&server.process);
        stop.breaks(move || {
            let _ = shared.lock().unwrap_or_else(PoisonError::into_inner).kill();
        });
        server.wait(stop)?;
        Ok(server)
    }

    /// As whom to talk to it.
    pub(super) fn login(&self) -> Login {
        Login::new(Address::Socket(self.data().join("s").display().to_string()), "root")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn wait(&mut self, stop: &Stop) -> Result<(), TrialError> {
        let begun = Instant::now();
        loop {
            stop.check()?;
            let ended = self.process.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
            if let Ok(Some(status)) = ended {
                return Err(TrialError::server(
                    format!("start the throw-away server: it ended with {status}"),
                    self.said(),
                ));
            }
            let open = Connection::open(&self.login(), Duration::from_secs(5));
            match open.and_then(|mut connection| connection.query("SELECT 1")) {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > START => {
                    return Err(TrialError::server(
                        "reach the throw-away server",
                        format!("{error}; {}", self.said()),
                    ));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn said(&self) -> String {
        let log = std::fs::read(self.data().join("log")).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(SHOWN)..).unwrap_or_default();
        String::from_utf8_lossy(tail).trim().to_owned()
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // Its data is thrown away, so that nothing is gained by letting it write it out.
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

fn install(installer: &Path, data: &Path, user: Option<(u32, u32)>) -> Result<(), TrialError> {
    let attempted = "make the data of the throw-away server";
    let mut command = Command::new(installer);
    command.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--cross-bootstrap",
    ]);
    command.arg(format!("--datadir={}", data.display())).current_dir(data).stdin(Stdio::null());
    match user {
        // The script gives up root's rights itself, for the server alone.
        Some(_) => command.arg("--user=mysql"),
        None => command.args(rustix::process::geteuid().is_root().then_some("--user=root")),
    };
    as_user(&mut command, None);
    let output = command.output().map_err(|error| TrialError::server(attempted, error))?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    let start = said.len().saturating_sub(SHOWN);
    Err(TrialError::server(attempted, said.get(start..).unwrap_or(&said).trim()))
}

fn spawn(daemon: &Path, data: &Path, user: Option<(u32, u32)>, setup: &Setup) -> Result<Child, TrialError> {
    let attempted = "start the throw-away server";
    let shown = data.display();
    let log =
        std::fs::File::create(data.join("log")).map_err(|error| TrialError::server(attempted, error))?;
    let errors = log.try_clone().map_err(|error| TrialError::server(attempted, error))?;
    let mut command = Command::new(daemon);
    command.args([
        "--no-defaults",
        "--skip-networking",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--local-infile=0",
    ]);
    command.args([
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-log-file-size=96M",
    ]);
    command.args([
        "--log-output=TABLE",
        "--slow-query-log=1",
        "--long-query-time=31536000",
        "--max-allowed-packet=64M",
    ]);
    command.args([
        format!("--datadir={shown}"),
        format!("--socket={shown}/s"),
        format!("--pid-file={shown}/pid"),
    ]);
    command.args([format!("--tmpdir={shown}"), format!("--secure-file-priv={shown}")]);
    command.arg(format!("--innodb-buffer-pool-size={}", setup.buffer_pool));
    if let Some((charset, collation)) = &setup.collation {
        command
            .args([format!("--character-set-server={charset}"), format!("--collation-server={collation}")]);
    }
    if let Some(lower) = &setup.lower_case {
        command.arg(format!("--lower-case-table-names={lower}"));
    }
    if user.is_none() && rustix::process::geteuid().is_root() {
        command.arg("--user=root");
    }
    command.current_dir(data).stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
    as_user(&mut command, user);
    command.spawn().map_err(|error| TrialError::server(attempted, error))
}

fn as_user(command: &mut Command, user: Option<(u32, u32)>) {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    // SAFETY: prctl(2) is async-signal-safe and allocates nothing. It comes after the change of the user, which clears it.
    unsafe {
        command.pre_exec(|| {
            Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
        });
    }
}

/// The user `mysql`, where this program is root.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("mysql:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn program(names: &[&'static str]) -> Result<PathBuf, TrialError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from)).collect();
    let found = names
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()));
    found.ok_or(TrialError::NoProgram(names.first().copied().unwrap_or("mariadbd")))
}
