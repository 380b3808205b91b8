//! What waiting tasks wait for, told by the kernel functions they wait in.

use model::{Missing, Observation};

use crate::samples::{Samples, Wait};

/// What a task in state `D` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A reply of a server, without counting as I/O wait: NFS metadata, CIFS, 9p, Ceph.
    NetworkFilesystem,
    /// A page of a file behind the network, which does count as I/O wait.
    NetworkData,
    /// A reply of a user-space file system, or of virtiofs.
    Fuse,
    /// A file system that is frozen, or is being frozen.
    Frozen,
    /// A block device.
    Disk,
    /// A lock of the kernel; who holds it is not visible.
    Lock,
    /// Anything else.
    Other,
}

const REPLIES: &[&str] = &[
    "rpc_wait",
    "rpc_",
    "__rpc_",
    "nfs_wait",
    "nfs4_",
    "nfs_",
    "wait_for_response",
    "cifs_",
    "smb2_",
    "p9_client_rpc",
    "p9_virtio",
    "ceph_",
];
const NETWORK: &[&str] =
    &["nfs_", "nfs4_", "__nfs_", "_nfs4_", "rpc_", "cifs_", "smb2_", "v9fs_", "p9_", "ceph_"];
const FUSE: &[&str] = &["request_wait_answer", "fuse_", "__fuse_"];
/// Functions that only a frozen file system keeps a task in.
const FROZEN: &[&str] =
    &["__sb_start_write", "sb_start_write", "sb_wait_write", "freeze_super", "thaw_super"];
/// Callers of `sb_start_write`, which is inlined since Linux 5.10 (include/linux/fs.h): what a task that waits in
/// `percpu_rwsem_wait` was called from when the lock is that of a frozen file system.
const WRITERS: &[&str] = &[
    "vfs_write",
    "vfs_iter_write",
    "vfs_iocb_iter_write",
    "do_iter_write",
    "do_writev",
    "vfs_writev",
    "mnt_want_write",
    "vfs_fallocate",
    "vfs_copy_file_range",
    "do_sendfile",
    "splice_",
    "do_splice",
    "vfs_truncate",
    "do_ftruncate",
    "do_sys_ftruncate",
    "io_write",
    "aio_write",
    "filemap_page_mkwrite",
    "ext4_page_mkwrite",
    "ext4_evict_inode",
    "xfs_trans_alloc",
    "btrfs_page_mkwrite",
    "f2fs_vm_page_mkwrite",
];
const PAGES: &[&str] =
    &["folio_wait", "__folio_lock", "folio_lock", "wait_on_page", "__lock_page", "io_schedule", "filemap_"];
const DISK: &[&str] = &[
    "blk_",
    "__blk",
    "submit_bio_wait",
    "bio_await",
    "wait_on_buffer",
    "__wait_on_buffer",
    "bit_wait_io",
    "jbd2_",
    "wait_transaction_locked",
    "do_get_write_access",
    "do_blockdev_direct_IO",
    "jbd2_",
    "xfs_buf",
    "xlog_",
    "xfs_log",
    "rq_qos_wait",
    "wbt_wait",
    "balance_dirty_pages",
    "read_events",
    "dio_",
    "__iomap_dio",
    "iomap_dio",
    "blkdev_",
    "btrfs_",
    "md_",
];
/// The kernel leaves the functions of its scheduler and of most locks (`__sched`) out of stacks and wchan, so a wait for
/// a lock shows as the function that wanted it: a lookup or a change of a directory, a write, a change of the memory map.
const LOCKS: &[&str] = &[
    "rwsem_down",
    "__mutex_lock",
    "percpu_rwsem_wait",
    "d_alloc_parallel",
    "filename_create",
    "walk_component",
    "lookup_slow",
    "__lookup_slow",
    "lookup_one",
    "open_last_lookups",
    "path_openat",
    "do_unlinkat",
    "do_rmdir",
    "do_renameat2",
    "lock_rename",
    "iterate_dir",
    "do_truncate",
    "chmod_common",
    "chown_common",
    "ext4_buffered_write_iter",
    "ext4_dio_write_iter",
    "ext4_file_write_iter",
    "generic_file_write_iter",
    "xfs_ilock",
    "do_user_addr_fault",
    "lock_mm_and_find_vma",
    "vm_mmap_pgoff",
    "__vm_munmap",
    "do_mprotect_pkey",
    "do_madvise",
    "__do_sys_brk",
    "fdget_pos",
    "__fdget_pos",
    "rtnl_lock",
    "rtnetlink_rcv_msg",
];
/// Command names of kernel threads, which touch `D` as they work. Without root the stack cannot tell them.
const KERNEL_COMMANDS: &[&str] = &[
    "kworker/",
    "jbd2/",
    "kswapd",
    "khugepaged",
    "xfsaild",
    "flush-",
    "ksoftirqd/",
    "btrfs-",
    "txg_",
    "dmcrypt",
    "kcompactd",
    "nfsd",
    "nfsiod",
    "kauditd",
    "iou-wrk",
];

/// Where a task waits for events of an io_uring. `io_cqring_wait` sleeps through a helper that is inlined, and is itself
/// inlined into the system call on some kernels: seen as `__do_sys_io_uring_enter` on Debian's 6.1.
const RINGS: &[&str] = &[
    "io_cqring",
    "io_uring",
    "__do_sys_io_uring_enter",
    "__se_sys_io_uring_enter",
    "__x64_sys_io_uring_enter",
    "__arm64_sys_io_uring_enter",
];

/// Whether a kernel function is one in which tasks wait for events of an io_uring.
pub fn is_ring(function: &str) -> bool {
    starts(function, RINGS)
}

/// Whether a task sleeps until an io_uring has events, which sets `in_iowait`. A task in state `D` waits for something
/// else inside the same system call, such as the lock of the ring.
pub fn waits_for_ring(wait: &Wait) -> bool {
    let innermost = wait.wchan.as_deref().or_else(|| wait.stack.first().map(String::as_str));
    wait.state == 'S' && innermost.is_some_and(is_ring)
}

/// What a task waits for. The function it sleeps in decides; where that one is shared by many file systems, the
/// functions that called it do.
pub fn place(wait: &Wait) -> Place {
    place_of(wait.wchan.as_deref(), &wait.stack)
}

/// As [`place`], for a task just seen.
pub(super) fn place_of(wchan: Option<&str>, stack: &[String]) -> Place {
    let innermost = wchan.or_else(|| stack.first().map(String::as_str)).unwrap_or_default();
    let near =
        |names: &[&str]| starts(innermost, names) || stack.iter().take(2).any(|frame| starts(frame, names));
    let within = |names: &[&str]| starts(innermost, names) || stack.iter().any(|frame| starts(frame, names));
    let locked = starts(innermost, LOCKS) || stack.first().is_some_and(|frame| starts(frame, LOCKS));
    if within(FROZEN) || writes_to_a_frozen_filesystem(stack) {
        Place::Frozen
    } else if near(FUSE) || (within(FUSE) && near(PAGES)) {
        Place::Fuse
    } else if locked {
        if within(NETWORK) { Place::NetworkFilesystem } else { Place::Lock }
    } else if near(PAGES) {
        if within(NETWORK) { Place::NetworkData } else { Place::Disk }
    } else if near(REPLIES) {
        Place::NetworkFilesystem
    } else if near(DISK) {
        Place::Disk
    } else if within(FUSE) {
        Place::Fuse
    } else if within(NETWORK) {
        Place::NetworkFilesystem
    } else {
        Place::Other
    }
}

fn writes_to_a_frozen_filesystem(stack: &[String]) -> bool {
    let in_lock =
        |frame: &&String| starts(frame, &["percpu_rwsem_wait", "__percpu_down_read", "percpu_down_read"]);
    let caller = stack.iter().find(|frame| !in_lock(frame));
    stack.first().is_some_and(|frame| in_lock(&frame)) && caller.is_some_and(|frame| starts(frame, WRITERS))
}

fn starts(frame: &str, names: &[&str]) -> bool {
    names.iter().any(|name| frame.starts_with(name))
}

/// Whether the task is a thread of the kernel, as far as its stack or its name tell.
pub fn is_kernel_thread(wait: &Wait) -> bool {
    let by_stack = wait.stack.iter().any(|frame| frame == "kthread");
    let numbered = |name: &str| {
        wait.command.strip_prefix(name).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let by_name = starts(&wait.command, KERNEL_COMMANDS) || numbered("loop") || numbered("md");
    by_stack || (wait.syscall.is_none() && by_name)
}

/// Whether it is a user's task in state `D`.
pub fn is_stuck(wait: &Wait) -> bool {
    wait.state == 'D' && !is_kernel_thread(wait)
}

/// User tasks in state `D` in some places, on average over the window.
///
/// # Errors
/// What is missing when tasks were looked at less than twice: one look cannot tell a wait from a touch.
pub fn mean_tasks(samples: &Samples, places: &[Place]) -> Result<f64, Missing> {
    passed(samples)?;
    let wanted = |wait: &Wait| is_stuck(wait) && places.contains(&place(wait));
    Ok(samples.mean_tasks(wanted).unwrap_or(0.0))
}

/// Whether tasks were looked at often enough.
///
/// # Errors
/// What is missing when tasks were looked at less than twice.
pub fn passed(samples: &Samples) -> Result<(), Missing> {
    match (&samples.tasks_unread, samples.task_passes) {
        (Some(unread), 0) => Err(unread.missing("/proc/PID/stat of waiting tasks")),
        (_, 0 | 1) => Err(Missing::new(
            "/proc/PID/stat of waiting tasks, several times",
            "look at the live host for some seconds, or record a tree of several instants",
        )),
        _ => Ok(()),
    }
}

/// The waits in some places, most samples first, each folded into one line, with the mean number of its tasks.
#[expect(clippy::cast_precision_loss, reason = "a mean of sample counts")]
pub fn folded(samples: &Samples, places: &[Place]) -> Vec<Observation> {
    let wanted = samples.waits.iter().filter(|wait| is_stuck(wait) && places.contains(&place(wait)));
    let passes = f64::from(samples.task_passes.max(1));
    let source = |wait: &Wait| match (wait.stack.is_empty(), &wait.syscall) {
        (true, _) => "/proc/PID/wchan".to_owned(),
        (false, Some(call)) => format!("/proc/PID/stack in {call}"),
        (false, None) => "/proc/PID/stack".to_owned(),
    };
    wanted
        .take(5)
        .map(|wait| Observation::new(source(wait), wait.folded(), wait.samples as f64 / passes).unit("tasks"))
        .collect()
}

/// The command most of the tasks in some places have.
pub fn commonest(samples: &Samples, places: &[Place]) -> Option<String> {
    let mut by_command = std::collections::BTreeMap::<&str, u64>::new();
    for wait in samples.waits.iter().filter(|wait| is_stuck(wait) && places.contains(&place(wait))) {
        *by_command.entry(wait.command.as_str()).or_default() += wait.samples;
    }
    by_command.into_iter().max_by_key(|(_, samples)| *samples).map(|(command, _)| command.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(frames: &[&str]) -> Wait {
        Wait {
            state: 'D',
            wchan: frames.first().map(|frame| (*frame).to_owned()),
            stack: frames.iter().map(|frame| (*frame).to_owned()).collect(),
            ..Wait::default()
        }
    }

    #[test]
    fn places_are_told_by_the_functions_tasks_wait_in() {
        for (frames, expected) in [
            (&["rpc_wait_bit_killable", "__rpc_execute", "nfs4_proc_getattr"][..], Place::NetworkFilesystem),
            (&["folio_wait_bit_common", "filemap_get_pages", "nfs_file_read"], Place::NetworkData),
            (&["folio_wait_bit_common", "filemap_get_pages", "ext4_file_read_iter"], Place::Disk),
            (&["d_alloc_parallel", "__lookup_slow", "walk_component", "path_lookupat"], Place::Lock),
            (&["d_alloc_parallel", "nfs_readdir"], Place::NetworkFilesystem),
            (&["percpu_rwsem_wait", "percpu_down_write", "cgroup_procs_write", "vfs_write"], Place::Lock),
            (&["percpu_rwsem_wait"], Place::Lock),
            (&["percpu_rwsem_wait", "vfs_write", "ksys_write"], Place::Frozen),
            (&["percpu_rwsem_wait", "mnt_want_write", "path_openat"], Place::Frozen),
            (&["percpu_rwsem_wait", "__percpu_down_read", "__sb_start_write", "vfs_write"], Place::Frozen),
            (&["request_wait_answer", "fuse_simple_request", "fuse_do_getattr"], Place::Fuse),
            (&["folio_wait_bit_common", "fuse_readahead"], Place::Fuse),
            (&["jbd2_log_wait_commit", "ext4_sync_file"], Place::Disk),
            (&["do_get_write_access", "__jbd2_journal_get_write_access"], Place::Disk),
            (&["submit_bio_wait", "blkdev_issue_flush", "ext4_sync_file", "do_fsync"], Place::Disk),
            (&["folio_wait_bit", "folio_wait_writeback", "__filemap_fdatawait_range"], Place::Disk),
            (&["filename_create", "do_mkdirat", "__x64_sys_mkdir"], Place::Lock),
            (&["walk_component", "path_lookupat", "filename_lookup", "vfs_statx"], Place::Lock),
            (&["walk_component", "nfs_lookup", "path_lookupat"], Place::NetworkFilesystem),
            (&["kvm_vcpu_block"], Place::Other),
            (&[], Place::Other),
        ] {
            assert_eq!(place(&wait(frames)), expected, "{frames:?}");
        }
    }

    #[test]
    fn a_wait_for_events_of_an_io_uring_is_told_from_other_waits_in_the_same_call() {
        let asleep = |place: &str| Wait { state: 'S', ..wait(&[place, "__x64_sys_io_uring_enter"]) };
        for place in ["io_cqring_wait", "io_cqring_wait_schedule", "__do_sys_io_uring_enter"] {
            assert!(waits_for_ring(&asleep(place)), "{place}");
            assert!(!waits_for_ring(&wait(&[place])), "{place} in state D");
        }
        assert!(!waits_for_ring(&asleep("ep_poll")));
    }

    #[test]
    fn kernel_threads_are_not_stuck() {
        assert!(!is_stuck(&wait(&[
            "jbd2_journal_commit_transaction",
            "kjournald2",
            "kthread",
            "ret_from_fork"
        ])));
        let named = Wait { state: 'D', command: "kworker/u8:1+flush-254:0".to_owned(), ..Wait::default() };
        assert!(!is_stuck(&named));
        assert!(is_stuck(&Wait { state: 'D', command: "php-fpm8.2".to_owned(), ..Wait::default() }));
    }

    #[test]
    fn one_look_is_not_enough() {
        assert!(mean_tasks(&Samples { task_passes: 1, ..Samples::default() }, &[Place::Disk]).is_err());
        assert_eq!(mean_tasks(&Samples { task_passes: 2, ..Samples::default() }, &[Place::Disk]), Ok(0.0));
    }
}
