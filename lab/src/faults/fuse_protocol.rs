//! The little of the FUSE protocol (linux/fuse.h, version 7) that an empty directory needs.

use std::os::fd::BorrowedFd;

use rustix::io::{Errno, read, write};

/// Enough for any request once writes are limited to 4 KiB; the kernel refuses less than 8 KiB.
const REQUEST_BYTES: usize = 16 << 10;
const REPLY_BYTES: usize = 256;
const REPLY_HEADER_BYTES: usize = 16;
const DIRECTORY_MODE: u32 = 0o040_755;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;

/// Where the name that a `LOOKUP` asks for begins: behind `fuse_in_header`.
const NAME_AT: usize = 40;
/// The files of ld.so(8), without which no program starts where `/etc` itself is silent.
const LOADER: &[u8] = b"ld.so.";

/// What the server does with requests other than the first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes them and never answers, but for saying that the dynamic loader's files do not exist.
    Silent,
    /// Answers them as an empty directory does.
    Prompt,
}

/// A reply under construction, on the stack: the server must not allocate.
struct Reply {
    bytes: [u8; REPLY_BYTES],
    length: usize,
}

impl Reply {
    fn new(unique: [u8; 8], error: i32) -> Self {
        let mut reply = Self { bytes: [0; REPLY_BYTES], length: REPLY_HEADER_BYTES };
        reply.put(4, &(-error).to_ne_bytes());
        reply.put(8, &unique);
        reply
    }

    fn put(&mut self, at: usize, value: &[u8]) {
        for (target, byte) in self.bytes.iter_mut().skip(at).zip(value) {
            *target = *byte;
        }
    }

    /// Sets the length of what follows the header, and a field in it.
    fn payload(mut self, length: usize, fields: &[(usize, u32)]) -> Self {
        self.length = REPLY_HEADER_BYTES + length;
        for (offset, value) in fields {
            self.put(REPLY_HEADER_BYTES + offset, &value.to_ne_bytes());
        }
        self
    }

    fn send(mut self, device: BorrowedFd<'_>) -> rustix::io::Result<()> {
        let length = u32::try_from(self.length).unwrap_or_default();
        self.put(0, &length.to_ne_bytes());
        match write(device, self.bytes.get(..self.length).unwrap_or_default()) {
            // The process that asked has gone.
            Err(Errno::NOENT) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

/// Reads requests from `device` until the connection ends, calling `taken` for each one after the handshake.
pub(crate) fn serve(device: BorrowedFd<'_>, manner: Manner, taken: impl Fn()) -> rustix::io::Result<()> {
    let mut request = [0_u8; REQUEST_BYTES];
    loop {
        match read(device, &mut request) {
            Ok(_) => {}
            Err(Errno::INTR | Errno::AGAIN | Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        }
        let (Some(code), Some(unique)) = (request.get(4..8), request.get(8..16)) else { continue };
        let code = code.try_into().map_or(0, u32::from_ne_bytes);
        let unique = unique.try_into().unwrap_or_default();
        if code == INIT {
            answer_init(unique).send(device)?;
            continue;
        }
        taken();
        let loader = code == LOOKUP && request.get(NAME_AT..).is_some_and(|name| name.starts_with(LOADER));
        if (manner == Manner::Prompt || loader)
            && let Some(reply) = answer(code, unique)
        {
            reply.send(device)?;
        }
    }
}

/// `fuse_init_out`: version 7.31, writes of 4 KiB, no features.
fn answer_init(unique: [u8; 8]) -> Reply {
    Reply::new(unique, 0).payload(64, &[(0, 7), (4, 31), (20, 4096), (24, 1)])
}

fn answer(code: u32, unique: [u8; 8]) -> Option<Reply> {
    let done = Reply::new(unique, 0);
    match code {
        FORGET | BATCH_FORGET | INTERRUPT => None,
        // `fuse_attr_out`: inode 1, the mode at 76, two links.
        GETATTR => Some(done.payload(104, &[(16, 1), (76, DIRECTORY_MODE), (80, 2)])),
        OPENDIR => Some(done.payload(16, &[])),
        STATFS => Some(done.payload(80, &[])),
        READDIR | RELEASEDIR => Some(done),
        LOOKUP => Some(Reply::new(unique, libc::ENOENT)),
        _ => Some(Reply::new(unique, libc::ENOSYS)),
    }
}
