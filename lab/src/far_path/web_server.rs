//! Debian's nginx in a namespace, serving files of zeros.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::FarPath;
use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result, report_left_behind};

/// An nginx that ends when dropped.
pub struct WebServer {
    child: Child,
    _folder: TempDir,
}

impl WebServer {
    /// Starts it with files of these names and sizes in bytes, and waits until it accepts.
    pub fn start(namespace: &Namespace, files: &[(&str, u64)]) -> Result<Self> {
        let folder =
            TempDir::with_prefix("narrows-nginx-").attempt(|| "make a folder for nginx".to_owned())?;
        let place = folder.path();
        fs::create_dir(place.join("files")).attempt(|| "make a folder for files".to_owned())?;
        for (name, bytes) in files {
            let path = place.join("files").join(name);
            let length = usize::try_from(*bytes).attempt(|| format!("make {name}"))?;
            fs::write(&path, vec![0; length]).attempt(|| format!("write {}", path.display()))?;
        }
        let (here, port) = (place.display(), FarPath::SITE.port());
        let configuration = format!(
            "daemon off; user root; worker_processes 2; pid {here}/pid; error_log {here}/error.log;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_timeout 75s; keepalive_requests 1000000;\n\
             server {{ listen {port}; root {here}/files; }} }}\n"
        );
        let path = place.join("nginx.conf");
        fs::write(&path, configuration).attempt(|| format!("write {}", path.display()))?;
        let mut command = namespace.command("nginx");
        command.arg("-p").arg(place).arg("-c").arg(&path);
        let child = command.stdin(Stdio::null()).spawn().attempt(|| "start nginx".to_owned())?;
        let mut server = Self { child, _folder: folder };
        wait_until("nginx accepting connections", || {
            if let Some(status) = server.child.try_wait().attempt(|| "look after nginx".to_owned())? {
                return Err(FaultError::new(format!("nginx ended with {status}")));
            }
            namespace.run(|| Ok(TcpStream::connect(FarPath::SITE).is_ok()))
        })?;
        Ok(server)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // The master ends its workers.
        let ended = kill_process(Pid::from_child(&self.child), Signal::TERM).map_err(std::io::Error::from);
        if let Err(error) = ended.and_then(|()| self.child.wait().map(drop)) {
            report_left_behind(error);
        }
    }
}
