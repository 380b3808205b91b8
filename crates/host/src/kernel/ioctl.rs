//! The `SIOCETHTOOL` ioctl: the only unsafe code of this module.
//!
//! Used rather than ethtool's netlink because driver statistics exist only here, and because resolving the
//! netlink family could load a module. Every command used is one the kernel allows without privilege
//! (`dev_ethtool` in `net/ethtool/ioctl.c`).

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::KernelError;

const SIOCETHTOOL: u64 = 0x8946;
const NAME_BYTES: usize = libc::IFNAMSIZ;

/// `struct ifreq` as `SIOCETHTOOL` reads it: the name and a pointer, padded to the union's 24 bytes.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES],
    data: *mut u64,
    padding: [u64; 2],
}

/// A command's memory: whole words, so that every ethtool structure is aligned in it.
#[derive(Debug)]
pub(super) struct Buffer(Vec<u64>);

impl Buffer {
    /// Room for `bytes`, holding the command number and zeros.
    pub(super) fn new(command: u32, bytes: usize) -> Self {
        let mut buffer = Self(vec![0; bytes.div_ceil(size_of::<u64>()).max(1)]);
        buffer.set_u32(0, command);
        buffer
    }

    /// Writes a native-endian `u32`; an offset past the end is ignored.
    pub(super) fn set_u32(&mut self, offset: usize, value: u32) {
        if let Some(word) = self.0.get_mut(offset / size_of::<u64>()) {
            let mut bytes = word.to_ne_bytes();
            if let Some(into) =
                bytes.get_mut(offset % size_of::<u64>()..).and_then(|rest| rest.first_chunk_mut())
            {
                *into = value.to_ne_bytes();
            }
            *word = u64::from_ne_bytes(bytes);
        }
    }

    /// Writes a native-endian `u64` at a multiple of eight; an offset past the end is ignored.
    pub(super) fn set_u64(&mut self, offset: usize, value: u64) {
        if let Some(word) = self.0.get_mut(offset / size_of::<u64>()) {
            *word = value;
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

/// A device to put ethtool commands to.
#[derive(Debug)]
pub(super) struct Device {
    socket: OwnedFd,
    name: [u8; NAME_BYTES],
}

impl Device {
    /// Opens a control socket in the calling thread's network namespace.
    pub(super) fn open(query: &str, name: &str) -> Result<Self, KernelError> {
        let mut padded = [0; NAME_BYTES];
        if name.is_empty() || name.len() >= NAME_BYTES || name.contains('\0') {
            return Err(KernelError::from_errno(query, Errno::INVAL));
        }
        for (into, &byte) in padded.iter_mut().zip(name.as_bytes()) {
            *into = byte;
        }
        // Unix, because every kernel with a network has it; the ioctl is the same on any socket.
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
            .map_err(|errno| KernelError::from_errno(query, errno))?;
        Ok(Self { socket, name: padded })
    }

    /// Runs the command in `buffer`, which the kernel overwrites with its answer.
    ///
    /// The caller makes the buffer at least as large as the kernel's structure for that command.
    pub(super) fn run(&self, query: &str, buffer: &mut Buffer) -> Result<(), KernelError> {
        let mut request = Request { name: self.name, data: buffer.0.as_mut_ptr(), padding: [0; 2] };
        // SAFETY: `request` has the size and layout of `struct ifreq` and lives across the call, as does the
        // memory behind `data`. The kernel writes only the structure of the command at its start, which every
        // caller in `ethtool.rs` sizes, with room to spare where the driver decides on the length.
        let status = unsafe { libc::ioctl(self.socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
        if status >= 0 {
            return Ok(());
        }
        let errno = std::io::Error::last_os_error();
        let errno = Errno::from_io_error(&errno).unwrap_or(Errno::IO);
        Err(KernelError::from_errno(query, errno))
    }
}

const _: () = assert!(size_of::<Request>() == size_of::<libc::ifreq>());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_written_where_it_is_read() {
        let mut buffer = Buffer::new(7, 20);
        buffer.set_u32(4, 9);
        buffer.set_u32(16, 11);
        buffer.set_u32(400, 1);
        let bytes = buffer.to_bytes();
        let word = |at| super::super::netlink::u32_at(&bytes, at);
        assert_eq!((word(0), word(4), word(8), word(16)), (Some(7), Some(9), Some(0), Some(11)));
    }

    #[test]
    fn a_name_that_cannot_be_an_interface_is_refused() {
        for name in ["", "a-name-of-far-too-many-bytes", "a\0b"] {
            assert!(matches!(Device::open("test", name), Err(KernelError::Io { .. })), "{name:?}");
        }
    }
}
