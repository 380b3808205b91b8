use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Change, ChangeKind, Derived, Edit};

use super::*;
use crate::journal::{Journal, NewTransaction, Status, Step};
use crate::kinds::{File, Sysctl};
use crate::plan::{Plan, PlanHost, PlannedChange, SCHEMA};
use crate::{Action, ChangeError, Operation, Phase, Target};

/// A folder with a few files of an administrator's, and a journal.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.path("a.conf"), "# mine\nvm.swappiness = 60\n").unwrap();
        std::fs::write(place.path("b.conf"), "vm.swappiness=60").unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bytes(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Sets swappiness in a file.
    fn edit(&self, name: &str, value: &str, phase: Phase) -> PlannedChange {
        let target = Target::File(File { path: self.path(name).display().to_string() });
        let edit =
            Edit::Sysctl { key: "vm.swappiness".to_owned(), value: Some(value.to_owned()), line: None };
        planned(target, Action::Edit { edits: vec![edit] }, phase)
    }

    fn apply(&self, changes: Vec<PlannedChange>) -> Result<Applied, ChangeError> {
        let options =
            ApplyOptions { state_directory: self.state(), only: vec![], trial: None, restart: false };
        apply(&plan(changes), &options)
    }

    fn undo(&self, id: Option<i64>, force: bool) -> Result<Undo, ChangeError> {
        undo(&UndoOptions {
            state_directory: self.state(),
            id,
            force,
            unless_confirmed: false,
            patience: Duration::ZERO,
            why: None,
        })
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.state()).unwrap()
    }
}

fn planned(target: Target, action: Action, phase: Phase) -> PlannedChange {
    let before = target.fingerprint(&target.kind().read().unwrap());
    let id = target.kind().name();
    let what = ChangeKind::Elsewhere { place: id.clone() };
    PlannedChange {
        causes: vec!["layer.cause".to_owned()],
        severity: None,
        remedy: String::new(),
        why: String::new(),
        evidence: vec![],
        alternatives: vec![],
        moves: String::new(),
        metric: None,
        change: Change::new(what, None, Derived::new("", "")),
        operations: vec![Operation { target, action, phase, before }],
        reloads: vec![],
        shell: vec![],
        id,
    }
}

fn plan(changes: Vec<PlannedChange>) -> Plan {
    Plan {
        schema: SCHEMA.to_owned(),
        hash: "sha256:0".to_owned(),
        host: PlanHost::default(),
        changes,
        files: vec![],
        refused: vec![],
        by_hand: vec![],
    }
}

/// A kernel parameter that takes no such value.
fn refused_by_the_kernel() -> PlannedChange {
    let key = "net.ipv4.tcp_congestion_control".to_owned();
    let target = Target::Sysctl(Sysctl { key, namespace: None });
    planned(target, Action::Set { value: "no-such-algorithm".to_owned() }, Phase::Now)
}

fn done(applied: Applied) -> Outcome {
    match applied {
        Applied::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn undone(undo: Undo) -> Outcome {
    match undo {
        Undo::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_applied_is_undone_to_the_byte() {
    let place = Place::new();
    let changes = vec![place.edit("a.conf", "10", Phase::Now), place.edit("new.conf", "10", Phase::Lasting)];
    let outcome = done(place.apply(changes).unwrap());
    assert_eq!(outcome.transaction.status, Status::Applied);
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 10\n");
    assert!(place.bytes("new.conf").contains("vm.swappiness = 10"));
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!((outcome.transaction.status, outcome.left), (Status::Undone, vec![]));
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
    assert!(!place.path("new.conf").exists());
    assert!(matches!(place.undo(None, false).unwrap(), Undo::Nothing));
}

#[test]
fn applying_what_holds_already_writes_nothing() {
    let place = Place::new();
    assert!(matches!(place.apply(vec![place.edit("a.conf", "60", Phase::Now)]).unwrap(), Applied::Nothing));
    assert_eq!(place.journal().transactions().unwrap(), vec![]);
}

#[test]
fn one_refused_step_puts_the_whole_set_back() {
    let place = Place::new();
    let changes = vec![place.edit("a.conf", "10", Phase::Now), refused_by_the_kernel()];
    match place.apply(changes).unwrap() {
        Applied::PutBack { error, outcome } => {
            assert!(error.to_string().contains("no-such-algorithm"), "{error}");
            assert_eq!((outcome.transaction.status, outcome.left), (Status::Undone, vec![]));
            assert!(outcome.transaction.outcome.unwrap().contains("no-such-algorithm"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
}

#[test]
fn a_plan_is_refused_when_the_host_has_moved() {
    let place = Place::new();
    let changes = vec![place.edit("b.conf", "10", Phase::Now), place.edit("a.conf", "10", Phase::Now)];
    std::fs::write(place.path("a.conf"), "vm.swappiness = 30\n").unwrap();
    let error = place.apply(changes).unwrap_err();
    assert!(error.to_string().contains("a.conf"), "{error}");
    assert_eq!(place.bytes("b.conf"), "vm.swappiness=60");
    assert_eq!(place.journal().transactions().unwrap(), vec![]);
}

/// What a crash leaves: a journaled transaction whose first step may have been written.
fn cut_short(place: &Place, name: &str) -> i64 {
    let target = Target::File(File { path: place.path(name).display().to_string() });
    let original = target.kind().read().unwrap();
    let edit = Edit::Sysctl { key: "vm.swappiness".to_owned(), value: Some("10".to_owned()), line: None };
    let wanted = target.kind().wanted(&original, &Action::Edit { edits: vec![edit] }).unwrap();
    let (changes, begun, restored) = (vec![name.to_owned()], false, false);
    let step = Step { sequence: 0, changes, target, phase: Phase::Now, original, wanted, begun, restored };
    let mut journal = place.journal();
    let new = NewTransaction {
        plan_hash: "sha256:0",
        plan_json: b"{}",
        deadline_unix_ms: None,
        reloads: &[],
        steps: &[step],
    };
    journal.begin(&new).unwrap()
}

#[test]
fn after_a_crash_nothing_is_applied_until_it_is_undone() {
    let place = Place::new();
    let id = cut_short(&place, "a.conf");
    place.journal().begin_step(id, 0).unwrap();
    std::fs::write(place.path("a.conf"), "# mine\nvm.swappiness = 10\n").unwrap();
    let error = place.apply(vec![place.edit("a.conf", "20", Phase::Now)]).unwrap_err();
    assert!(error.to_string().contains(&format!("narrows undo {id}")), "{error}");
    undone(place.undo(None, false).unwrap());
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
    done(place.apply(vec![place.edit("a.conf", "20", Phase::Now)]).unwrap());
}

#[test]
fn a_step_that_was_not_begun_is_not_ours_to_undo() {
    let place = Place::new();
    cut_short(&place, "a.conf");
    std::fs::write(place.path("a.conf"), "# mine\nvm.swappiness = 10\n").unwrap();
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!(outcome.left, vec![]);
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 10\n", "the administrator's own");
}

#[test]
fn what_somebody_changed_since_is_left_and_reported() {
    let place = Place::new();
    let changes = vec![place.edit("a.conf", "10", Phase::Now), place.edit("b.conf", "10", Phase::Now)];
    done(place.apply(changes).unwrap());
    std::fs::write(place.path("a.conf"), "vm.swappiness = 33\n").unwrap();
    let outcome = undone(place.undo(None, false).unwrap());
    let names: Vec<_> = outcome.left.iter().map(|left| left.name.clone()).collect();
    assert_eq!(names, [place.path("a.conf").display().to_string()]);
    assert_eq!(
        (place.bytes("a.conf").as_str(), place.bytes("b.conf").as_str()),
        ("vm.swappiness = 33\n", "vm.swappiness=60")
    );
    assert_eq!(outcome.transaction.status, Status::Undoing);
    let error = place.apply(vec![place.edit("b.conf", "10", Phase::Now)]).unwrap_err();
    assert!(error.to_string().contains("cut short"), "{error}");
    let outcome = undone(place.undo(None, true).unwrap());
    assert_eq!((outcome.transaction.status, outcome.left), (Status::Undone, vec![]));
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
}

#[test]
fn a_later_transaction_on_the_same_target_is_undone_first() {
    let place = Place::new();
    let first = done(place.apply(vec![place.edit("a.conf", "10", Phase::Now)]).unwrap()).transaction.id;
    let second = done(place.apply(vec![place.edit("a.conf", "20", Phase::Now)]).unwrap()).transaction.id;
    done(place.apply(vec![place.edit("b.conf", "20", Phase::Now)]).unwrap());
    let error = place.undo(Some(first), false).unwrap_err();
    assert!(error.to_string().contains(&format!("narrows undo {second}")), "{error}");
    undone(place.undo(Some(second), false).unwrap());
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 10\n");
    undone(place.undo(Some(first), false).unwrap());
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
}

#[test]
fn two_changes_of_one_file_are_one_write() {
    let place = Place::new();
    let mut changes =
        vec![place.edit("a.conf", "10", Phase::Lasting), place.edit("a.conf", "10", Phase::Now)];
    changes[1].id = "other".to_owned();
    let edit = Edit::Line { line: "vm.panic_on_oom = 0".to_owned(), present: true };
    changes[1].operations[0].action = Action::Edit { edits: vec![edit] };
    let outcome = done(place.apply(changes).unwrap());
    assert_eq!(outcome.transaction.steps.len(), 1);
    assert_eq!(outcome.transaction.steps[0].phase, Phase::Now);
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 10\nvm.panic_on_oom = 0\n");
}

#[test]
fn only_chooses_by_identity_cause_and_layer() {
    let place = Place::new();
    let plan = plan(vec![place.edit("a.conf", "10", Phase::Now), place.edit("b.conf", "10", Phase::Now)]);
    let chosen = |word: &str| selected(&plan, &[word.to_owned()]).map(|changes| changes.len());
    let id = place.path("a.conf").display().to_string();
    assert_eq!((chosen(&id), chosen("layer"), chosen("layer.cause")), (Ok(1), Ok(2), Ok(2)));
    assert!(chosen("nothing").unwrap_err().to_string().contains("b.conf"));
}

#[test]
fn the_script_beside_the_plan_restores_without_narrows() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let place = Place::new();
    std::fs::set_permissions(place.path("a.conf"), std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(place.path("a.conf"), Some(1), Some(1)).unwrap();
    let changes =
        vec![place.edit("a.conf", "10", Phase::Now), place.edit("deep/new.conf", "10", Phase::Lasting)];
    let before = std::fs::metadata(place.path("a.conf")).unwrap();
    let outcome = done(place.apply(changes).unwrap());
    let ran = std::process::Command::new(Path::new(&outcome.folder).join("undo.sh")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let after = std::fs::metadata(place.path("a.conf")).unwrap();
    let facts = |file: &std::fs::Metadata| (file.mode(), file.uid(), file.gid(), file.mtime_nsec());
    assert_eq!(facts(&before), facts(&after));
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
    assert!(!place.path("deep").exists());
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!((outcome.transaction.status, outcome.left), (Status::Undone, vec![]));
}

#[path = "faults_tests.rs"]
mod faults;
