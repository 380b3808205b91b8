//! Follows links before planning, so that nothing needs to follow them later.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::ChangeError;

/// How many links are followed. The kernel follows 40; eight is more than configuration files need.
const LINKS: u32 = 8;

/// File systems of the kernel's own. What lies there is set through other kinds of target, not as a file.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The path of the file that an absolute path leads to, with all links followed. The file need not exist, nor the
/// directories it would lie in.
///
/// # Errors
/// When the path is not absolute, more than eight links lie on it, a link on it is not UTF-8 or cannot be read, or it
/// leads into `/proc`, `/sys` or `/dev`.
pub fn resolved(path: &str) -> Result<String, ChangeError> {
    let attempted = format!("follow the links of {path}");
    if !path.starts_with('/') || path.contains('\0') {
        return Err(ChangeError::new(attempted, "the path is not absolute").help("give it from / on"));
    }
    let real = follow(&attempted, Path::new(path))?;
    if KERNEL.iter().any(|kernel| real.starts_with(kernel)) {
        let real = real.display();
        return Err(ChangeError::new(
            attempted,
            format!("{real} is the kernel's, not a file of the configuration"),
        ));
    }
    let real = real.into_os_string().into_string();
    real.map_err(|_| ChangeError::new(attempted, "it leads to a path that is not UTF-8"))
}

fn follow(attempted: &str, path: &Path) -> Result<PathBuf, ChangeError> {
    let (mut reached, mut left, mut links) = (PathBuf::from("/"), path.to_owned(), 0);
    loop {
        let mut parts = left.components();
        let Some(part) = parts.next() else { return Ok(reached) };
        let rest = parts.as_path().to_owned();
        match part {
            Component::RootDir => reached = PathBuf::from("/"),
            Component::ParentDir => {
                reached.pop();
            }
            Component::Normal(name) => reached.push(name),
            Component::CurDir | Component::Prefix(_) => {}
        }
        left = match std::fs::symlink_metadata(&reached) {
            Ok(status) if status.is_symlink() => {
                links += 1;
                if links > LINKS {
                    let why = format!("it leads over more than {LINKS} links, perhaps in a circle");
                    return Err(ChangeError::new(attempted, why));
                }
                let to = std::fs::read_link(&reached).map_err(|error| ChangeError::io(attempted, &error))?;
                reached.pop();
                to.join(rest)
            }
            Ok(_) => rest,
            Err(error) if error.kind() == ErrorKind::NotFound => return beyond(attempted, reached, &rest),
            Err(error) => return Err(ChangeError::io(attempted, &error)),
        };
    }
}

/// The rest of a path below something that does not exist, where nothing can be a link.
fn beyond(attempted: &str, reached: PathBuf, rest: &Path) -> Result<PathBuf, ChangeError> {
    if rest.components().any(|part| part == Component::ParentDir) {
        let why = format!("{} does not exist, and `..` follows", reached.display());
        return Err(ChangeError::new(attempted, why));
    }
    Ok(if rest.as_os_str().is_empty() { reached } else { reached.join(rest) })
}
