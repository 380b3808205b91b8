//! Asks a real PHP-FPM, where one is installed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that starts a server of its own")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use host::{Host, HostError, LiveHost, Question};
use rustix::process::{Pid, Signal, kill_process};

/// A master in the foreground, ended with this value.
struct Fpm {
    master: Child,
    folder: tempfile::TempDir,
}

impl Drop for Fpm {
    fn drop(&mut self) {
        // Workers outlive a master that is killed.
        kill_process(Pid::from_child(&self.master), Signal::TERM).ok();
        self.master.wait().ok();
    }
}

fn program() -> Option<PathBuf> {
    let mut paths = Path::new("/usr/sbin").read_dir().ok()?.flatten().map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().contains("/php-fpm8"))
}

fn wait_until(mut there: impl FnMut() -> bool) {
    while !there() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Fpm {
    /// Starts one pool with further lines; `None` where no PHP-FPM is installed or this is not root.
    fn start(listen: &str, lines: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let below = |name: &str| folder.path().join(name).display().to_string();
        let listen = if listen.is_empty() { below("fpm.sock") } else { listen.to_owned() };
        let text = format!(
            "[global]\nerror_log = {}\ndaemonize = no\n[www]\nuser = www-data\nlisten = {listen}\npm = static\n\
             pm.max_children = 2\npm.status_path = /status\n{lines}\n",
            below("fpm.log")
        );
        std::fs::write(below("fpm.conf"), text).unwrap();
        let mut command = Command::new(program);
        command.args(["-F", "-y", &below("fpm.conf"), "-d", "opcache.enable=1"]);
        let master = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let fpm = Self { master, folder };
        wait_until(|| match listen.starts_with('/') {
            true => std::os::unix::net::UnixStream::connect(&listen).is_ok(),
            false => std::net::TcpStream::connect(&listen).is_ok(),
        });
        Some(fpm)
    }

    fn address(&self) -> String {
        self.folder.path().join("fpm.sock").display().to_string()
    }
}

fn ask_status(address: &str) -> Result<Vec<u8>, HostError> {
    LiveHost::new().ask(&Question::FpmStatus { address: address.to_owned(), path: "/status".to_owned() })
}

fn ask_opcache(address: &str) -> Result<serde_json::Value, HostError> {
    let answer = LiveHost::new().ask(&Question::OpcacheStatus { address: address.to_owned() })?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

/// Waits until this process has nothing in `/run`: another test may be asking at the moment.
fn wait_until_nothing_is_left() {
    let own = format!("narrows-asks-{}-", std::process::id());
    wait_until(|| {
        let entries = Path::new("/run").read_dir().unwrap().flatten();
        !entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&own))
    });
}

#[test]
fn the_status_page_is_answered_over_a_unix_socket_and_over_tcp() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tcp = format!("127.0.0.1:{port}");
    for listen in ["", &tcp] {
        let Some(fpm) = Fpm::start(listen, "") else { return };
        let address = if listen.is_empty() { fpm.address() } else { tcp.clone() };
        let status: serde_json::Value = serde_json::from_slice(&ask_status(&address).unwrap()).unwrap();
        assert_eq!(status["pool"], "www");
        assert!(!status["processes"].as_array().unwrap().is_empty(), "{status}");
    }
}

#[test]
fn opcache_is_asked_without_a_trace_in_it() {
    let never_too_young = "php_admin_value[opcache.file_update_protection] = 0";
    for lines in ["", never_too_young] {
        let Some(fpm) = Fpm::start("", lines) else { return };
        for _ in 0..5 {
            let answer = ask_opcache(&fpm.address()).unwrap();
            let statistics = &answer["status"]["opcache_statistics"];
            assert_eq!(statistics["num_cached_scripts"], 0, "{answer}");
            assert!(answer["status"]["memory_usage"]["used_memory"].as_u64().unwrap() > 0);
            assert!(!answer["settings"]["opcache.validate_timestamps"].is_null(), "{answer}");
            assert!(answer["settings"]["memory_limit"].is_string());
        }
    }
    wait_until_nothing_is_left();
}

#[test]
fn pools_that_cannot_answer_say_so_and_leave_nothing() {
    for (lines, expected) in [
        ("php_admin_value[open_basedir] = /srv", "PHP-FPM answered 404"),
        ("security.limit_extensions = .html", "PHP-FPM answered 403"),
        ("chroot = /var", "PHP-FPM answered 404"),
    ] {
        let Some(fpm) = Fpm::start("", lines) else { return };
        let error = ask_opcache(&fpm.address()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    for (lines, field, value) in [
        ("php_admin_value[disable_functions] = opcache_get_status", "missing", serde_json::json!("disabled")),
        ("php_admin_value[opcache.restrict_api] = /srv", "status", serde_json::json!(false)),
    ] {
        let Some(fpm) = Fpm::start("", lines) else { return };
        let answer: serde_json::Value = ask_opcache(&fpm.address()).unwrap();
        assert_eq!(&answer[field], &value, "{lines}: {answer}");
    }
    wait_until_nothing_is_left();
}
