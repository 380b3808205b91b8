//! Network namespaces for tests on the live kernel.

use std::os::fd::AsFd;
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace made by iproute2, gone when dropped.
pub(super) struct Namespace(String);

impl Namespace {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("narrows-link-{}-{}", id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        Self(name)
    }

    /// What `ip netns` calls it.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Runs `ip` inside.
    pub(super) fn ip(&self, arguments: &str) -> String {
        self.tool("ip", arguments)
    }

    /// Runs `tc` inside.
    pub(super) fn tc(&self, arguments: &str) -> String {
        self.tool("tc", arguments)
    }

    fn tool(&self, tool: &str, arguments: &str) -> String {
        let words: Vec<_> = ["-n", &self.0].into_iter().chain(arguments.split_whitespace()).collect();
        run(tool, &words)
    }

    /// Runs a line of shell inside.
    pub(super) fn sh(&self, line: &str) -> String {
        run("ip", &["netns", "exec", &self.0, "sh", "-c", line])
    }

    /// Runs `work` on a thread of its own inside.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.0)).unwrap();
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// Runs a program, which must succeed, and returns what it printed.
pub(super) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; apt-get install iproute2 ethtool"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?} (needs root): {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
