//! Debian's Nginx, started for a test and ended with it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// One that serves a page of 1 KiB at `/page` in four ways.
pub(crate) struct Nginx {
    master: Child,
    _folder: TempDir,
    pub(crate) plain: SocketAddr,
    pub(crate) plain_http2: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) tls_http2: SocketAddr,
}

impl Nginx {
    /// Starts in the network namespace of this thread.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        certificate(place);
        let [plain, plain_http2, tls, tls_http2] = free_addresses();
        let at = place.display();
        let servers = [(plain, ""), (plain_http2, "http2"), (tls, "ssl"), (tls_http2, "ssl http2")]
            .map(|(address, how)| format!("server {{ listen {address} {how}; }}\n"))
            .concat();
        let conf = format!(
            "worker_processes 1; daemon off; pid {at}/pid; error_log {at}/error.log; user root;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; root {at}; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
             client_body_temp_path {at}/1; proxy_temp_path {at}/2; fastcgi_temp_path {at}/3;\n\
             uwsgi_temp_path {at}/4; scgi_temp_path {at}/5;\n{servers}}}\n"
        );
        std::fs::write(place.join("nginx.conf"), conf).unwrap();
        std::fs::write(place.join("page"), vec![b'x'; 1024]).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(place.join("nginx.conf")).stdin(Stdio::null()).stderr(Stdio::null());
        let master = command.spawn().expect("nginx is installed: apt-get install nginx-light");
        let nginx = Self { master, _folder: folder, plain, plain_http2, tls, tls_http2 };
        let give_up = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(nginx.tls_http2).is_err() {
            assert!(Instant::now() < give_up, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM lets the master end its workers; what it does not end in time is killed with it.
        let pid = rustix::process::Pid::from_child(&self.master);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        self.master.wait().ok();
    }
}

fn certificate(place: &std::path::Path) {
    let status = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(place.join("key.pem"))
        .arg("-out")
        .arg(place.join("cert.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("openssl is installed: apt-get install openssl").success());
}

/// Ports that were free a moment ago.
fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    std::array::from_fn(|index| held[index].local_addr().unwrap())
}
