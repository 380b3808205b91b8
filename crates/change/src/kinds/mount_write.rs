//! Changing the options of what is mounted: mount_setattr(2) for those of the mount, fsconfig(2) for its file system's.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fsconfig_set_flag, fsconfig_set_string, fspick};

use super::mount_options::{Memory, attributes, of_filesystem};
use super::mountinfo::Mounted;
use crate::ChangeError;

/// Gives a mount the options `options` and `of_super`, as mountinfo lists them. Both or neither.
pub(super) fn remount(
    attempted: &str,
    mount_point: &str,
    now: &Mounted,
    options: &str,
    of_super: &str,
) -> Result<(), ChangeError> {
    let told = told(attempted, now, of_super)?;
    let place = open_place(attempted, mount_point, now)?;
    let (before, after) = (attributes(&now.options), attributes(options));
    set_attributes(&place, before, after).map_err(|error| {
        let refused = ChangeError::io(attempted, &error);
        match error.raw_os_error() {
            Some(libc::ENOSYS) => {
                refused.help("it takes Linux 5.12; edit /etc/fstab, and let the next boot mount it so")
            }
            Some(libc::EBUSY) => refused.help("a file there is open for writing: `fuser -vm` shows by whom"),
            _ => refused,
        }
    })?;
    reconfigure(&place, &told).map_err(|errno| {
        // If this failed as well, the caller sees it: it verifies what is there.
        let _ = set_attributes(&place, after, before);
        ChangeError::io(attempted, &errno.into()).help("`dmesg` says what the file system has against it")
    })
}

/// What the file system must be told so that it lists `to`.
fn told(attempted: &str, now: &Mounted, to: &str) -> Result<Vec<String>, ChangeError> {
    let mut told = vec![];
    let known = of_filesystem(&now.filesystem);
    for option in known {
        let find = |list: &'_ str| list.split(',').find(|word| option.is(word)).map(ToOwned::to_owned);
        let (before, after) = (find(&now.super_options), find(to));
        if before != after {
            let word = option.told(before.as_deref(), after.as_deref(), memory(attempted)?);
            told.extend(word);
        }
    }
    let others = |list: &str| -> Vec<String> {
        let mut others: Vec<_> = list
            .split(',')
            .filter(|word| !known.iter().any(|option| option.is(word)))
            .map(ToOwned::to_owned)
            .collect();
        others.sort_unstable();
        others
    };
    let (now_others, to_others) = (others(&now.super_options), others(to));
    if now_others == to_others {
        return Ok(told);
    }
    let differs = |left: &[String], right: &[String]| {
        left.iter().filter(|word| !right.contains(word)).cloned().collect::<Vec<_>>().join(",")
    };
    Err(ChangeError::new(
        attempted,
        format!(
            "another program has changed options that narrows does not: `{}` is `{}` now",
            differs(&to_others, &now_others),
            differs(&now_others, &to_others)
        ),
    ))
}

fn memory(attempted: &str) -> Result<Memory, ChangeError> {
    let table =
        std::fs::read_to_string("/proc/meminfo").map_err(|error| ChangeError::io(attempted, &error))?;
    let kibibytes = table
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .ok_or_else(|| ChangeError::new(attempted, "/proc/meminfo has no MemTotal"))?;
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    Ok(Memory { pages: kibibytes.saturating_mul(1024) / page_bytes, page_bytes })
}

/// Opens the mount point without opening anything on it, and makes sure that it leads to the mount that was read.
fn open_place(attempted: &str, mount_point: &str, now: &Mounted) -> Result<OwnedFd, ChangeError> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place =
        open(mount_point, flags, Mode::empty()).map_err(|errno| ChangeError::io(attempted, &errno.into()))?;
    let info = std::fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", place.as_raw_fd()))
        .map_err(|error| ChangeError::io(attempted, &error))?;
    let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse::<u64>().ok());
    if id == Some(now.id) {
        return Ok(place);
    }
    Err(ChangeError::new(attempted, "another mount hides it, or it was mounted anew this instant"))
}

/// Changes the attributes of a mount that differ, in one step.
fn set_attributes(place: &OwnedFd, before: u64, after: u64) -> std::io::Result<()> {
    let times = libc::MOUNT_ATTR__ATIME;
    let mut set = after & !before & !times;
    let mut clear = before & !after & !times;
    if before & times != after & times {
        // The three ways are no bits of their own: all are cleared, then one is set.
        clear |= times;
        set |= after & times;
    }
    if set | clear == 0 {
        return Ok(());
    }
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: the descriptor is open, the path is an empty string that ends in NUL, and `attributes` is a
    // `struct mount_attr` of the size given, which the kernel only reads.
    let status = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            place.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if status < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Tells a file system its options, in one step; those not named stay.
fn reconfigure(place: &OwnedFd, told: &[String]) -> rustix::io::Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let context = fspick(place.as_fd(), c"", FsPickFlags::FSPICK_EMPTY_PATH | FsPickFlags::FSPICK_CLOEXEC)?;
    for option in told {
        match option.split_once('=') {
            Some((name, value)) => fsconfig_set_string(context.as_fd(), name, value)?,
            None => fsconfig_set_flag(context.as_fd(), option.as_str())?,
        }
    }
    fsconfig_reconfigure(context.as_fd())
}
