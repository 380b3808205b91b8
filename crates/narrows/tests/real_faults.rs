//! Faults made real on this machine. Needs root, iproute2, e2fsprogs and util-linux; everything stays on loopback and in
//! namespaces of its own.

#![allow(
    clippy::disallowed_methods,
    reason = "the faults are made with the system's own programs and proved from the kernel's own files"
)]

mod faults;

use std::sync::Mutex;

use faults::busy_disk::BusyDisk;
use faults::crowd::Crowd;
use faults::frozen_filesystem::FrozenFilesystem;
use faults::io_uring_waiters::IoUringWaiters;
use faults::kernel::{process_state, read, wait_channel};
use faults::port_exhaustion::{Holder, PortExhaustion};
use faults::silent_fuse::SilentFuse;
use faults::tcp_listen_overflow::TcpListenOverflow;
use faults::tools::{IP, machine_alone};
use faults::unix_listen_overflow::UnixListenOverflow;
use faults::veth_backlog_drop::VethBacklogDrop;
use faults::wait::wait_until;
use faults::{Attempt, Fault, Health, Result};

#[test]
fn a_full_accept_queue_keeps_overflowing() -> Result<()> {
    let fault = TcpListenOverflow::start(Health::Broken)?;
    fault.wait_until_established()?;
    let before = fault.overflows()?;
    wait_until("more overflows", || Ok(fault.overflows()? >= before + 20))?;
    assert_eq!(fault.accepted(), 0);
    Ok(())
}

#[test]
fn a_prompt_acceptor_overflows_nothing() -> Result<()> {
    let twin = TcpListenOverflow::start(Health::Healthy)?;
    twin.wait_until_established()?;
    assert_eq!(twin.overflows()?, 0);
    Ok(())
}

#[test]
fn a_full_unix_queue_keeps_refusing() -> Result<()> {
    let fault = UnixListenOverflow::start(Health::Broken)?;
    fault.wait_until_established()?;
    let before = fault.refused()?;
    wait_until("more refusals", || Ok(fault.refused()? >= before + 20))?;
    let (length, limit) = fault.queue()?;
    assert!(length > limit, "queue {length} of {limit} at {}", fault.path().display());
    Ok(())
}

#[test]
fn a_prompt_unix_acceptor_refuses_nothing() -> Result<()> {
    let twin = UnixListenOverflow::start(Health::Healthy)?;
    twin.wait_until_established()?;
    assert_eq!(twin.refused()?, 0);
    let (length, limit) = twin.queue()?;
    assert!(length <= limit, "queue {length} of {limit}");
    Ok(())
}

#[test]
fn held_connections_use_up_the_ports_towards_one_destination_only() -> Result<()> {
    let fault = PortExhaustion::start(Health::Broken, Holder::Open)?;
    fault.wait_until_established()?;
    let (refused, other) = (fault.refused()?, fault.other_connected()?);
    wait_until("more of both", || Ok(fault.refused()? >= refused + 20 && fault.other_connected()? > other))
}

#[test]
fn time_wait_uses_up_the_ports_too() -> Result<()> {
    let fault = PortExhaustion::start(Health::Broken, Holder::TimeWait)?;
    fault.wait_until_established()?;
    let (refused, other) = (fault.refused()?, fault.other_connected()?);
    wait_until("more of both", || Ok(fault.refused()? >= refused + 20 && fault.other_connected()? > other))
}

#[test]
fn a_tenth_of_the_ports_is_never_refused_one() -> Result<()> {
    for holder in [Holder::Open, Holder::TimeWait] {
        let twin = PortExhaustion::start(Health::Healthy, holder)?;
        twin.wait_until_established()?;
        assert_eq!(twin.refused()?, 0);
    }
    Ok(())
}

#[test]
fn bursts_over_veth_keep_overflowing_the_lowered_backlog() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = VethBacklogDrop::start(Health::Broken)?;
    fault.wait_until_established()?;
    let before = fault.dropped()?;
    wait_until("more drops", || Ok(fault.dropped()? >= before + 1000))?;
    println!("sent {} received {} dropped {}", fault.sent(), fault.received(), fault.dropped()?);
    Ok(())
}

#[test]
fn the_same_bursts_fit_the_default_backlog() -> Result<()> {
    let _alone = machine_alone()?;
    VethBacklogDrop::start(Health::Healthy)?.wait_until_established()
}

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
fn io_uring_waiters_turn_idle_time_into_iowait() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = IoUringWaiters::start(Health::Broken, 8)?;
    fault.wait_until_established()?;
    let share = fault.wait_for_iowait_share(|share| share > 0.8)?;
    println!("iowait {share:.2} of idle time");
    Ok(())
}

#[test]
fn plain_readers_of_a_pipe_leave_idle_time_idle() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = IoUringWaiters::start(Health::Healthy, 8)?;
    twin.wait_until_established()?;
    let share = twin.wait_for_iowait_share(|share| share < 0.2)?;
    println!("iowait {share:.2} of idle time");
    Ok(())
}

#[test]
fn random_reads_keep_the_disk_busy() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = BusyDisk::start(Health::Broken, &std::env::temp_dir())?;
    fault.wait_until_established()?;
    println!("device {:?} reads {} busy {:.2}", fault.device(), fault.reads()?, fault.busy_share()?);
    Ok(())
}

#[test]
fn a_rare_read_leaves_the_disk_idle() -> Result<()> {
    let _alone = machine_alone()?;
    let twin = BusyDisk::start(Health::Healthy, &std::env::temp_dir())?;
    twin.wait_until_established()?;
    wait_until("an idle window", || Ok(twin.busy_share()? < 0.5))
}

#[test]
fn writers_of_a_frozen_file_system_hang_in_state_d() -> Result<()> {
    let fault = FrozenFilesystem::start(Health::Broken, 4)?;
    fault.wait_until_established()?;
    let writes = fault.writes()?;
    for pid in fault.writer_pids() {
        println!("writer in {}", wait_channel(pid)?);
    }
    let mounts =
        fault.command("/bin/cat").arg("/proc/self/mountinfo").output().attempt(|| "run cat".into())?;
    assert!(String::from_utf8_lossy(&mounts.stdout).contains(&*fault.mount_point().to_string_lossy()));
    assert_eq!(fault.writes()?, writes);
    Ok(())
}

#[test]
fn writers_of_a_thawed_file_system_go_on() -> Result<()> {
    FrozenFilesystem::start(Health::Healthy, 4)?.wait_until_established()
}

#[test]
fn a_frozen_file_system_leaves_no_loop_device_behind() -> Result<()> {
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

#[test]
fn a_crowd_fits_the_limits_of_this_machine() -> Result<()> {
    let _alone = machine_alone()?;
    let crowd = Crowd::start(Health::Broken)?;
    crowd.wait_until_established()?;
    println!("{} sockets, {} processes", crowd.sockets()?, crowd.asleep());
    Ok(())
}

#[test]
fn a_small_crowd_is_the_same_but_smaller() -> Result<()> {
    let twin = Crowd::start(Health::Healthy)?;
    twin.wait_until_established()?;
    assert_eq!(twin.sockets()?, 201);
    assert_eq!(twin.asleep(), 20);
    Ok(())
}
