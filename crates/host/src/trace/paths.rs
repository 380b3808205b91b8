//! The paths that system calls name.

use std::ffi::c_void;

/// The longest path that is read, in bytes (`PATH_MAX`).
const LONGEST: usize = 4096;
const PAGE: u64 = 4096;

/// Calls whose second argument is a path, after the folder it is taken from.
const AT: [libc::c_long; 6] = [
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_statx,
];

/// Calls whose first argument is a path.
#[cfg(target_arch = "x86_64")]
const PLAIN: [libc::c_long; 5] =
    [libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink];
#[cfg(not(target_arch = "x86_64"))]
const PLAIN: [libc::c_long; 0] = [];

/// Where a call's path lies in the memory of its process; `None` for calls that name none.
pub(super) fn argument(number: u64, arguments: [u64; 6]) -> Option<u64> {
    let number = libc::c_long::try_from(number).ok()?;
    let [first, second, third, fourth, ..] = arguments;
    if PLAIN.contains(&number) {
        return Some(first);
    }
    // fstat(3) is a newfstatat(2) of an empty path.
    let flags = match number {
        libc::SYS_newfstatat => fourth,
        libc::SYS_statx => third,
        _ => 0,
    };
    let of_descriptor = flags & u64::from(libc::AT_EMPTY_PATH.cast_unsigned()) != 0;
    (AT.contains(&number) && !of_descriptor).then_some(second)
}

/// Whether a call takes a connection.
pub(super) fn accepts(number: u64) -> bool {
    let calls = [libc::SYS_accept, libc::SYS_accept4];
    libc::c_long::try_from(number).is_ok_and(|number| calls.contains(&number))
}

/// A path in the memory of another process; empty where it cannot be read.
pub(super) fn read(pid: libc::pid_t, address: u64) -> Vec<u8> {
    let mut bytes = vec![0_u8; LONGEST];
    // What can be read may end with a page: a span that goes over the end is not read in part.
    let within = usize::try_from(PAGE - address % PAGE).unwrap_or(LONGEST).min(LONGEST);
    let mut got = span(pid, address, bytes.get_mut(..within).unwrap_or_default());
    let ended = bytes.get(..got).is_some_and(|read| read.contains(&0));
    if got == within && !ended {
        got += span(pid, address + within as u64, bytes.get_mut(within..).unwrap_or_default());
    }
    bytes.truncate(got);
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

fn span(pid: libc::pid_t, address: u64, into: &mut [u8]) -> usize {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast::<c_void>(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: into.len() };
    // SAFETY: the kernel writes at most the length of `into` there, and only reads the other process.
    let got = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(got).unwrap_or(0)
}

/// The folder of a path; `.` for a name alone.
pub(super) fn folder(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    match text.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
        None => ".".to_owned(),
    }
}
