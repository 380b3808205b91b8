//! Reads files that may lie on any file system, through a child process that can be left behind.
//!
//! A read of `/proc` or `/sys` is answered by the kernel. Any other path may lie on a mount whose server is gone, and a
//! thread that waits for it may not even end with its process: a FUSE request that the server took waits
//! uninterruptibly (`request_wait_answer` in fs/fuse/dev.c). So a child process reads, and a child that does not answer
//! in time is abandoned, together with nothing of ours.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::{FILE_LIMIT_BYTES, HostError};

mod child;

/// How long one file may take. A disk that spins up takes longer, but then it has nothing to say about now.
pub const FILE_DEADLINE: Duration = Duration::from_millis(500);
/// How long all files that do not answer may take together. After that no more such files are tried.
const PATIENCE: Duration = Duration::from_millis(1200);

/// What is asked of the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    File = 0,
    Directory = 1,
    Link = 2,
    Kinds = 4,
    /// The last bytes of a file, at most so many as the request says.
    End = 3,
}

/// A reader that answers or is left behind.
#[derive(Debug, Default)]
pub(crate) struct ForeignReader {
    child: Option<Child>,
    waited_in_vain: Duration,
}

#[derive(Debug)]
struct Child {
    socket: OwnedFd,
    pid: libc::pid_t,
}

impl ForeignReader {
    /// The bytes of a file, the names of a directory (each ended by a NUL; with `Kinds` each after a byte that is one more
    /// than its `d_type`), or the target of
    /// a link.
    pub(crate) fn ask(&mut self, ask: Ask, path: &str) -> Result<Vec<u8>, HostError> {
        self.request(ask, path, FILE_LIMIT_BYTES)
    }

    /// The last bytes of a regular file, at most so many: what lies before them is neither read nor carried over.
    pub(crate) fn ask_end(&mut self, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        self.request(Ask::End, path, most_bytes.min(FILE_LIMIT_BYTES))
    }

    fn request(&mut self, ask: Ask, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        if self.waited_in_vain >= PATIENCE {
            return Err(timed_out(path));
        }
        let child = match self.child.take() {
            Some(child) => child,
            None => Child::start().map_err(|errno| HostError::from_errno(path, errno.raw_os_error()))?,
        };
        let answer = child.ask(ask, path, most_bytes);
        match answer {
            Err(HostError::TimedOut { .. }) => self.waited_in_vain += FILE_DEADLINE,
            Err(HostError::Io { .. }) => {}
            _ => self.child = Some(child),
        }
        answer
    }
}

fn timed_out(path: &str) -> HostError {
    let limit_ms = u64::try_from(FILE_DEADLINE.as_millis()).unwrap_or(u64::MAX);
    HostError::TimedOut { path: path.to_owned(), limit_ms }
}

impl Child {
    fn start() -> Result<Self, Errno> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // SAFETY: the child calls only async-signal-safe system calls on its own stack until it exits (see `child`).
        match unsafe { libc::fork() } {
            0 => child::serve(theirs.as_raw_fd()),
            pid if pid > 0 => Ok(Self { socket: ours, pid }),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)),
        }
    }

    fn ask(&self, ask: Ask, path: &str, most_bytes: usize) -> Result<Vec<u8>, HostError> {
        let failed = |reason: &str| HostError::Io { path: path.to_owned(), reason: reason.to_owned() };
        let length = u16::try_from(path.len()).map_err(|_| failed("the path is too long"))?;
        if usize::from(length) >= child::PATH_LIMIT || path.as_bytes().contains(&0) {
            return Err(failed("the path is too long or holds a NUL"));
        }
        let mut request = vec![ask as u8];
        request.extend_from_slice(&length.to_ne_bytes());
        request.extend_from_slice(&most_bytes.to_ne_bytes());
        request.extend_from_slice(path.as_bytes());
        rustix::net::send(&self.socket, &request, rustix::net::SendFlags::NOSIGNAL)
            .map_err(|_| failed("the reading process is gone"))?;
        self.receive(path, Instant::now() + FILE_DEADLINE)
    }

    /// Chunks of `length: u32, bytes`, ended by a chunk of length 0 and an error number.
    fn receive(&self, path: &str, deadline: Instant) -> Result<Vec<u8>, HostError> {
        let mut bytes = Vec::new();
        loop {
            let length = u32::from_ne_bytes(self.exactly::<4>(path, deadline)?) as usize;
            if length == 0 {
                let errno = i32::from_ne_bytes(self.exactly::<4>(path, deadline)?);
                return if errno == 0 { Ok(bytes) } else { Err(HostError::from_errno(path, errno)) };
            }
            let start = bytes.len();
            bytes.resize(start + length.min(child::CHUNK), 0);
            self.fill(path, bytes.get_mut(start..).unwrap_or_default(), deadline)?;
            if bytes.len() > FILE_LIMIT_BYTES {
                return Err(HostError::Io {
                    path: path.to_owned(),
                    reason: "it is larger than 64 MiB".to_owned(),
                });
            }
        }
    }

    fn exactly<const N: usize>(&self, path: &str, deadline: Instant) -> Result<[u8; N], HostError> {
        let mut bytes = [0; N];
        self.fill(path, &mut bytes, deadline)?;
        Ok(bytes)
    }

    fn fill(&self, path: &str, mut bytes: &mut [u8], deadline: Instant) -> Result<(), HostError> {
        while !bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = rustix::event::Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(0),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            let mut ready = [PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN)];
            match poll(&mut ready, Some(&wait)) {
                Ok(0) => return Err(timed_out(path)),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(HostError::from_errno(path, errno.raw_os_error())),
            }
            match rustix::net::recv(&self.socket, &mut *bytes, rustix::net::RecvFlags::DONTWAIT) {
                Ok((_, 0)) => {
                    let reason = "the reading process ended".to_owned();
                    return Err(HostError::Io { path: path.to_owned(), reason });
                }
                Ok((_, count)) => bytes = bytes.get_mut(count..).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(HostError::from_errno(path, errno.raw_os_error())),
            }
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: kill and waitpid take plain numbers; the child is ours and was not waited for before. A child that
        // hangs in the kernel is not waited for: it goes to init when we exit.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), libc::WNOHANG);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_a_folder_and_a_link_are_read_through_the_child() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("big"), vec![7; 300_000]).unwrap();
        std::os::unix::fs::symlink("big", path("link")).unwrap();
        let mut reader = ForeignReader::default();
        assert_eq!(reader.ask(Ask::File, &path("big")).unwrap(), vec![7; 300_000]);
        assert_eq!(reader.ask(Ask::File, &path("link")).unwrap().len(), 300_000);
        assert_eq!(reader.ask(Ask::Link, &path("link")).unwrap(), b"big");
        let names = reader.ask(Ask::Directory, &folder.path().display().to_string()).unwrap();
        let mut names: Vec<_> = names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        assert_eq!(names, [&b"big"[..], b"link"]);
        let kinds = reader.ask(Ask::Kinds, &folder.path().display().to_string()).unwrap();
        let mut kinds: Vec<_> = kinds.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [&[&[libc::DT_REG + 1], &b"big"[..]].concat()[..], &[&[libc::DT_LNK + 1], &b"link"[..]].concat()]
        );
        assert!(matches!(reader.ask(Ask::File, &path("none")), Err(HostError::NotFound { .. })));
    }

    #[test]
    fn the_end_of_a_file_is_read_without_what_lies_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = std::fs::File::create(path("log")).unwrap();
        log.set_len(2 << 30).unwrap();
        let mut log = &log;
        std::io::Seek::seek(&mut log, std::io::SeekFrom::End(0)).unwrap();
        std::io::Write::write_all(&mut log, b"the last line\n").unwrap();
        std::fs::write(path("short"), "short").unwrap();
        std::fs::write(path("empty"), "").unwrap();
        let mut reader = ForeignReader::default();
        assert_eq!(reader.ask_end(&path("log"), 10).unwrap(), b"last line\n");
        let most = 3 * child::CHUNK + 1;
        let end = reader.ask_end(&path("log"), most).unwrap();
        assert_eq!((end.len(), end.ends_with(b"\0the last line\n")), (most, true));
        assert_eq!(reader.ask_end(&path("short"), 5).unwrap(), b"short");
        assert_eq!(reader.ask_end(&path("short"), 1 << 20).unwrap(), b"short");
        assert_eq!(reader.ask_end(&path("short"), 0).unwrap(), b"");
        assert_eq!(reader.ask_end(&path("empty"), 100).unwrap(), b"");
        assert!(matches!(reader.ask_end(&path("none"), 1), Err(HostError::NotFound { .. })));
    }

    #[test]
    fn what_is_no_regular_file_has_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let mut reader = ForeignReader::default();
        for path in [pipe.display().to_string(), folder.path().display().to_string(), "/dev/null".to_owned()]
        {
            assert!(matches!(reader.ask_end(&path, 100), Err(HostError::Io { .. })), "{path}");
        }
    }

    #[test]
    fn the_end_of_a_file_that_grows_is_no_longer_than_was_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log").display().to_string();
        std::fs::write(&path, vec![b'a'; 100_000]).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut log = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::io::Write::write_all(&mut log, b"b").unwrap();
                }
            });
            let mut reader = ForeignReader::default();
            for _ in 0..50 {
                let end = reader.ask_end(&path, 90_000).unwrap();
                assert_eq!(end.len(), 90_000);
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_file_that_never_answers_is_left_behind_and_the_next_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let answers = folder.path().join("answers").display().to_string();
        std::fs::write(&answers, "yes").unwrap();
        let mut reader = ForeignReader { child: Some(silent_child()), waited_in_vain: Duration::ZERO };
        assert!(matches!(reader.ask(Ask::File, &answers), Err(HostError::TimedOut { .. })));
        assert_eq!(reader.ask(Ask::File, &answers).unwrap(), b"yes");
    }

    /// A child that takes requests and never answers.
    fn silent_child() -> Child {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        // SAFETY: the child only sleeps until it is killed.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: pause takes nothing; `theirs` stays open in this process.
                unsafe { libc::pause() };
                std::hint::black_box(theirs.as_raw_fd());
            },
            pid => Child { socket: ours, pid },
        }
    }
}
