//! The program, run by root, by nobody, and at a terminal.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a run of the program left.
pub(crate) struct Ran(Output);

/// Runs the program as root, with nobody at its standard input.
pub(crate) fn narrows(arguments: &[&str]) -> Ran {
    Ran::of(arguments, &[("NO_COLOR", "1")])
}

impl Ran {
    pub(crate) fn of(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
        Self(command.output().unwrap())
    }

    fn exited(&self, code: i32) {
        let Output { status, stdout, stderr } = &self.0;
        let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
        assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    }

    /// What it printed, after it exited with this code.
    pub(crate) fn text(&self, code: i32) -> String {
        self.exited(code);
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// The JSON it printed, after it exited with this code.
    pub(crate) fn json(&self, code: i32) -> Value {
        serde_json::from_str(&self.text(code)).unwrap()
    }

    /// What it complained of, after it exited with this code.
    pub(crate) fn error(&self, code: i32) -> String {
        self.exited(code);
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

/// Runs the program as a user without rights, who can reach a copy of it.
pub(crate) fn unprivileged(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("narrows");
    std::fs::copy(env!("CARGO_BIN_EXE_narrows"), &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy).args(arguments);
    let output = command.stdin(Stdio::null()).output();
    Ran(output.unwrap_or_else(|error| panic!("setpriv: {error}; apt-get install util-linux")))
}

/// Runs the program at a terminal of its own, where somebody types an answer. Gives what the terminal showed, and the
/// exit code.
pub(crate) fn run_in_terminal(arguments: &[&str], answer: &str) -> (String, i32) {
    let words: Vec<_> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("'{}' {}", env!("CARGO_BIN_EXE_narrows"), words.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("NO_COLOR", "1");
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("script: {error}; apt-get install bsdutils"));
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap())
}
