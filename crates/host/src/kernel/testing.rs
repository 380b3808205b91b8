//! Sockets and network namespaces for tests on the live kernel.

#![expect(clippy::disallowed_methods, reason = "tests build what the code under test reads")]

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Calls `read` until it answers; fails the test after ten seconds.
pub(super) fn wait_for<T>(what: &str, mut read: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = read() {
            return answer;
        }
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        thread::yield_now();
    }
}

/// Listens on a free port of `ip` with exactly that backlog.
pub(super) fn tcp_listener(ip: &str, backlog: i32) -> (OwnedFd, SocketAddr) {
    let address = SocketAddr::new(ip.parse().unwrap(), 0);
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let listener = socket(family, SocketType::STREAM, None).unwrap();
    bind(&listener, &address).unwrap();
    listen(&listener, backlog).unwrap();
    let bound = getsockname(&listener).unwrap().try_into().unwrap();
    (listener, bound)
}

/// A network namespace made by iproute2, gone when dropped.
pub(super) struct NetworkNamespace(String);

impl NetworkNamespace {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("narrows-test-{}-{}", id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        let namespace = Self(name);
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    /// Runs `ip` inside.
    pub(super) fn ip(&self, arguments: &[&str]) {
        run("ip", &[&["-n", &self.0], arguments].concat());
    }

    /// Runs `tc` inside.
    pub(super) fn tc(&self, arguments: &[&str]) {
        run("tc", &[&["-n", &self.0], arguments].concat());
    }

    /// Runs `work` on a thread of its own inside.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.0)).unwrap();
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }
}

impl Drop for NetworkNamespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?} (needs root and iproute2): {said}");
}
