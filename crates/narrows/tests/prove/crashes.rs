//! What is left of an experiment that was ended from outside: nothing.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::world::{COUNT, KEY, World};
use crate::faults::wait::{wait_until, wait_within};
use crate::faults::{Attempt, Result};

/// Longer than the deadline of any trial here.
const PATIENCE: Duration = Duration::from_secs(90);

/// An experiment that is in a block with the plan.
fn amid_a_block_with_the_plan(world: &World) -> Result<Child> {
    world.plan(KEY, "399")?;
    let mut command: Command = world.site.prove(&["--run", COUNT, "--for", "2s", "--warm-up", "100ms"])?;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.attempt(|| "start narrows prove".to_owned())?;
    wait_within(PATIENCE, "a block with the plan", || {
        assert_eq!(child.try_wait().attempt(|| "look at narrows prove".to_owned())?, None);
        Ok((world.now()? == "399").then_some(()))
    })?;
    Ok(child)
}

fn send(child: &Child, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).attempt(|| "send a signal to narrows prove".to_owned())
}

#[test]
fn whoever_kills_it_amid_a_block_with_the_plan_finds_the_host_as_it_was_after_the_deadline() -> Result<()> {
    let world = World::with("400")?;
    let mut child = amid_a_block_with_the_plan(&world)?;
    send(&child, Signal::KILL)?;
    child.wait().attempt(|| "wait for narrows prove".to_owned())?;
    wait_within(PATIENCE, "the dead man", || Ok((world.now()? == "400").then_some(())))?;
    wait_until("an end in the journal", || Ok(world.statuses()?.iter().all(|status| status == "undone")))
}

#[test]
fn an_interrupt_undoes_at_once() -> Result<()> {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::with("400")?;
        let child = amid_a_block_with_the_plan(&world)?;
        send(&child, signal)?;
        let output = child.wait_with_output().attempt(|| "wait for narrows prove".to_owned())?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), world.now()?.as_str()), (Some(code), "400"), "{said}");
        assert!(said.contains("the host is as it was") && output.stdout.is_empty(), "{said}");
        assert!(world.statuses()?.iter().all(|status| status == "undone"));
    }
    Ok(())
}

#[test]
fn an_experiment_waits_for_no_other_transaction() -> Result<()> {
    let world = World::with("400")?;
    let child = amid_a_block_with_the_plan(&world)?;
    let (code, said) = world.prove(&["--run", "true"])?;
    assert!(code == Some(4) && said.to_string().contains("is on trial"), "{said}");
    send(&child, Signal::INT)?;
    child.wait_with_output().attempt(|| "wait for narrows prove".to_owned())?;
    assert_eq!(world.now()?, "400");
    Ok(())
}
