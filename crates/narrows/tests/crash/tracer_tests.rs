//! The tracer itself, on a program whose changes are known.

use std::fs;
use std::process::Command;

use super::tracer::{Interference, run};
use crate::faults::tools::Tool;
use crate::faults::{Attempt, Result};

const CC: Tool = Tool { program: "cc", package: "gcc" };

/// Each of three threads appends a letter, one after another.
const THREADS: &str = r#"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
static void *work(void *unused) {
    int file = open("a", O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (write(file, "x", 1) != 1) _exit(1);
    close(file);
    return unused;
}
int main(void) {
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        if (pthread_create(&thread, 0, work, 0) || pthread_join(thread, 0)) return 1;
    }
    return 0;
}
"#;

fn three_writes(directory: &std::path::Path) -> Command {
    let mut command = Command::new("sh");
    command.current_dir(directory).args(["-c", "echo one >a; echo two >>a; echo three >>a"]);
    command
}

#[test]
fn a_process_is_killed_right_before_each_of_its_changes() -> Result<()> {
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let whole = run(&mut three_writes(directory.path()), Interference::Count)?;
    assert_eq!((whole.code, whole.interfered), (Some(0), false), "{}", whole.said);
    let mut seen = vec![];
    for change in 1..=whole.changes {
        let _ = fs::remove_file(directory.path().join("a"));
        let killed = run(&mut three_writes(directory.path()), Interference::KillBefore(change))?;
        assert_eq!((killed.code, killed.interfered), (None, true), "at change {change}");
        seen.push(fs::read_to_string(directory.path().join("a")).ok());
    }
    seen.dedup();
    let states = [None, Some(""), Some("one\n"), Some("one\ntwo\n")];
    assert_eq!(seen, states.map(|state| state.map(str::to_owned)));
    let beyond = run(&mut three_writes(directory.path()), Interference::KillBefore(whole.changes + 1))?;
    assert_eq!((beyond.code, beyond.interfered), (Some(0), false));
    Ok(())
}

/// Prepares [`THREADS`] to run in a directory.
fn three_threads(directory: &std::path::Path) -> Result<impl Fn() -> Command> {
    let (source, program) = (directory.join("threads.c"), directory.join("threads"));
    fs::write(&source, THREADS).attempt(|| "write a program".into())?;
    CC.run(&["-pthread", "-o", &program.to_string_lossy(), &source.to_string_lossy()])?;
    let directory = directory.to_owned();
    Ok(move || {
        let mut command = Command::new(&program);
        command.current_dir(&directory);
        command
    })
}

#[test]
fn the_changes_of_every_thread_count() -> Result<()> {
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let start = three_threads(directory.path())?;
    let whole = run(&mut start(), Interference::Count)?;
    assert_eq!(whole.code, Some(0), "{}", whole.said);
    let mut lengths = vec![];
    for change in 1..=whole.changes {
        let _ = fs::remove_file(directory.path().join("a"));
        run(&mut start(), Interference::KillBefore(change))?;
        lengths.push(fs::read(directory.path().join("a")).map_or(0, |bytes| bytes.len()));
    }
    lengths.dedup();
    assert_eq!(lengths, [0, 1, 2]);
    Ok(())
}

#[test]
fn a_refused_write_fails_and_writes_nothing() -> Result<()> {
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let start = three_threads(directory.path())?;
    // Each thread opens the file, which may make it, and writes to it.
    for (change, and_all_after, left) in [(4, false, "x"), (3, true, "x"), (6, false, "xx"), (7, true, "xxx")]
    {
        let _ = fs::remove_file(directory.path().join("a"));
        let refused = Interference::Refuse { change, and_all_after, errno: libc::ENOSPC };
        let ended = run(&mut start(), refused)?;
        assert_eq!(ended.interfered, change <= 6);
        assert_eq!(ended.code, Some(i32::from(change <= 6)), "{}", ended.said);
        let there = fs::read_to_string(directory.path().join("a")).attempt(|| "read what is left".into())?;
        assert_eq!(there, left, "refused from {change} on");
    }
    Ok(())
}
