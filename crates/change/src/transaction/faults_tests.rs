//! What goes wrong around a transaction: file systems that refuse, other people's changes, boots, copies of narrows.

use super::*;
use crate::State;
use crate::kinds::IrqAffinity;
use crate::own_namespaces::{run, with_own_mounts};
use crate::plan::{Activation, ActivationKind};
use crate::transaction::apply::write_steps;

fn put_back(applied: Applied) -> (ChangeError, Outcome) {
    match applied {
        Applied::PutBack { error, outcome } => (error, outcome),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_system_that_refuses_the_write_leaves_nothing_to_put_back() {
    with_own_mounts(|| {
        let place = Place::new();
        let (files, sizes) = (place.path("mounted"), ["ro", "rw,size=4k"]);
        std::fs::create_dir(&files).unwrap();
        let folder = files.display().to_string();
        for options in sizes {
            run("mount", &["mount", "-t", "tmpfs", "-o", "size=4k", "narrows", &folder]);
            std::fs::write(files.join("a.conf"), "vm.swappiness = 60\n").unwrap();
            let changes = vec![place.edit("mounted/a.conf", "10", Phase::Now)];
            run("mount", &["mount", "-o", &format!("remount,{options}"), &folder]);
            let (error, outcome) = put_back(place.apply(changes).unwrap());
            assert!(error.to_string().contains("a.conf"), "{error}");
            assert_eq!((outcome.left, outcome.transaction.status), (vec![], Status::Undone), "{options}");
            run("mount", &["umount", &folder]);
        }
    });
}

fn step(target: Target, original: State, wanted: State) -> Step {
    let (changes, phase) = (vec![target.kind().name()], Phase::Now);
    Step { sequence: 0, changes, target, phase, original, wanted, begun: false, restored: false }
}

/// A step that sets swappiness to 10 in a file.
fn edit_of(place: &Place, name: &str, phase: Phase) -> Step {
    let change = place.edit(name, "10", phase);
    let Operation { target, action, .. } = change.operations[0].clone();
    let original = target.kind().read().unwrap();
    let wanted = target.kind().wanted(&original, &action).unwrap();
    Step { phase, ..step(target, original, wanted) }
}

fn journaled(place: &Place, steps: &mut [Step], reloads: &[Activation]) -> i64 {
    for (sequence, step) in (0..).zip(&mut *steps) {
        step.sequence = sequence;
    }
    let new =
        NewTransaction { plan_hash: "sha256:0", plan_json: b"{}", deadline_unix_ms: None, reloads, steps };
    place.journal().begin(&new).unwrap()
}

/// Makes a transaction one of an earlier boot.
fn boot(place: &Place) {
    let journal = rusqlite::Connection::open(place.state().join("journal.sqlite")).unwrap();
    journal.execute("UPDATE transactions SET boot_id = 'another'", []).unwrap();
}

#[test]
fn a_file_that_is_saved_while_the_plan_is_applied_is_not_overwritten() {
    let place = Place::new();
    let mut steps = [edit_of(&place, "a.conf", Phase::Now), edit_of(&place, "b.conf", Phase::Now)];
    let id = journaled(&place, &mut steps, &[]);
    std::fs::write(place.path("b.conf"), "vm.swappiness = 33\n").unwrap();
    let stopped = write_steps(&place.journal(), id, &mut steps, |_| true, &mut vec![]).unwrap_err();
    assert!(stopped.error.to_string().contains("b.conf"), "{}", stopped.error);
    assert_eq!((stopped.writing, place.bytes("b.conf").as_str()), (None, "vm.swappiness = 33\n"));
    assert_eq!(undone(place.undo(None, false).unwrap()).left, vec![]);
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
    assert_eq!(place.bytes("b.conf"), "vm.swappiness = 33\n");
}

#[test]
fn an_interrupt_whose_number_a_boot_gave_away_does_not_hold_up_the_undo() {
    let place = Place::new();
    let target = Target::IrqAffinity(IrqAffinity { irq: 0, name: "none-of-this-name".to_owned() });
    let mut steps = [step(target, State::text("0"), State::text("1"))];
    let id = journaled(&place, &mut steps, &[]);
    place.journal().begin_step(id, 0).unwrap();
    let outcome = undone(place.undo(None, false).unwrap());
    assert!(outcome.left[0].instead.contains("--force"), "{:?}", outcome.left);
    boot(&place);
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!((outcome.left, outcome.transaction.status), (vec![], Status::Undone));
}

#[test]
fn what_has_gone_for_good_is_left_out_by_force() {
    let place = Place::new();
    let target = Target::IrqAffinity(IrqAffinity { irq: 0, name: "none-of-this-name".to_owned() });
    let id = journaled(&place, &mut [step(target, State::text("0"), State::text("1"))], &[]);
    place.journal().begin_step(id, 0).unwrap();
    assert_eq!(undone(place.undo(None, true).unwrap()).left, vec![]);
}

#[test]
fn a_value_that_a_boot_took_is_not_taken_for_somebodys_change() {
    let place = Place::new();
    let target = Target::Sysctl(Sysctl { key: "kernel.ostype".to_owned(), namespace: None });
    let id = journaled(&place, &mut [step(target, State::text("1"), State::text("2"))], &[]);
    place.journal().begin_step(id, 0).unwrap();
    assert_eq!(undone(place.undo(None, false).unwrap()).left.len(), 1);
    boot(&place);
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!((outcome.left, outcome.transaction.status), (vec![], Status::Undone));
    assert!(outcome.notes[0].contains("kernel.ostype went with the boot"), "{:?}", outcome.notes);
}

#[test]
fn services_that_a_boot_started_with_changed_files_take_the_old_ones_up() {
    let place = Place::new();
    let reload = Activation { unit: "narrows-none.service".to_owned(), how: ActivationKind::DaemonReload };
    let mut steps = [edit_of(&place, "a.conf", Phase::Now)];
    let id = journaled(&place, &mut steps, &[reload]);
    write_steps(&place.journal(), id, &mut steps, |_| true, &mut vec![]).unwrap();
    boot(&place);
    let outcome = undone(place.undo(None, false).unwrap());
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
    let told = outcome.notes.iter().any(|note| note.contains("narrows-none"));
    assert!(told || !outcome.left.is_empty(), "{:?}", outcome.notes);
}

#[test]
fn a_confirmation_that_was_refused_can_be_given_again() {
    let place = Place::new();
    let mut steps = [
        edit_of(&place, "a.conf", Phase::Now),
        edit_of(&place, "b.conf", Phase::Lasting),
        edit_of(&place, "none/c.conf", Phase::Lasting),
    ];
    let id = journaled(&place, &mut steps, &[]);
    write_steps(&place.journal(), id, &mut steps, |phase| phase == Phase::Now, &mut vec![]).unwrap();
    place.journal().set_status(id, Status::Trying, None).unwrap();
    // What stands in the way of the third write is no state of the file itself.
    let stray = place.path(".c.conf.narrows-new");
    std::fs::create_dir_all(place.path("none").join(stray.file_name().unwrap())).unwrap();
    confirm(&place.state()).unwrap_err();
    assert_eq!(place.bytes("b.conf"), "vm.swappiness=60");
    assert_eq!(place.journal().transaction(id).unwrap().status, Status::Trying);
    std::fs::remove_dir_all(place.path("none")).unwrap();
    assert_eq!(confirm(&place.state()).unwrap().transaction.status, Status::Applied);
    assert_eq!(place.bytes("b.conf"), "vm.swappiness=10");
    undone(place.undo(None, false).unwrap());
    assert_eq!(place.bytes("b.conf"), "vm.swappiness=60", "what was confirmed at the second time too");
}

#[test]
fn a_plan_for_another_host_is_refused() {
    let place = Place::new();
    let mut plan = plan(vec![place.edit("a.conf", "10", Phase::Now)]);
    plan.host.machine_id = Some("0".repeat(32));
    let options = ApplyOptions { state_directory: place.state(), only: vec![], trial: None, restart: false };
    let error = apply(&plan, &options).unwrap_err();
    assert!(error.to_string().contains("machine-id"), "{error}");
    assert_eq!(place.bytes("a.conf"), "# mine\nvm.swappiness = 60\n");
}

#[test]
fn a_full_disk_does_not_keep_the_host_from_being_put_back() {
    with_own_mounts(|| {
        let place = Place::new();
        std::fs::create_dir(place.state()).unwrap();
        let state = place.state().display().to_string();
        run("mount", &["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "narrows", &state]);
        done(place.apply(vec![place.edit("a.conf", "10", Phase::Now)]).unwrap());
        std::fs::write(place.state().join("filler"), vec![0; 4 << 20]).unwrap_err();
        let outcome = undone(place.undo(None, false).unwrap());
        assert_eq!((outcome.left, place.bytes("a.conf").as_str()), (vec![], "# mine\nvm.swappiness = 60\n"));
        assert!(!outcome.notes.is_empty(), "the journal could not say so");
        std::fs::remove_file(place.state().join("filler")).unwrap();
        let outcome = undone(place.undo(None, false).unwrap());
        assert_eq!((outcome.left, outcome.transaction.status), (vec![], Status::Undone));
    });
}

#[test]
fn changes_that_each_name_a_line_of_one_file_do_not_move_each_others_lines() {
    let place = Place::new();
    std::fs::write(place.path("c.conf"), "vm.swappiness = 1\n# kept\nvm.panic_on_oom = 1\n").unwrap();
    let out = |key: &str, line| {
        let target = Target::File(File { path: place.path("c.conf").display().to_string() });
        let edit = Edit::Sysctl { key: key.to_owned(), value: None, line: Some(line) };
        PlannedChange {
            id: key.to_owned(),
            ..planned(target, Action::Edit { edits: vec![edit] }, Phase::Now)
        }
    };
    done(place.apply(vec![out("vm.swappiness", 1), out("vm.panic_on_oom", 3)]).unwrap());
    assert_eq!(place.bytes("c.conf"), "# kept\n");
}
