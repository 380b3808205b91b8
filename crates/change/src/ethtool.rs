//! Ring sizes and queue counts by the `SIOCETHTOOL` ioctl: both structures are nine words.
//!
//! Layouts: `struct ethtool_ringparam` and `struct ethtool_channels` in `include/uapi/linux/ethtool.h`. The ioctl rather
//! than ethtool's netlink, because every kernel and driver has it.

use std::io;
use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

const SIOCETHTOOL: u64 = 0x8946;
const NAME_BYTES: usize = libc::IFNAMSIZ;

/// What is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    /// The sizes of the rings.
    Rings,
    /// The numbers of the queues.
    Channels,
}

impl Structure {
    fn get(self) -> u32 {
        match self {
            Self::Rings => 0x10,
            Self::Channels => 0x3c,
        }
    }

    fn set(self) -> u32 {
        match self {
            Self::Rings => 0x11,
            Self::Channels => 0x3d,
        }
    }
}

/// A structure's values: first four maxima, then the four values in use, in the same order.
///
/// Rings: receive, mini, jumbo, transmit. Channels: receive, transmit, other, combined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) most: [u32; 4],
    pub(crate) now: [u32; 4],
}

/// `struct ifreq` as `SIOCETHTOOL` reads it: the name and a pointer, padded to the union's 24 bytes.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES],
    data: *mut [u32; 9],
    padding: [u64; 2],
}

const _: () = assert!(size_of::<Request>() == size_of::<libc::ifreq>());

/// Reads the values of an interface in the calling thread's network namespace.
pub(crate) fn get(interface: &str, what: Structure) -> io::Result<Values> {
    let mut words = encode(what.get(), &Values::default());
    run(interface, &mut words)?;
    Ok(decode(&words))
}

/// Writes the values in use; the kernel ignores the maxima. Most drivers reset the interface.
pub(crate) fn set(interface: &str, what: Structure, values: &Values) -> io::Result<()> {
    run(interface, &mut encode(what.set(), values))
}

fn encode(command: u32, values: &Values) -> [u32; 9] {
    let [a, b, c, d] = values.most;
    let [e, f, g, h] = values.now;
    [command, a, b, c, d, e, f, g, h]
}

fn decode(words: &[u32; 9]) -> Values {
    let [_, a, b, c, d, e, f, g, h] = *words;
    Values { most: [a, b, c, d], now: [e, f, g, h] }
}

fn run(interface: &str, words: &mut [u32; 9]) -> io::Result<()> {
    let mut name = [0; NAME_BYTES];
    // The last byte stays 0.
    if interface.is_empty() || interface.len() >= NAME_BYTES || interface.contains('\0') {
        return Err(Errno::INVAL.into());
    }
    for (into, byte) in name.iter_mut().zip(interface.bytes()) {
        *into = byte;
    }
    // Unix, because every kernel with a network has it; the ioctl is the same on any socket.
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut request = Request { name, data: words, padding: [0; 2] };
    // SAFETY: `request` has the size and layout of `struct ifreq` and lives across the call, as do the words behind
    // `data`. The kernel reads and writes at most the nine words of the structures of `Structure`.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_place() {
        let values = Values { most: [1024, 0, 0, 256], now: [512, 0, 0, 128] };
        assert_eq!(encode(Structure::Rings.set(), &values), [0x11, 1024, 0, 0, 256, 512, 0, 0, 128]);
        assert_eq!(decode(&encode(Structure::Channels.set(), &values)), values);
    }

    #[test]
    fn a_name_that_cannot_be_an_interface_is_refused() {
        for name in ["", "a-name-of-far-too-many-bytes", "a\0b"] {
            let error = get(name, Structure::Rings).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{name:?}");
        }
    }
}
