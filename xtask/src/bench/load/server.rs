//! Nginx with a page of 1 KiB.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Ends with its workers when it is dropped.
pub(super) struct Nginx {
    master: Child,
    pub(super) url: String,
}

impl Nginx {
    pub(super) fn start() -> anyhow::Result<Self> {
        let place = crate::root().join("target/bench-load");
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join("page"), [b'x'; 1024])?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let at = place.display();
        let conf = format!(
            "worker_processes 2; daemon off; pid {at}/pid; error_log {at}/error.log; user root;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; root {at}; client_body_temp_path {at}/1; proxy_temp_path {at}/2;\n\
             fastcgi_temp_path {at}/3; uwsgi_temp_path {at}/4; scgi_temp_path {at}/5;\n\
             server {{ listen {address}; }} }}\n"
        );
        std::fs::write(place.join("nginx.conf"), conf)?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(place.join("nginx.conf")).stdin(Stdio::null()).stderr(Stdio::null());
        let master = command.spawn().context("could not start nginx")?;
        let nginx = Self { master, url: format!("http://{address}/page") };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() || nginx.workers()?.len() < 2 {
            if start.elapsed() > Duration::from_secs(10) {
                bail!(
                    "nginx does not listen on {address}; see {}",
                    PathBuf::from("target/bench-load").display()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(nginx)
    }

    fn workers(&self) -> anyhow::Result<Vec<Pid>> {
        let pid = self.master.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .context("could not list the workers of nginx")?;
        let pids = children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
        Ok(pids.collect())
    }

    pub(super) fn stop_workers(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    pub(super) fn continue_workers(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        for worker in self.workers()? {
            kill_process(worker, signal).context("could not signal a worker of nginx")?;
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.continue_workers().ok();
        kill_process(Pid::from_child(&self.master), Signal::TERM).ok();
        self.master.wait().ok();
    }
}
