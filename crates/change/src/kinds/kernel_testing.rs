//! Network namespaces for tests on the live kernel, and guards that put back what is shared.

use std::fs::File;
use std::process::{Child, Command, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Kind, State};

/// A network namespace made by iproute2, gone when dropped.
pub(super) struct Namespace(pub(super) String);

impl Namespace {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self::named(&format!("narrows-change-{}-{}", id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(super) fn named(name: &str) -> Self {
        run("ip", "iproute2", &["netns", "add", name]);
        Self(name.to_owned())
    }

    /// Runs `ip` inside.
    pub(super) fn ip(&self, arguments: &[&str]) {
        run("ip", "iproute2", &[&["-n", &self.0], arguments].concat());
    }

    /// A process inside.
    pub(super) fn process(&self) -> Sleeper {
        Sleeper::wait_in(Command::new("ip").args(["netns", "exec", &self.0]))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

/// A process that does nothing until it is dropped.
pub(super) struct Sleeper(pub(super) Child);

impl Sleeper {
    /// Starts it by a command that executes what follows it, and waits until it runs.
    pub(super) fn wait_in(command: &mut Command) -> Self {
        let script = ["sh", "-c", "echo; exec sleep 600"];
        let mut child = command.args(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut byte = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut byte).unwrap();
        Self(child)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program, which a package has.
pub(super) fn run(program: &str, package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {package}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?} (needs root): {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs lines as a script of POSIX shell.
pub(super) fn shell(lines: &[String]) {
    run("sh", "dash", &["-euc", &lines.join("\n")]);
}

/// Waits for the sole right to change what the whole machine shares; held until dropped. The tests of the command
/// take turns by the same file.
pub(super) fn machine_alone() -> File {
    let path = std::env::temp_dir().join("narrows-real-faults.lock");
    let lock = File::options().create(true).truncate(false).write(true).open(path).unwrap();
    lock.lock().unwrap();
    lock
}

/// Puts a target back as it was, also when the test fails.
pub(super) struct Restored<'a> {
    target: &'a dyn Kind,
    pub(super) before: State,
}

impl<'a> Restored<'a> {
    pub(super) fn new(target: &'a dyn Kind) -> Self {
        Self { target, before: target.read().unwrap() }
    }
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let restored = self.target.write(&self.before);
        if !std::thread::panicking() {
            restored.unwrap();
            assert_eq!(self.target.read().unwrap(), self.before);
        }
    }
}

/// The state that setting a value makes of the present one.
pub(super) fn set(target: &dyn Kind, value: &str) -> State {
    let action = crate::Action::Set { value: value.to_owned() };
    target.wanted(&target.read().unwrap(), &action).unwrap()
}

/// Sets a value, makes sure it is read back, and puts the old one back.
pub(super) fn set_and_put_back(target: &dyn Kind, value: &str) {
    let restored = Restored::new(target);
    let wanted = set(target, value);
    target.write(&wanted).unwrap();
    let now = target.read().unwrap();
    assert_eq!(target.normal(&now), target.normal(&wanted), "{}", target.name());
    target.write(&restored.before).unwrap();
    assert_eq!(target.read().unwrap(), restored.before, "{}", target.name());
}
