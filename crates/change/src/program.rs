//! Runs a program of the host that must end within a deadline.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::ChangeError;

/// Where programs of the system are looked for, whatever the caller's environment says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of an output is read, in bytes.
const OUTPUT_BYTES: usize = 4 << 20;

/// How often it is looked whether the program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a killed program may take to go. One that waits for a dead disk does not, and is left behind.
const GRACE: Duration = Duration::from_secs(1);

/// How a program fared.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It is not installed.
    NotInstalled,
    /// It ran to its end.
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard output and standard error, in the order of writing.
        output: String,
    },
}

/// Runs a program with its arguments, without input, in the C locale and with no other environment than a fixed
/// `PATH`. When the deadline passes, it is killed with all that it started in its process group.
///
/// # Errors
/// When it cannot be started although it is there, or does not end in time.
pub(crate) fn run(words: &[&str], deadline: Duration) -> Result<Ran, ChangeError> {
    let attempted = format!("run {}", words.join(" "));
    let Some((program, arguments)) = words.split_first() else {
        return Err(ChangeError::new(attempted, "no program is named"));
    };
    let failed = |error: &std::io::Error| ChangeError::io(&attempted, error);
    // Not a pipe: a service that is started here inherits it, holds it open, and would be killed by writing to it
    // once its reader has gone (SIGPIPE).
    let output: File = rustix::fs::memfd_create("output", MemfdFlags::CLOEXEC)
        .map_err(|errno| failed(&errno.into()))?
        .into();
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).process_group(0);
    command.stdout(output.try_clone().map_err(|error| failed(&error))?);
    command.stderr(output.try_clone().map_err(|error| failed(&error))?);
    // SAFETY: the closure runs after fork(2) and calls async-signal-safe functions only, on no memory but its own.
    unsafe { command.pre_exec(default_signals) };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ran::NotInstalled),
        Err(error) => return Err(failed(&error)),
    };
    match ended_within(&mut child, deadline).map_err(|error| failed(&error))? {
        Some(status) => Ok(Ran::Ended { status, output: text(&output).map_err(|error| failed(&error))? }),
        None => {
            kill(&mut child);
            let why = format!("it did not end within {} s and was killed", deadline.as_secs_f64());
            Err(ChangeError::new(attempted, why).help("run it by hand to see what it waits for"))
        }
    }
}

/// Undoes what a child inherits through exec(2): the signals that a transaction holds back, and those that `nohup` or
/// a caller had ignored, which a service started here would ignore for all of its life.
fn default_signals() -> std::io::Result<()> {
    // SAFETY: an all-zero `sigset_t` is a valid value to overwrite.
    let mut none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `none` is a live value; sigemptyset(3) and sigprocmask(2) are async-signal-safe, and a null pointer asks
    // for no copy of the old mask.
    let set = unsafe {
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    if set != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // All but those for real-time use, two of which are the C library's own. KILL and STOP refuse, as they must.
    for signal in 1..32 {
        // SAFETY: signal(2) is async-signal-safe; the default action runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    Ok(())
}

fn ended_within(child: &mut Child, deadline: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself meanwhile.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = ended_within(child, GRACE);
}

/// Reads without moving the position at which a service that inherited the file may still write.
fn text(output: &File) -> std::io::Result<String> {
    let (mut bytes, mut chunk) = (vec![], vec![0; 64 << 10]);
    while bytes.len() < OUTPUT_BYTES {
        let at = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match output.read_at(&mut chunk, at)? {
            0 => break,
            count => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines that matter of a program's output, or its last few where none do; short, without control characters.
pub(crate) fn lines_that_matter(output: &str, matters: impl Fn(&str) -> bool) -> Vec<String> {
    const LAST: usize = 5;
    let lines = || output.lines().filter(|line| !line.trim().is_empty());
    let found: Vec<_> = lines().filter(|line| matters(line)).map(plain).collect();
    if !found.is_empty() {
        return found;
    }
    let mut last: Vec<_> = lines().rev().take(LAST).map(plain).collect();
    last.reverse();
    last
}

/// A line of at most 300 characters without control characters and blanks around it.
pub(crate) fn plain(line: &str) -> String {
    let plain: String = line.chars().filter(|character| !character.is_control()).collect();
    plain.trim().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::test_kill_process_group;

    fn ended(words: &[&str]) -> (Option<i32>, String) {
        match run(words, Duration::from_secs(60)).unwrap() {
            Ran::Ended { status, output } => (status.code(), output),
            Ran::NotInstalled => panic!("{words:?} is not installed"),
        }
    }

    #[test]
    fn a_program_tells_how_it_ended_and_what_it_wrote_in_order() {
        let script = "echo a; echo b >&2; echo c; cat; exit 3";
        assert_eq!(ended(&["sh", "-c", script]), (Some(3), "a\nb\nc\n".to_owned()));
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        assert!(matches!(run(&["no-such-program"], GRACE), Ok(Ran::NotInstalled)));
        assert!(run(&["/etc/passwd"], GRACE).is_err());
    }

    #[test]
    fn a_program_past_its_deadline_is_killed_with_what_it_started() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $$ > {0}.new; mv {0}.new {0}; wait", file.display());
        let start = Instant::now();
        // The deadline grows until the shell has got so far as to write its number.
        let group = (1..).find_map(|tenths| {
            let error = run(&["sh", "-c", &script], Duration::from_millis(tenths * 100)).unwrap_err();
            assert!(error.to_string().contains("and was killed; run it by hand"), "{error}");
            std::fs::read_to_string(&file).ok()
        });
        assert!(start.elapsed() < Duration::from_secs(600));
        let group = Pid::from_raw(group.unwrap().trim().parse().unwrap()).unwrap();
        while test_kill_process_group(group).is_ok() {
            std::thread::sleep(PAUSE);
        }
    }

    #[test]
    fn a_program_sees_no_signal_held_back_or_ignored_and_a_plain_environment() {
        // SAFETY: the mask is this thread's own; the set is filled before it is used.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
        }
        let (_, status) = ended(&["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]);
        let masks: Vec<_> = status.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        let [blocked, ignored] = masks[..] else { panic!("{status}") };
        assert_eq!(u64::from_str_radix(blocked, 16), Ok(0));
        // The 32nd is the C library's own, and passes through from whoever started the tests.
        assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff, 0);
        let (_, environment) = ended(&["env"]);
        assert_eq!(environment, format!("LC_ALL=C\nPATH={PATH}\n"));
    }

    #[test]
    fn a_service_left_running_does_not_hold_the_answer_up() {
        let (status, output) = ended(&["sh", "-c", "setsid sleep 1000 & echo $!"]);
        assert_eq!(status, Some(0));
        let left = Pid::from_raw(output.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(left, Signal::KILL).unwrap();
    }

    #[test]
    fn the_lines_that_matter_are_short_and_plain() {
        let output = format!("note\n [emerg] \u{1b}[31mbad\n\n{}\n", "x".repeat(1000));
        assert_eq!(lines_that_matter(&output, |line| line.contains("emerg")), ["[emerg] [31mbad"]);
        let last = lines_that_matter(&output, |_| false);
        assert_eq!((last.len(), last[2].len()), (3, 300));
    }
}
