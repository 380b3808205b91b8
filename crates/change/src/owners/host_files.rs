//! Files of a host read through links, on the live host and in trees that only name a link's target.

use host::{Host, HostError, linked_path};

use crate::ChangeError;

/// More links than this in a row are a circle (the kernel follows 40).
const LINKS_FOLLOWED: usize = 8;

/// Where a path leads when links are followed; the path itself where it is no link.
pub(crate) fn resolve(host: &dyn Host, path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..LINKS_FOLLOWED {
        let Ok(target) = host.link(&path) else { break };
        path = linked_path(&path, &target);
    }
    path
}

/// How often a file that did not answer in time is read: on a host that is short of CPUs, a healthy file may be late.
const TRIES: usize = 5;

/// The bytes of a file, links followed; `None` when there is none. A link to `/dev/null` has no bytes.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn read(host: &dyn Host, path: &str) -> Result<Option<Vec<u8>>, ChangeError> {
    let resolved = resolve(host, path);
    if resolved == "/dev/null" {
        return Ok(Some(vec![]));
    }
    let late = |answer: &Result<_, HostError>| matches!(answer, Err(HostError::TimedOut { .. }));
    let mut answer = host.read(&resolved);
    for _ in 1..TRIES {
        if !late(&answer) {
            break;
        }
        answer = host.read(&resolved);
    }
    match answer {
        Ok(bytes) => Ok(Some(bytes)),
        Err(HostError::NotFound { .. }) => Ok(None),
        Err(error) => Err(ChangeError::new(format!("read {path}"), error.to_string())
            .help("run as root, or mend the file; its owner cannot be told without it")),
    }
}

/// The text of a file, links followed; `None` when it is not there or cannot be read.
pub(crate) fn text(host: &dyn Host, path: &str) -> Option<String> {
    let bytes = read(host, path).ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
