//! What raises iowait here (Linux 6.18): a task in `io_uring_enter` with `GETEVENTS` is marked as waiting for I/O while it
//! has any request in flight, whatever the request is about, so a read of a pipe nobody writes to counts as disk wait.
//! `/proc/stat` charges the idle time of a CPU to iowait while a task that last ran there is so marked.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::io_uring::{
    IORING_OFF_SQ_RING, IORING_OFF_SQES, IoringEnterFlags, IoringOp, io_uring_enter, io_uring_params,
    io_uring_setup, io_uring_sqe,
};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::child::Child;
use super::tools::require_root;
use super::wait::{wait_until, wait_within};
use super::{Attempt, Fault, FaultError, Health, Result, kernel};

const RING_MAP_BYTES: usize = 4096;
const MIN_IDLE_TICKS: u64 = 5;
const IOWAIT_DEADLINE: Duration = Duration::from_secs(120);

/// Processes that wait in io_uring for a read that never completes, spread over all CPUs; disks idle.
///
/// The healthy twin has as many processes in a plain `read` of the same pipe. Hold
/// [`machine_alone`](super::tools::machine_alone): iowait belongs to the whole machine.
pub struct IoUringWaiters {
    waiters: Vec<Child>,
    /// Open, so that the pipe never ends; never written to.
    _writer: OwnedFd,
    health: Health,
}

impl IoUringWaiters {
    /// Starts this many waiting processes.
    pub fn start(health: Health, processes: usize) -> Result<Self> {
        require_root()?;
        if health == Health::Broken {
            require_io_uring()?;
        }
        let (reader, writer) =
            pipe_with(PipeFlags::CLOEXEC).attempt(|| "make a pipe to wait on".to_owned())?;
        let pipe = reader.as_fd();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let waiters = (0..processes)
            .map(|index| {
                Child::fork(c"waiter", &[], &[pipe], || {
                    pin_to(index % cpus)?;
                    match health {
                        Health::Broken => wait_in_io_uring(pipe),
                        Health::Healthy => rustix::io::read(pipe, &mut [0_u8; 1]).map(|_| ()),
                    }
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { waiters, _writer: writer, health })
    }

    /// The kernel functions the processes sleep in.
    pub fn wait_channels(&self) -> Result<Vec<String>> {
        self.waiters
            .iter()
            .map(|waiter| {
                waiter.check_alive()?;
                kernel::wait_channel(waiter.pid())
            })
            .collect()
    }

    /// Measures the share of idle time charged to iowait, over windows of `MIN_IDLE_TICKS`, until one is as `wanted`.
    ///
    /// A CPU that is never idle charges nothing: on a machine that others keep saturated this waits for a gap, two
    /// minutes at most, and then fails.
    pub fn wait_for_iowait_share(&self, wanted: impl Fn(f64) -> bool) -> Result<f64> {
        let mut before = kernel::cpu_ticks()?;
        wait_within(IOWAIT_DEADLINE, "a share of iowait in idle time (is the machine idle at all?)", || {
            let now = kernel::cpu_ticks()?;
            let iowait = now.iowait.saturating_sub(before.iowait);
            let ticks = iowait + now.idle.saturating_sub(before.idle);
            if ticks < MIN_IDLE_TICKS {
                return Ok(None);
            }
            before = now;
            let share = iowait as f64 / ticks as f64;
            Ok(wanted(share).then_some(share))
        })
    }
}

impl Fault for IoUringWaiters {
    /// Holds on a saturated machine too; follow with [`IoUringWaiters::wait_for_iowait_share`] where the share matters.
    fn wait_until_established(&self) -> Result<()> {
        let expected = match self.health {
            Health::Broken => "io_cqring_wait",
            Health::Healthy => "pipe_read",
        };
        wait_until(expected, || Ok(self.wait_channels()?.iter().all(|channel| channel.contains(expected))))?;
        let waiters = self.waiters.len() as u64;
        wait_until("tasks that count as waiting for I/O, or do not", || match self.health {
            Health::Broken => Ok(kernel::tasks_in_iowait()? >= waiters),
            Health::Healthy => Ok(kernel::tasks_in_iowait()? < waiters),
        })
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        Command::new(program)
    }
}

fn require_io_uring() -> Result<()> {
    match kernel::read("/proc/sys/kernel/io_uring_disabled")?.trim() {
        "2" => Err(FaultError::new("io_uring is off; turn it on: sysctl kernel.io_uring_disabled=0")),
        _ => Ok(()),
    }
}

fn pin_to(cpu: usize) -> rustix::io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set)
}

/// Submits one read of `pipe` and waits for its completion.
fn wait_in_io_uring(pipe: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let mut byte = [0_u8; 1];
    let mut parameters = io_uring_params::default();
    // SAFETY: `byte` and the ring outlive the wait, because this frame does.
    unsafe {
        let ring = io_uring_setup(1, &mut parameters)?;
        let submission = map(&ring, IORING_OFF_SQ_RING)?;
        let entry = map(&ring, IORING_OFF_SQES)?.cast::<io_uring_sqe>();
        (*entry).opcode = IoringOp::Read;
        (*entry).fd = pipe.as_raw_fd();
        (*entry).off_or_addr2.off = u64::MAX;
        (*entry).addr_or_splice_off_in.addr = byte.as_mut_ptr().cast::<libc::c_void>().into();
        (*entry).len.len = 1;
        submission.add(parameters.sq_off.array as usize).cast::<u32>().write(0);
        let tail = submission.add(parameters.sq_off.tail as usize).cast::<AtomicU32>();
        (*tail).store(1, Ordering::Release);
        loop {
            match io_uring_enter(&ring, 1, 1, IoringEnterFlags::GETEVENTS) {
                Err(Errno::INTR) => {}
                other => return other.map(|_| ()),
            }
        }
    }
}

unsafe fn map(ring: &OwnedFd, offset: u64) -> rustix::io::Result<*mut u8> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses the address; one entry of either array fits in a page.
    unsafe { mmap(ptr::null_mut(), RING_MAP_BYTES, protection, MapFlags::SHARED, ring, offset) }
        .map(<*mut _>::cast)
}
