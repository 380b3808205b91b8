//! The child's side. After fork(2) of a process with threads only async-signal-safe calls are allowed: no allocation,
//! no locks. Everything here is a system call on buffers of the stack.

use std::os::fd::RawFd;

use super::Ask;

/// Paths are shorter than this (limits.h, `PATH_MAX`).
pub(super) const PATH_LIMIT: usize = 4096;
/// The most bytes in one chunk of an answer.
pub(super) const CHUNK: usize = 64 << 10;

/// Answers requests from a socket until it is closed; never returns.
pub(super) fn serve(socket: RawFd) -> ! {
    close_all_but(socket);
    let mut path = [0u8; PATH_LIMIT];
    loop {
        let (mut kind, mut length, mut most) = ([0u8; 1], [0u8; 2], [0u8; size_of::<usize>()]);
        if !receive(socket, &mut kind) || !receive(socket, &mut length) || !receive(socket, &mut most) {
            exit();
        }
        let (length, most) = (usize::from(u16::from_ne_bytes(length)), usize::from_ne_bytes(most));
        let Some(body) = path.get_mut(..length).filter(|body| body.len() < PATH_LIMIT) else { exit() };
        if !receive(socket, body) {
            exit();
        }
        if let Some(end) = path.get_mut(length) {
            *end = 0;
        }
        let errno = match kind[0] {
            kind if kind == Ask::File as u8 => file(socket, &path, most, false),
            kind if kind == Ask::End as u8 => file(socket, &path, most, true),
            kind if kind == Ask::Directory as u8 => directory(socket, &path, false),
            kind if kind == Ask::Kinds as u8 => directory(socket, &path, true),
            _ => link(socket, &path),
        };
        send(socket, &0u32.to_ne_bytes());
        send(socket, &errno.to_ne_bytes());
    }
}

/// The parent may wait for the end of our standard output: a child that hangs must not hold it open.
fn close_all_but(socket: RawFd) {
    let Ok(socket) = u32::try_from(socket) else { exit() };
    // SAFETY: close_range(2) takes plain numbers and touches only this process's table of descriptors.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0u32, socket.saturating_sub(1), 0u32);
        libc::syscall(libc::SYS_close_range, socket.saturating_add(1), u32::MAX, 0u32);
    }
}

fn exit() -> ! {
    // SAFETY: _exit(2) runs no destructors and no handlers of the parent's copy.
    unsafe { libc::_exit(0) }
}

fn errno() -> i32 {
    // SAFETY: the location of errno is this thread's own.
    unsafe { *libc::__errno_location() }
}

fn receive(socket: RawFd, bytes: &mut [u8]) -> bool {
    let mut done = 0;
    while done < bytes.len() {
        let rest = &mut bytes[done..];
        // SAFETY: `rest` is a live buffer of the length passed.
        let count = unsafe { libc::recv(socket, rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(count) {
            Ok(count) if count > 0 => done += count,
            Err(_) if errno() == libc::EINTR => {}
            _ => return false,
        }
    }
    true
}

fn send(socket: RawFd, bytes: &[u8]) {
    let mut done = 0;
    while done < bytes.len() {
        let rest = &bytes[done..];
        // SAFETY: `rest` is a live buffer of the length passed.
        let count = unsafe { libc::send(socket, rest.as_ptr().cast(), rest.len(), libc::MSG_NOSIGNAL) };
        match usize::try_from(count) {
            Ok(count) => done += count,
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => exit(),
        }
    }
}

fn send_chunk(socket: RawFd, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(0);
    send(socket, &length.to_ne_bytes());
    send(socket, bytes);
}

fn open(path: &[u8], flags: i32) -> RawFd {
    // SAFETY: `path` ends with a NUL, written by `serve`.
    unsafe { libc::open(path.as_ptr().cast(), flags | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY) }
}

/// Sends a regular file from its start, or only its end, and at most so many bytes of it.
fn file(socket: RawFd, path: &[u8], most: usize, end: bool) -> i32 {
    let file = open(path, libc::O_RDONLY);
    if file < 0 {
        return errno();
    }
    let mut chunk = [0u8; CHUNK];
    let mut left = most;
    let size = regular_size(file);
    let mut failed = if size.is_some() { 0 } else { libc::EINVAL };
    // A read at an offset, for the file may grow meanwhile: its end is where it ended when it was looked at.
    let most = libc::off_t::try_from(most).unwrap_or(libc::off_t::MAX);
    let mut at = if end { size.unwrap_or(0).saturating_sub(most).max(0) } else { 0 };
    while failed == 0 && left > 0 {
        // SAFETY: `chunk` is a live buffer of at least the length passed.
        let count = unsafe { libc::pread(file, chunk.as_mut_ptr().cast(), chunk.len().min(left), at) };
        match usize::try_from(count) {
            Ok(0) => break,
            Ok(count) => {
                left = left.saturating_sub(count);
                at = at.saturating_add(libc::off_t::try_from(count).unwrap_or(0));
                send_chunk(socket, &chunk[..count]);
            }
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => failed = errno(),
        }
    }
    // SAFETY: `file` was opened above.
    unsafe { libc::close(file) };
    failed
}

/// The size of a regular file; `None` for anything else, which may have no end.
fn regular_size(file: RawFd) -> Option<libc::off_t> {
    // SAFETY: an all-zero `stat` is a valid value to overwrite.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `file` is open and `status` is a live value.
    let regular =
        unsafe { libc::fstat(file, &raw mut status) == 0 && status.st_mode & libc::S_IFMT == libc::S_IFREG };
    regular.then_some(status.st_size)
}

/// Sends each name with a NUL after it, and with kinds a byte before it, which is one more than its type: never a NUL.
fn directory(socket: RawFd, path: &[u8], kinds: bool) -> i32 {
    let folder = open(path, libc::O_RDONLY | libc::O_DIRECTORY);
    if folder < 0 {
        return errno();
    }
    let mut entries = [0u8; 32 << 10];
    let mut failed = 0;
    loop {
        // SAFETY: `entries` is a live buffer of the length passed.
        let count =
            unsafe { libc::syscall(libc::SYS_getdents64, folder, entries.as_mut_ptr(), entries.len()) };
        match usize::try_from(count) {
            Ok(0) => break,
            Ok(count) => send_names(socket, entries.get(..count).unwrap_or_default(), kinds),
            Err(_) => {
                failed = errno();
                break;
            }
        }
    }
    // SAFETY: `folder` was opened above.
    unsafe { libc::close(folder) };
    failed
}

/// Walks `struct linux_dirent64`: u64 inode, i64 offset, u16 record length, u8 type, name (getdents(2)).
fn send_names(socket: RawFd, mut entries: &[u8], kinds: bool) {
    const NAME: usize = 19;
    const TYPE: usize = 18;
    // One byte of type, and NAME_MAX with its NUL.
    let mut shown = [0u8; 1 + 256];
    while let (Some(low), Some(high)) = (entries.get(16), entries.get(17)) {
        let length = usize::from(u16::from_ne_bytes([*low, *high]));
        let Some(entry) = entries.get(NAME..length) else { return };
        let name = entry.split_inclusive(|byte| *byte == 0).next().unwrap_or_default();
        if name != b".\0" && name != b"..\0" && !name.is_empty() {
            match (kinds, shown.get_mut(1..1 + name.len()), entries.get(TYPE)) {
                (true, Some(place), Some(kind)) => {
                    place.copy_from_slice(name);
                    shown[0] = kind.saturating_add(1);
                    send_chunk(socket, &shown[..1 + name.len()]);
                }
                _ => send_chunk(socket, name),
            }
        }
        entries = entries.get(length..).unwrap_or_default();
    }
}

fn link(socket: RawFd, path: &[u8]) -> i32 {
    let mut target = [0u8; PATH_LIMIT];
    // SAFETY: `path` ends with a NUL and `target` is a live buffer of the length passed.
    let count = unsafe { libc::readlink(path.as_ptr().cast(), target.as_mut_ptr().cast(), target.len()) };
    match usize::try_from(count) {
        Ok(count) => {
            send_chunk(socket, target.get(..count).unwrap_or_default());
            0
        }
        Err(_) => errno(),
    }
}
