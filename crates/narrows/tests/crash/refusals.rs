//! What the system refuses, on disks that are full, read-only or broken and elsewhere: the host is as it was, or an
//! undo makes it so.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fs;
use std::path::{Path, PathBuf};

use super::kills::{Scenario, Trial, some_of, succeed};
use super::scenarios::{edited_file, mount, new_file, nginx, steering, sysctl, together};
use super::tracer::{Ended, Interference};
use super::world::World;
use crate::faults::tools::Tool;
use crate::faults::{Attempt, FaultError, Result};

/// More writes than any transaction makes.
const MOST: usize = 5000;
/// Exit codes of narrows.
const REFUSED: i32 = 4;
const INCOMPLETE: i32 = 5;

fn three(world: &World) -> Result<Scenario> {
    let (sysctl, steering) = (sysctl(world, "net.ipv4.tcp_fin_timeout", "30")?, steering(world)?);
    Ok(together([sysctl, steering, edited_file()]))
}

#[test]
fn a_disk_that_fills_up_loses_nothing() -> Result<()> {
    refuse_everywhere("disk full", libc::ENOSPC, true, three)
}

#[test]
fn a_disk_that_turns_read_only_loses_nothing() -> Result<()> {
    refuse_everywhere("disk read-only", libc::EROFS, true, |_| Ok(together([edited_file(), new_file()])))
}

#[test]
fn a_single_failing_write_loses_nothing() -> Result<()> {
    refuse_everywhere("one write fails", libc::EIO, false, three)
}

/// Refuses every write of apply and of undo in turn, alone or with all that follow.
fn refuse_everywhere(
    name: &str,
    errno: c_int,
    and_all_after: bool,
    scenario: impl Fn(&World) -> Result<Scenario>,
) -> Result<()> {
    let mut trial = Trial::prepare(&scenario)?;
    let refuse = |change| Interference::Refuse { change, and_all_after, errno };
    let (mut points, mut codes, mut lost) = ([0, 0], BTreeMap::new(), vec![]);
    for undoing in [false, true] {
        for change in 1..MOST {
            let state = trial.state();
            let ended = if undoing {
                succeed("apply", &trial.apply(&state, Interference::None)?)?;
                trial.undo(&state, refuse(change))?
            } else {
                trial.apply(&state, refuse(change))?
            };
            if !ended.interfered {
                trial.undo(&state, Interference::None)?;
                break;
            }
            points[usize::from(undoing)] = change;
            *codes.entry((undoing, ended.code)).or_insert(0) += 1;
            let mut losses = promised(&trial, &ended, undoing)?;
            succeed("undo", &trial.undo(&state, Interference::None)?)?;
            losses.extend(trial.losses(&state)?);
            if !losses.is_empty() {
                lost.push(format!("change {change}, undoing: {undoing}: {}", losses.join("\n  ")));
                trial = Trial::prepare(&scenario)?;
            }
        }
    }
    println!("{name:<28} | {points:?} points | (in undo, exit code): times {codes:?} | {} lost", lost.len());
    if lost.is_empty() { Ok(()) } else { Err(FaultError::new(some_of(&lost))) }
}

/// What an exit code promises must be so at once.
fn promised(trial: &Trial, ended: &Ended, undoing: bool) -> Result<Vec<String>> {
    let left = trial.original.differences(&trial.now()?);
    Ok(match (ended.code, undoing) {
        (Some(0), false) if left.len() < trial.scenario.wishes.len() => {
            vec![format!("it said it was applied, and only this changed: {left:?}")]
        }
        (Some(0), true) | (Some(REFUSED), false) if !left.is_empty() => {
            vec![format!("it ended with {:?}: {}: {}", ended.code, ended.said, left.join("; "))]
        }
        (Some(0 | REFUSED | INCOMPLETE), _) => vec![],
        (code, _) => vec![format!("it ended with {code:?}: {}", ended.said)],
    })
}

/// Mounts a tmpfs of this size in the world, and says where.
fn tmpfs(world: &World, size: &str) -> Result<PathBuf> {
    let place = world.disk().join("tmpfs");
    world.run(|| fs::create_dir(&place).attempt(|| "make a mount point".into()))?;
    world.mount(&["-t", "tmpfs", "-o", size, "tmpfs", &place.display().to_string()])?;
    Ok(place)
}

/// Fills a file system to its last byte.
fn fill(world: &World, place: &Path) -> Result<()> {
    let filled = world.run(|| Ok(fs::write(place.join("ballast"), vec![0; 1 << 20])))?;
    assert_eq!(filled.err().and_then(|error| error.raw_os_error()), Some(libc::ENOSPC));
    Ok(())
}

#[test]
fn without_room_for_the_journal_nothing_is_changed() -> Result<()> {
    let trial = Trial::prepare(three)?;
    let place = tmpfs(&trial.world, "size=64k")?;
    fill(&trial.world, &place)?;
    let refused = trial.apply(&place.join("state"), Interference::None)?;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.said);
    assert!(refused.said.contains("full"), "{}", refused.said);
    assert_eq!(trial.original.differences(&trial.now()?), [""; 0]);
    Ok(())
}

#[test]
fn with_a_full_etc_all_is_put_back() -> Result<()> {
    let trial = Trial::prepare(|world| {
        let place = tmpfs(world, "size=256k")?;
        let (from, to) = ("/etc/.", place.display().to_string());
        world.run(|| CP.run(&["-a", from, &to]))?;
        fill(world, &place)?;
        world.mount(&["--bind", &to, "/etc"])?;
        Ok(together([three(world)?, new_file()]))
    })?;
    let state = trial.state();
    let refused = trial.apply(&state, Interference::None)?;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.said);
    assert!(refused.said.contains("No space left on device"), "{}", refused.said);
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

const CP: Tool = Tool { program: "cp", package: "coreutils" };

#[test]
fn with_a_read_only_etc_all_is_put_back() -> Result<()> {
    let trial = Trial::prepare(|world| Ok(together([three(world)?, new_file()])))?;
    trial.world.mount(&["-o", "remount,bind,ro", "/etc"])?;
    let state = trial.state();
    let refused = trial.apply(&state, Interference::None)?;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.said);
    assert!(refused.said.contains("Read-only file system"), "{}", refused.said);
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

/// A set of five whose third is refused, one way or the other.
fn five_with(refused: impl Fn(&World) -> Result<Scenario>) -> Result<()> {
    let trial = Trial::prepare(|world| {
        Ok(together([
            sysctl(world, "net.ipv4.tcp_fin_timeout", "30")?,
            steering(world)?,
            refused(world)?,
            mount(world),
            new_file(),
        ]))
    })?;
    let state = trial.state();
    let ended = trial.apply(&state, Interference::None)?;
    assert_eq!(ended.code, Some(REFUSED), "{}", ended.said);
    assert!(ended.said.contains("refused:"), "{}", ended.said);
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

#[test]
fn one_value_that_the_kernel_refuses_undoes_all_five() -> Result<()> {
    five_with(|world| sysctl(world, "net.ipv4.tcp_notsent_lowat", "many"))
}

#[test]
fn one_file_that_its_program_refuses_undoes_all_five() -> Result<()> {
    five_with(|_| Ok(nginx("soon")))
}
