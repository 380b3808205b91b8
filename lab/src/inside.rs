//! What scenarios need within a guest: its card, its services, its kernel's counters.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::faults::tools::{IP, Tool};
use crate::faults::wait::wait_for;
use crate::faults::{Attempt, FaultError, Result};
use crate::guest::GUEST_ADDRESS;

/// Shows and sets what drivers know of cards.
pub const ETHTOOL: Tool = Tool { program: "ethtool", package: "ethtool" };
/// Loads drivers.
pub const MODPROBE: Tool = Tool { program: "modprobe", package: "kmod" };
/// What `ss` loads with its first call, and without which the kernel tells nothing of listen queues.
const DIAGNOSTICS: &[&str] = &["tcp_diag", "udp_diag", "unix_diag"];

/// Makes the guest look like a machine that has run for a while, and like no container.
pub fn settle() -> Result<()> {
    match fs::remove_file("/.dockerenv") {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).attempt(|| "take /.dockerenv away".to_owned());
        }
        _ => {}
    }
    DIAGNOSTICS.iter().try_for_each(|module| MODPROBE.run(&[module]).map(drop))
}

/// The guest's card, up and with its address.
pub fn card() -> Result<String> {
    // Under systemd udev renames it; what it is called then no longer changes.
    if Path::new("/run/udev").exists() {
        Tool { program: "udevadm", package: "udev" }.run(&["settle"])?;
    }
    let name = wait_for("a network card", || {
        let interfaces = fs::read_dir("/sys/class/net").attempt(|| "list /sys/class/net".to_owned())?;
        let cards = interfaces.flatten().filter(|entry| entry.path().join("device").exists());
        Ok(cards.map(|entry| entry.file_name().to_string_lossy().into_owned()).next())
    })?;
    IP.run(&["address", "replace", &format!("{GUEST_ADDRESS}/24"), "dev", &name])?;
    IP.run(&["link", "set", &name, "up"])?;
    wait_for("a link that is up", || {
        let state = fs::read_to_string(format!("/sys/class/net/{name}/operstate")).unwrap_or_default();
        Ok(matches!(state.trim(), "up" | "unknown").then_some(()))
    })?;
    Ok(name)
}

/// A program in a control group of its own, as systemd would start it; ended when dropped.
pub struct Service(Child);

impl Service {
    /// Starts it below `system.slice`.
    pub fn start(name: &str, program: &str, arguments: &[&str]) -> Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let folder = root.join("system.slice").join(format!("{name}.service"));
        let attempted = || format!("make the control group {}", folder.display());
        let controllers = "+cpu +memory +io +pids";
        fs::write(root.join("cgroup.subtree_control"), controllers).attempt(attempted)?;
        fs::create_dir_all(root.join("system.slice")).attempt(attempted)?;
        fs::write(root.join("system.slice/cgroup.subtree_control"), controllers).attempt(attempted)?;
        fs::create_dir_all(&folder).attempt(attempted)?;
        let procs = fs::File::options().write(true).open(folder.join("cgroup.procs")).attempt(attempted)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: one write of a constant to a descriptor of the parent's, no allocation.
        unsafe {
            command.pre_exec(move || Ok(rustix::io::write(&procs, b"0").map(drop)?));
        }
        command.spawn().map(Self).attempt(|| format!("start {program} {}", arguments.join(" ")))
    }

    /// Fails if it has ended.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.0.try_wait().attempt(|| "ask for a service".to_owned())? {
            None => Ok(()),
            Some(status) => Err(FaultError::new(format!("a service ended: {status}"))),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An Nginx that answers every path itself, with so many workers and a listen queue for each.
pub fn answering_nginx(workers: u32) -> Result<Service> {
    let configuration = format!(
        "worker_processes {workers};\ndaemon off;\npid /run/web.pid;\nerror_log /run/web.error;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n    access_log off;\n    keepalive_requests 1000000;\n\
         \x20   server {{ listen 80 reuseport; location / {{ return 200 \"ok\\n\"; }} }}\n}}\n"
    );
    let path = "/run/web.conf";
    fs::write(path, configuration).attempt(|| format!("write {path}"))?;
    let mut nginx = Service::start("nginx", "nginx", &["-c", path])?;
    wait_for("a web server on port 80", || {
        nginx.check_alive()?;
        Ok(std::net::TcpStream::connect(("127.0.0.1", 80)).ok())
    })?;
    Ok(nginx)
}

/// Takes datagrams and throws them away, until the process ends.
pub fn sink(port: u16) -> Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", port)).attempt(|| format!("take datagrams on port {port}"))?;
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while socket.recv(&mut buffer).is_ok() {}
    });
    Ok(())
}
