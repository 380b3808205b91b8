use super::*;
use crate::kinds::Sysctl;
use crate::{Phase, State, Target};

fn step(sequence: u32, key: &str, original: &str, wanted: &str) -> Step {
    Step {
        sequence,
        changes: vec![key.to_owned()],
        target: Target::Sysctl(Sysctl { key: key.to_owned(), namespace: None }),
        phase: Phase::Now,
        original: State::text(original),
        wanted: State::text(wanted),
        begun: false,
        restored: false,
    }
}

fn begin(journal: &mut Journal, steps: &[Step]) -> i64 {
    let new = NewTransaction {
        plan_hash: "sha256:0",
        plan_json: b"{}",
        deadline_unix_ms: None,
        reloads: &[],
        steps,
    };
    journal.begin(&new).unwrap()
}

#[test]
fn what_was_journaled_is_read_again_by_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("deep").join("state");
    let steps = [step(0, "net.core.somaxconn", "128", "4096"), step(1, "vm.swappiness", "60", "10")];
    let mut journal = Journal::open(&place).unwrap();
    let id = begin(&mut journal, &steps);
    journal.begin_step(id, 0).unwrap();
    drop(journal);
    let read = Journal::open(&place).unwrap().transaction(id).unwrap();
    assert_eq!(read.status, Status::Applying);
    let begun: Vec<_> = read.steps.iter().map(|step| step.begun).collect();
    assert_eq!(begun, [true, false]);
    assert_eq!((&read.steps[0].original, &read.steps[0].wanted), (&steps[0].original, &steps[0].wanted));
}

#[test]
fn the_state_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("state");
    let mut journal = Journal::open(&place).unwrap();
    let id = begin(&mut journal, &[step(0, "net.core.somaxconn", "128", "4096")]);
    for path in [place.clone(), place.join("applied"), journal.folder(id), journal.folder(id).join("files")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
}

#[test]
fn numbers_are_not_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path()).unwrap();
    let first = begin(&mut journal, &[]);
    journal.connection.execute("DELETE FROM transactions", []).unwrap();
    assert!(begin(&mut journal, &[]) > first);
}

#[test]
fn a_folder_that_a_crash_left_uncommitted_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path()).unwrap();
    let stray = journal.folder(1).join("files");
    std::fs::create_dir_all(&stray).unwrap();
    std::fs::write(stray.join("0-somaxconn"), "of nobody").unwrap();
    assert_eq!(begin(&mut journal, &[]), 1);
    assert!(!stray.join("0-somaxconn").exists());
}

#[test]
fn a_damaged_journal_points_to_the_scripts() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("journal.sqlite"),
        "this is no database, and long enough to tell".repeat(99),
    )
    .unwrap();
    let error = Journal::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("undo.sh"), "{error}");
}

#[test]
fn a_journal_of_a_later_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(journal);
    let error = Journal::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("version 99"), "{error}");
}

#[test]
fn a_transaction_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = Journal::open(directory.path()).unwrap().transaction(7).unwrap_err();
    assert!(error.to_string().contains("transaction 7"), "{error}");
}
