//! Names of the system calls that tasks are seen waiting in, by number.

/// The numbering of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
    X86,
    /// 64-bit ARM and other architectures of the generic table (include/uapi/asm-generic/unistd.h).
    Generic,
    /// Any other: numbers stay numbers.
    Other,
}

impl Architecture {
    /// The numbering by the machine's name (`/proc/sys/kernel/arch`, uname(2)).
    pub fn named(machine: &str) -> Self {
        match machine {
            "x86_64" => Self::X86,
            "aarch64" | "riscv64" | "loongarch64" => Self::Generic,
            _ => Self::Other,
        }
    }

    /// The name of a system call; its number where the name is not known.
    pub fn name_of(self, number: u64) -> String {
        let table = match self {
            Self::X86 => X86,
            Self::Generic => GENERIC,
            Self::Other => &[],
        };
        let found = table.binary_search_by_key(&number, |(number, _)| u64::from(*number)).ok();
        let name = found.and_then(|index| table.get(index)).map(|(_, name)| (*name).to_owned());
        name.unwrap_or_else(|| number.to_string())
    }
}

#[rustfmt::skip]
const X86: &[(u16, &str)] = &[
    (0, "read"), (1, "write"), (2, "open"), (3, "close"), (4, "stat"), (5, "fstat"), (6, "lstat"), (7, "poll"),
    (8, "lseek"), (9, "mmap"), (10, "mprotect"), (11, "munmap"), (12, "brk"), (13, "rt_sigaction"),
    (14, "rt_sigprocmask"), (16, "ioctl"), (17, "pread64"), (18, "pwrite64"), (19, "readv"), (20, "writev"),
    (21, "access"), (23, "select"), (26, "msync"), (35, "nanosleep"), (38, "setitimer"), (39, "getpid"),
    (40, "sendfile"), (41, "socket"), (42, "connect"), (43, "accept"), (44, "sendto"), (45, "recvfrom"),
    (46, "sendmsg"), (47, "recvmsg"), (48, "shutdown"), (49, "bind"), (50, "listen"), (51, "getsockname"),
    (54, "setsockopt"), (55, "getsockopt"), (56, "clone"), (57, "fork"), (58, "vfork"), (59, "execve"),
    (61, "wait4"), (72, "fcntl"), (73, "flock"), (74, "fsync"), (75, "fdatasync"), (76, "truncate"),
    (77, "ftruncate"), (78, "getdents"), (79, "getcwd"), (80, "chdir"), (82, "rename"), (83, "mkdir"),
    (84, "rmdir"), (85, "creat"), (86, "link"), (87, "unlink"), (88, "symlink"), (89, "readlink"),
    (90, "chmod"), (92, "chown"), (96, "gettimeofday"), (100, "times"), (137, "statfs"), (138, "fstatfs"),
    (162, "sync"), (165, "mount"), (166, "umount2"), (186, "gettid"), (202, "futex"), (208, "io_getevents"),
    (209, "io_submit"), (213, "epoll_create"), (217, "getdents64"), (219, "restart_syscall"),
    (221, "fadvise64"), (228, "clock_gettime"), (230, "clock_nanosleep"), (231, "exit_group"),
    (232, "epoll_wait"), (233, "epoll_ctl"), (257, "openat"), (258, "mkdirat"), (262, "newfstatat"),
    (263, "unlinkat"), (264, "renameat"), (267, "readlinkat"), (269, "faccessat"), (270, "pselect6"),
    (271, "ppoll"), (275, "splice"), (277, "sync_file_range"), (280, "utimensat"), (281, "epoll_pwait"),
    (285, "fallocate"), (288, "accept4"), (291, "epoll_create1"), (295, "preadv"), (296, "pwritev"),
    (302, "prlimit64"), (306, "syncfs"), (316, "renameat2"), (318, "getrandom"), (322, "execveat"),
    (326, "copy_file_range"), (327, "preadv2"), (328, "pwritev2"), (332, "statx"), (426, "io_uring_enter"),
    (435, "clone3"), (437, "openat2"), (439, "faccessat2"),
];

#[rustfmt::skip]
const GENERIC: &[(u16, &str)] = &[
    (2, "io_submit"), (4, "io_getevents"), (17, "getcwd"), (20, "epoll_create1"), (21, "epoll_ctl"),
    (22, "epoll_pwait"), (25, "fcntl"), (29, "ioctl"), (32, "flock"), (34, "mkdirat"), (35, "unlinkat"),
    (36, "symlinkat"), (37, "linkat"), (38, "renameat"), (39, "umount2"), (40, "mount"), (43, "statfs"),
    (44, "fstatfs"), (45, "truncate"), (46, "ftruncate"), (47, "fallocate"), (48, "faccessat"), (49, "chdir"),
    (56, "openat"), (57, "close"), (61, "getdents64"), (62, "lseek"), (63, "read"), (64, "write"),
    (65, "readv"), (66, "writev"), (67, "pread64"), (68, "pwrite64"), (69, "preadv"), (70, "pwritev"),
    (71, "sendfile"), (72, "pselect6"), (73, "ppoll"), (76, "splice"), (78, "readlinkat"), (79, "newfstatat"),
    (80, "fstat"), (81, "sync"), (82, "fsync"), (83, "fdatasync"), (84, "sync_file_range"), (88, "utimensat"),
    (94, "exit_group"), (98, "futex"), (101, "nanosleep"), (103, "setitimer"), (113, "clock_gettime"),
    (115, "clock_nanosleep"), (128, "restart_syscall"), (134, "rt_sigaction"), (135, "rt_sigprocmask"),
    (153, "times"), (169, "gettimeofday"), (172, "getpid"), (178, "gettid"), (198, "socket"), (200, "bind"),
    (201, "listen"), (202, "accept"), (203, "connect"), (204, "getsockname"), (206, "sendto"),
    (207, "recvfrom"), (208, "setsockopt"), (209, "getsockopt"), (210, "shutdown"), (211, "sendmsg"),
    (212, "recvmsg"), (214, "brk"), (215, "munmap"), (220, "clone"), (221, "execve"), (222, "mmap"),
    (223, "fadvise64"), (226, "mprotect"), (227, "msync"), (242, "accept4"), (260, "wait4"), (261, "prlimit64"),
    (267, "syncfs"), (276, "renameat2"), (278, "getrandom"), (281, "execveat"), (285, "copy_file_range"),
    (286, "preadv2"), (287, "pwritev2"), (291, "statx"), (426, "io_uring_enter"), (435, "clone3"),
    (437, "openat2"), (439, "faccessat2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_by_number() {
        assert!(X86.is_sorted_by(|a, b| a.0 < b.0));
        assert!(GENERIC.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn the_same_number_means_another_call_on_another_architecture() {
        assert_eq!(Architecture::X86.name_of(79), "getcwd");
        assert_eq!(Architecture::Generic.name_of(79), "newfstatat");
        assert_eq!(Architecture::X86.name_of(262), "newfstatat");
        assert_eq!(Architecture::named("mips").name_of(5), "5");
    }
}
