//! The netlink wire format, and one socket to speak it.
//!
//! Written by hand because the hot path (thousands of sockets, many times a second) wants one reused receive
//! buffer and no object per message. Layouts: `include/uapi/linux/netlink.h`, man 7 netlink.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with, sockopt,
};

use super::KernelError;

const HEADER_BYTES: usize = 16;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// Low 14 bits of an attribute's type; the two above are flags (nested, network byte order).
const ATTRIBUTE_TYPE_MASK: u16 = 0x3fff;

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;

/// The kernel fills at most 32 KiB per datagram of a dump (`netlink_dump` in `net/netlink/af_netlink.c`)
/// unless a single message needs more.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(2);

/// Reads a native-endian `u16`, or `None` past the end.
pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

/// Reads a native-endian `u32`, or `None` past the end.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// Reads a native-endian `u64`, or `None` past the end.
pub fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

/// Reads text up to the first NUL; bytes that are not UTF-8 are replaced.
pub fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is: an `NLMSG_` or `RTM_` number.
    pub kind: u16,
    /// `NLM_F_` bits.
    pub flags: u16,
    /// The request it answers.
    pub sequence: u32,
    /// What follows the header.
    pub payload: &'a [u8],
    /// Where the payload starts in its datagram.
    pub offset: usize,
}

/// The messages of one datagram. A message whose length is impossible yields `Err(offset)` and ends it.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    datagram: &'a [u8],
    offset: usize,
}

impl<'a> Messages<'a> {
    /// Reads from the start of a datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { datagram, offset: 0 }
    }

    fn parse(&self) -> Option<(Message<'a>, usize)> {
        let rest = self.datagram.get(self.offset..)?;
        let length = usize::try_from(u32_at(rest, 0)?).ok()?;
        let payload = rest.get(HEADER_BYTES..length)?;
        let message = Message {
            kind: u16_at(rest, 4)?,
            flags: u16_at(rest, 6)?,
            sequence: u32_at(rest, 8)?,
            payload,
            offset: self.offset.saturating_add(HEADER_BYTES),
        };
        Some((message, align(length)))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.datagram.len() {
            return None;
        }
        let Some((message, length)) = self.parse() else {
            let at = self.offset;
            self.offset = self.datagram.len();
            return Some(Err(at));
        };
        self.offset = self.offset.saturating_add(length);
        Some(Ok(message))
    }
}

/// One attribute: its type without flags, and its value.
pub type Attribute<'a> = (u16, &'a [u8]);

/// The attributes behind a message's fixed part. An impossible length yields `Err(offset)` and ends it.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Attributes<'a> {
    /// Reads from the first attribute.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    fn parse(&self) -> Option<(Attribute<'a>, usize)> {
        let rest = self.bytes.get(self.offset..)?;
        let length = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & ATTRIBUTE_TYPE_MASK;
        Some(((kind, rest.get(ATTRIBUTE_HEADER_BYTES..length)?), align(length)))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.bytes.len() {
            return None;
        }
        let Some((attribute, length)) = self.parse() else {
            let at = self.offset;
            self.offset = self.bytes.len();
            return Some(Err(at));
        };
        self.offset = self.offset.saturating_add(length);
        Some(Ok(attribute))
    }
}

fn align(length: usize) -> usize {
    length.checked_next_multiple_of(4).unwrap_or(usize::MAX)
}

/// Lays out one message: header, body, and attributes already encoded in the body.
pub fn encode_message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES.saturating_add(body.len())).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER_BYTES + body.len());
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    message.extend_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(&0_u32.to_ne_bytes());
    message.extend_from_slice(body);
    message
}

/// Appends one attribute, padded to four bytes.
pub fn encode_attribute(into: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(ATTRIBUTE_HEADER_BYTES.saturating_add(value.len())).unwrap_or(u16::MAX);
    into.extend_from_slice(&length.to_ne_bytes());
    into.extend_from_slice(&kind.to_ne_bytes());
    into.extend_from_slice(value);
    into.resize(align(into.len()), 0);
}

/// What one datagram said about the course of its dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The answer is complete.
    pub(super) done: bool,
    /// The kernel's table changed while it was being dumped: entries may be missing or doubled.
    pub(super) interrupted: bool,
}

/// Walks one datagram, handing every message that belongs to request `sequence` to `each`.
///
/// # Errors
/// What the kernel answered instead of data, a broken layout, or what `each` returns.
pub(super) fn walk_datagram(
    query: &str,
    sequence: u32,
    datagram: &[u8],
    each: &mut dyn FnMut(&Message<'_>) -> Result<(), KernelError>,
) -> Result<Progress, KernelError> {
    let mut progress = Progress::default();
    for message in Messages::new(datagram) {
        let message = message.map_err(|offset| KernelError::malformed(query, offset))?;
        if message.sequence != sequence {
            continue;
        }
        progress.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
        match message.kind {
            NLMSG_NOOP => {}
            NLMSG_ERROR => {
                fail_on_status(query, &message)?;
                return Ok(Progress { done: true, ..progress });
            }
            NLMSG_DONE => {
                if !message.payload.is_empty() {
                    fail_on_status(query, &message)?;
                }
                return Ok(Progress { done: true, ..progress });
            }
            _ => each(&message)?,
        }
    }
    Ok(progress)
}

/// `NLMSG_ERROR` and (since Linux 4.20) `NLMSG_DONE` start with a negated errno, or 0.
fn fail_on_status(query: &str, message: &Message<'_>) -> Result<(), KernelError> {
    let status = u32_at(message.payload, 0)
        .map(u32::cast_signed)
        .ok_or_else(|| KernelError::malformed(query, message.offset))?;
    match status {
        0.. => Ok(()),
        -4095..0 => Err(KernelError::from_errno(query, Errno::from_raw_os_error(status.saturating_neg()))),
        _ => Err(KernelError::malformed(query, message.offset)),
    }
}

/// A netlink socket with its receive buffer.
///
/// After an error the kernel may still be sending the rest of the old answer: drop the socket then.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket for `protocol` (`None` is 0, `NETLINK_ROUTE`) in the calling thread's network namespace.
    ///
    /// # Errors
    /// What the kernel answers to socket(2).
    pub fn open(query: &str, protocol: Option<Protocol>) -> Result<Self, KernelError> {
        let fail = |errno| KernelError::from_errno(query, errno);
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)
            .map_err(fail)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(DEADLINE)).map_err(fail)?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; RECEIVE_BUFFER_BYTES] })
    }

    /// Asks for a whole table. Returns whether it changed (or did not fit) while it was read.
    ///
    /// # Errors
    /// What the kernel answers, `ETIMEDOUT` after two seconds without an answer, or what `each` returns.
    pub fn dump(
        &mut self,
        query: &str,
        kind: u16,
        body: &[u8],
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), KernelError>,
    ) -> Result<bool, KernelError> {
        self.send(query, kind, NLM_F_REQUEST | NLM_F_DUMP, body)?;
        let mut interrupted = false;
        loop {
            let progress = self.receive(query, each)?;
            interrupted |= progress.interrupted;
            if progress.done {
                return Ok(interrupted);
            }
        }
    }

    /// Asks for one object.
    pub(super) fn get(
        &mut self,
        query: &str,
        kind: u16,
        body: &[u8],
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        self.send(query, kind, NLM_F_REQUEST, body)?;
        self.receive(query, each).map(drop)
    }

    fn send(&mut self, query: &str, kind: u16, flags: u16, body: &[u8]) -> Result<(), KernelError> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = encode_message(kind, flags, self.sequence, body);
        send(&self.socket, &request, SendFlags::empty())
            .map(drop)
            .map_err(|errno| KernelError::from_errno(query, errno))
    }

    fn receive(
        &mut self,
        query: &str,
        each: &mut dyn FnMut(&Message<'_>) -> Result<(), KernelError>,
    ) -> Result<Progress, KernelError> {
        let (_, length) = loop {
            match recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::TRUNC) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(KernelError::from_errno(query, Errno::TIMEDOUT)),
                answer => break answer.map_err(|errno| KernelError::from_errno(query, errno))?,
            }
        };
        let datagram =
            self.buffer.get(..length).ok_or_else(|| KernelError::malformed(query, self.buffer.len()))?;
        walk_datagram(query, self.sequence, datagram, each)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_answer_becomes_a_typed_error() {
        let answer = |errno: i32| encode_message(NLMSG_ERROR, 0, 7, &(-errno).to_ne_bytes());
        let walk = |bytes: &[u8]| walk_datagram("test", 7, bytes, &mut |_| Ok(()));
        assert!(matches!(walk(&answer(libc::EOPNOTSUPP)), Err(KernelError::Unsupported { .. })));
        assert!(matches!(walk(&answer(libc::ENOENT)), Err(KernelError::Unsupported { .. })));
        assert!(matches!(walk(&answer(libc::EPERM)), Err(KernelError::Permission { .. })));
        assert!(matches!(walk(&answer(libc::EBUSY)), Err(KernelError::Io { .. })));
        assert_eq!(walk(&answer(0)).unwrap(), Progress { done: true, interrupted: false });
    }

    #[test]
    fn messages_of_another_request_are_left_alone() {
        let stale = encode_message(20, 0, 6, &[1, 2, 3, 4]);
        let mut seen = 0;
        walk_datagram("test", 7, &stale, &mut |_| {
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 0);
    }

    #[test]
    fn a_length_beyond_the_datagram_names_its_byte() {
        let mut datagram = encode_message(20, 0, 7, &[0; 8]);
        let mut broken = encode_message(20, 0, 7, &[0; 8]);
        broken[0] = 200;
        datagram.extend_from_slice(&broken);
        let error = walk_datagram("test", 7, &datagram, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(error, KernelError::Malformed { offset: 24, .. }), "{error}");
    }

    #[test]
    fn an_interrupted_dump_is_seen() {
        let mut datagram = encode_message(20, NLM_F_DUMP_INTR, 7, &[]);
        datagram.extend(encode_message(NLMSG_DONE, 0, 7, &0_u32.to_ne_bytes()));
        let progress = walk_datagram("test", 7, &datagram, &mut |_| Ok(())).unwrap();
        assert_eq!(progress, Progress { done: true, interrupted: true });
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_always_ends(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = walk_datagram("test", 7, &bytes, &mut |_| Ok(()));
            prop_assert!(Messages::new(&bytes).count() <= bytes.len());
            prop_assert!(Attributes::new(&bytes).count() <= bytes.len());
        }

        #[test]
        fn attributes_round_trip(list in prop::collection::vec((0_u16..0x4000, prop::collection::vec(any::<u8>(), 0..40)), 0..20)) {
            let mut bytes = Vec::new();
            for (kind, value) in &list {
                encode_attribute(&mut bytes, *kind, value);
            }
            let read: Vec<_> = Attributes::new(&bytes).map(|each| each.map(|(kind, value)| (kind, value.to_vec())).unwrap()).collect();
            prop_assert_eq!(read, list);
        }

        #[test]
        fn messages_round_trip(list in prop::collection::vec((4_u16.., any::<u16>(), prop::collection::vec(any::<u8>(), 0..10)), 0..20)) {
            let mut bytes = Vec::new();
            for (kind, flags, words) in &list {
                let body: Vec<u8> = words.iter().flat_map(|&word| [word; 4]).collect();
                bytes.extend(encode_message(*kind, *flags, 7, &body));
            }
            let read: Vec<_> = Messages::new(&bytes).map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), list.len());
            for (message, (kind, flags, words)) in read.iter().zip(&list) {
                prop_assert_eq!((message.kind, message.flags, message.payload.len()), (*kind, *flags, words.len() * 4));
            }
        }
    }
}
