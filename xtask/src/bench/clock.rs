//! The CPU time of other processes, to the nanosecond.

use std::process::Child;
use std::time::Duration;

use anyhow::{Context, bail};

/// User and system time of a process and all its threads so far, those that ended included.
///
/// It is what fields 14 and 15 of `/proc/PID/stat` say, which are rounded to hundredths of a second (clock_getcpuclockid(3)).
pub(super) fn cpu_of(child: &Child) -> anyhow::Result<Duration> {
    let pid = libc::pid_t::try_from(child.id()).context("a process id is no pid_t")?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is valid for writing for the duration of the call.
    let error = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) };
    if error != 0 {
        bail!("process {pid} has no CPU clock: {}", std::io::Error::from_raw_os_error(error));
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing for the duration of the call.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        bail!("the CPU clock of process {pid} cannot be read: {}", std::io::Error::last_os_error());
    }
    Ok(Duration::new(u64::try_from(time.tv_sec)?, u32::try_from(time.tv_nsec)?))
}

/// What a process used over its life.
pub(super) struct Used {
    /// User and system time, that of its reaped children included.
    pub(super) cpu: Duration,
    /// The peak of its resident memory. It is not below that of this program, since a fork starts from its memory.
    pub(super) peak_bytes: u64,
    /// The exit status; `None` when a signal ended it.
    pub(super) exit: Option<i32>,
}

/// Waits for a process and tells what it used.
pub(super) fn wait(child: &Child) -> anyhow::Result<Used> {
    let pid = libc::pid_t::try_from(child.id()).context("a process id is no pid_t")?;
    let mut status = 0;
    // SAFETY: all-zero bytes are a valid `rusage`, which consists of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `status` and `usage` are valid for writing for the duration of the call.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == -1 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            bail!("could not wait for process {pid}: {error}");
        }
    }
    let time = |time: libc::timeval| -> anyhow::Result<Duration> {
        Ok(Duration::new(u64::try_from(time.tv_sec)?, u32::try_from(time.tv_usec)? * 1000))
    };
    Ok(Used {
        cpu: time(usage.ru_utime)? + time(usage.ru_stime)?,
        peak_bytes: u64::try_from(usage.ru_maxrss)? << 10,
        exit: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
    })
}

/// The peak of a running process's resident memory so far.
pub(super) fn peak_bytes_of(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// Milliseconds as a number.
pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
