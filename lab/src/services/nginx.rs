use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use super::Service;
use super::service::write;
use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result, kernel};

/// Port 80 of every address, in the state of a listener (`/proc/net/tcp`).
const LISTENING: &str = "00000000:0050 00000000:0000 0A";

/// nginx with one worker process.
pub struct Nginx {
    service: Service,
    folder: PathBuf,
}

impl Nginx {
    /// Starts it with the directives of one `server { … }`, which listens on port 80.
    pub fn start(namespace: &Namespace, folder: &Path, server: &str) -> Result<Self> {
        let shown = folder.display();
        let path = folder.join("nginx.conf");
        configure(folder, server)?;
        let configuration = path.display().to_string();
        let words = ["nginx", "-c", &configuration, "-e", &format!("{shown}/nginx-error.log")];
        let mut service = Service::start("nginx", namespace, &words, folder)?;
        // Looked up rather than tried, which would be one more connection in what narrows is shown.
        let sockets = format!("/proc/{}/net/tcp", service.pid());
        service
            .wait_until_ready(|| kernel::read(&sockets).is_ok_and(|sockets| sockets.contains(LISTENING)))?;
        Ok(Self { service, folder: folder.to_owned() })
    }

    /// The process of its master.
    pub fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// Writes other directives of the server; [`Nginx::reload`] takes them up.
    pub fn configure(&self, server: &str) -> Result<()> {
        configure(&self.folder, server)
    }

    /// The worker process.
    pub fn worker(&self) -> Result<Pid> {
        let workers = self.service.children()?;
        workers.first().copied().ok_or_else(|| FaultError::new("nginx has no worker process"))
    }

    /// Reloads the configuration (`nginx -s reload`), and waits until the old worker is gone.
    pub fn reload(&self) -> Result<()> {
        let old = self.worker()?;
        self.service.signal(Signal::HUP)?;
        wait_until("a new worker of nginx alone", || {
            let workers = self.service.children()?;
            Ok(!workers.is_empty() && !workers.contains(&old))
        })
    }

    /// Stops the worker process, or lets it go on: the master's listening sockets stay.
    pub fn halt(&self, worker: Pid, halted: bool) -> Result<()> {
        let signal = if halted { Signal::STOP } else { Signal::CONT };
        kill_process(worker, signal).attempt(|| "signal nginx's worker".to_owned())
    }

    /// How often its error log contains a text.
    pub fn errors(&self, text: &str) -> Result<usize> {
        let log = kernel::read(&self.folder.join("nginx-error.log").display().to_string())?;
        Ok(log.lines().filter(|line| line.contains(text)).count())
    }
}

fn configure(folder: &Path, server: &str) -> Result<()> {
    let shown = folder.display();
    // Some packages of nginx lack some of the modules that have temporary folders.
    let temporary = ["client_body", "proxy", "fastcgi"];
    let temporary =
        temporary.map(|module| format!("    {module}_temp_path {shown}/nginx-{module};\n")).concat();
    let text = format!(
        "user www-data;\nworker_processes 1;\ndaemon off;\npid {shown}/nginx.pid;\n\
         error_log {shown}/nginx-error.log;\nevents {{ worker_connections 4096; }}\nhttp {{\n\
         {temporary}    uwsgi_temp_path {shown}/nginx-uwsgi;\n    scgi_temp_path {shown}/nginx-scgi;\n\
         \x20   access_log {shown}/access.log;\n    server {{\n{server}\n    }}\n}}\n"
    );
    write(&folder.join("nginx.conf"), &text)
}
