//! Faults made real on this machine, and what `narrows check` says of them. Needs root, iproute2, e2fsprogs and
//! util-linux; everything stays on loopback and in namespaces of its own.
//!
//! The tests of this file hold the faults themselves to their promises, as far as a verdict does not show it.

#![allow(
    clippy::disallowed_methods,
    reason = "the faults are made with the system's own programs and proved from the kernel's own files"
)]
#![allow(clippy::print_stdout, reason = "figures, for whoever runs the tests with --nocapture")]

mod verdicts;

use std::sync::Mutex;

use faults::kernel::{process_state, read, wait_channel};
use faults::silent_fuse::SilentFuse;
use faults::tools::{IP, machine_alone};
use faults::veth_backlog_drop::VethBacklogDrop;
use faults::wait::wait_until;
use faults::{Attempt, Fault, Health, Result};
use lab::faults;
use lab::faults::frozen_filesystem::FrozenFilesystem;

#[test]
fn a_panic_restores_the_machine() -> Result<()> {
    let _alone = machine_alone()?;
    let limit = || read("/proc/sys/net/core/netdev_max_backlog");
    let namespace = Mutex::new(String::new());
    let before = limit()?;
    let outcome = std::panic::catch_unwind(|| -> Result<()> {
        let fault = VethBacklogDrop::start(Health::Broken)?;
        fault.receiving_namespace().name().clone_into(&mut namespace.lock().unwrap());
        assert_eq!(limit()?, before, "the fault has lowered it, so this panics on purpose");
        Ok(())
    });
    assert!(outcome.is_err());
    assert_eq!(limit()?, before);
    let namespace = namespace.into_inner().unwrap();
    assert!(!namespace.is_empty());
    let listed = IP.run(&["netns", "list"])?;
    assert!(listed.lines().all(|line| line.split(' ').next() != Some(namespace.as_str())));
    Ok(())
}

#[test]
fn a_frozen_file_system_leaves_no_loop_device_behind() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = FrozenFilesystem::start(Health::Broken, 1)?;
    fault.wait_until_established()?;
    let place = fault.mount_point().with_file_name("image").to_string_lossy().into_owned();
    let attached = || -> Result<bool> {
        let devices = std::fs::read_dir("/sys/block").attempt(|| "list /sys/block".into())?;
        Ok(devices
            .flatten()
            .filter_map(|device| std::fs::read_to_string(device.path().join("loop/backing_file")).ok())
            .any(|file| file.starts_with(&place)))
    };
    assert!(attached()?);
    drop(fault);
    wait_until("the loop device detached", || Ok(!attached()?))
}

#[test]
fn listing_a_silent_fuse_directory_hangs_until_the_fault_ends() -> Result<()> {
    let _alone = machine_alone()?;
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let fault = SilentFuse::start(Health::Broken, directory.path())?;
    fault.wait_until_established()?;
    let mut list = fault.command("/bin/ls");
    let mut list = list.arg(fault.directory()).spawn().attempt(|| "run ls".into())?;
    wait_until("ls stuck in FUSE", || Ok(wait_channel(list.id())?.contains("request_wait_answer")))?;
    println!("ls is in state {} after {} requests", process_state(list.id())?, fault.requests());
    list.kill().attempt(|| "kill ls".into())?;
    wait_until("ls beyond the reach of SIGKILL", || Ok(process_state(list.id())? == 'D'))?;
    drop(fault);
    let status = list.wait().attempt(|| "wait for ls".into())?;
    assert!(!status.success());
    Ok(())
}

#[test]
fn listing_an_answering_fuse_directory_ends() -> Result<()> {
    let directory = tempfile::tempdir().attempt(|| "make a directory".into())?;
    let twin = SilentFuse::start(Health::Healthy, directory.path())?;
    twin.wait_until_established()?;
    let listed = twin.command("/bin/ls").arg(twin.directory()).output().attempt(|| "run ls".into())?;
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert!(twin.requests() > 0);
    Ok(())
}
