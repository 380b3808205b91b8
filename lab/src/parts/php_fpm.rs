//! Debian's Nginx before Debian's PHP-FPM, with a pool of a fixed size.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::server::{Running, wait_for_listener};
use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, Result};

/// Nginx at port 8080 of a namespace, PHP-FPM behind a Unix socket.
pub struct PhpSite {
    _nginx: Running,
    _fpm: Running,
    folder: TempDir,
}

impl PhpSite {
    /// Starts both; each request is answered by this script.
    pub fn start(namespace: &Namespace, workers: u32, script: &str) -> Result<Self> {
        let folder = TempDir::new().attempt(|| "make a folder for a site".to_owned())?;
        let at = folder.path().display();
        let write = |name: &str, text: String| {
            fs::write(folder.path().join(name), text).attempt(|| format!("write {name} of a site"))
        };
        write("page.php", script.to_owned())?;
        write("fpm.conf", fpm(folder.path(), workers))?;
        write("nginx.conf", nginx(folder.path()))?;
        let mut fpm = namespace.command("php-fpm8.2");
        let mut fpm = Running::start(fpm.args(["-F", "-R", "-n", "-y", &format!("{at}/fpm.conf")]))?;
        wait_until("the socket of PHP-FPM", || {
            fpm.check_alive()?;
            Ok(folder.path().join("fpm.sock").exists())
        })?;
        let mut nginx = namespace.command("nginx");
        let mut nginx =
            Running::start(nginx.args(["-p", &format!("{at}/"), "-c", &format!("{at}/nginx.conf")]))?;
        wait_for_listener(&mut nginx)?;
        Ok(Self { _nginx: nginx, _fpm: fpm, folder })
    }

    /// The path of the socket between the two.
    pub fn socket(&self) -> String {
        self.folder.path().join("fpm.sock").display().to_string()
    }
}

fn fpm(folder: &Path, workers: u32) -> String {
    let at = folder.display();
    format!(
        "[global]\nerror_log = {at}/fpm.log\ndaemonize = no\n\
         [www]\nuser = root\ngroup = root\nlisten = {at}/fpm.sock\nlisten.backlog = 511\n\
         pm = static\npm.max_children = {workers}\n"
    )
}

fn nginx(folder: &Path) -> String {
    let at = folder.display();
    format!(
        "user root;\ndaemon off;\npid {at}/nginx.pid;\nerror_log {at}/nginx.log;\nworker_processes 1;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  client_body_temp_path {at}/body;\n  fastcgi_temp_path {at}/fastcgi;\n\
         \x20 proxy_temp_path {at}/proxy;\n  scgi_temp_path {at}/scgi;\n  uwsgi_temp_path {at}/uwsgi;\n\
         \x20 server {{\n    listen 127.0.0.1:8080;\n    location / {{\n      fastcgi_pass unix:{at}/fpm.sock;\n\
         \x20     fastcgi_param SCRIPT_FILENAME {at}/page.php;\n      fastcgi_param REQUEST_METHOD $request_method;\n\
         \x20   }}\n  }}\n}}\n"
    )
}
