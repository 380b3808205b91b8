//! Parses the files of one task. They are read many times a second, so nothing is copied that is not kept.

use host::text;

use super::Architecture;

/// The set bit of `flags` that marks a kernel thread (`PF_KTHREAD`, include/linux/sched.h).
const KERNEL_THREAD: u64 = 0x0020_0000;
/// Deeper kernel stacks are cut; `/proc/PID/stack` itself gives at most 64 frames (fs/proc/base.c).
const MOST_FRAMES: usize = 64;

/// What is taken of `/proc/PID/stat` (proc(5)). Columns that a kernel or a tree does not give are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskStat<'a> {
    /// The command name (`comm`), without its parentheses; it may hold blanks, parentheses and any other byte.
    pub command: &'a [u8],
    /// The state letter.
    pub state: char,
    /// The parent process.
    pub parent: Option<u64>,
    /// The kernel's flags of the task (`PF_*`).
    pub flags: Option<u64>,
    /// User time in ticks; of all threads in `/proc/PID/stat`, of one in `/proc/PID/task/TID/stat`.
    pub user: Option<u64>,
    /// Kernel time in ticks, in the same way.
    pub system: Option<u64>,
    /// Threads of the process.
    pub threads: Option<u64>,
    /// Time this one thread waited for block I/O, in ticks.
    pub block_io: Option<u64>,
}

impl TaskStat<'_> {
    /// Whether the kernel runs it for itself; `false` where the flags are not given.
    pub fn is_kernel_thread(&self) -> bool {
        self.flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
    }
}

/// Parses a line of `/proc/PID/stat`. The last `)` ends the command name, whatever stands before it.
pub fn parse_stat(bytes: &[u8]) -> Option<TaskStat<'_>> {
    let opened = bytes.iter().position(|byte| *byte == b'(')?;
    let closed = bytes.iter().rposition(|byte| *byte == b')')?;
    let command = bytes.get(opened + 1..closed)?;
    let mut words = text::words(bytes.get(closed + 1..)?);
    let state = words.next().filter(|word| word.len() == 1)?.first().map(|byte| char::from(*byte))?;
    let mut column = |skipped: usize| words.nth(skipped).and_then(text::decimal);
    let parent = column(0);
    // Columns 5 to 8 (group, session, terminal and its group) lie before the flags in column 9.
    let flags = column(4);
    let user = column(4);
    let system = column(0);
    let threads = column(4);
    let block_io = column(21);
    Some(TaskStat { command, state, parent, flags, user, system, threads, block_io })
}

/// Parses `/proc/PID/wchan`: the function a task waits in. `None` for `0`, which means not waiting or not permitted.
pub fn parse_wchan(bytes: &[u8]) -> Option<String> {
    let word = bytes.trim_ascii();
    (!word.is_empty() && word != b"0").then(|| text::string(word))
}

/// Parses `/proc/PID/stack` into function names, innermost first. Lines that are no frames are skipped.
///
/// A frame reads `[<0>] nfs_getattr+0x1a3/0x2d0 [nfs]`; kernels before 4.15 give an address in the brackets. The
/// compiler's suffixes (`.part.0`, `.isra.0`) are left out, so that stacks of different builds fold together.
pub fn parse_stack(bytes: &[u8]) -> Vec<String> {
    text::lines(bytes).filter_map(|(_, _, line)| frame(line)).take(MOST_FRAMES).collect()
}

fn frame(line: &[u8]) -> Option<String> {
    let mut words = text::words(line);
    words.next().filter(|mark| mark.starts_with(b"[<"))?;
    let name = words.next()?.split(|byte| *byte == b'+').next()?;
    let suffix = name.iter().skip(1).position(|byte| *byte == b'.').map_or(name.len(), |at| at + 1);
    let name = name.get(..suffix)?;
    (!name.is_empty() && !name.starts_with(b"0x")).then(|| text::string(name))
}

/// Parses `/proc/PID/syscall` into the name of the system call. `None` when the task runs, or waits in none (`-1`).
pub fn parse_syscall(bytes: &[u8], architecture: Architecture) -> Option<String> {
    let number = text::decimal(text::words(bytes).next()?)?;
    Some(architecture.name_of(number))
}

/// Parses `/proc/PID/syscall` into the number of the system call and its first argument, as [`parse_syscall`] its name.
pub(crate) fn parse_call(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut words = text::words(bytes);
    let number = text::decimal(words.next()?)?;
    let argument = std::str::from_utf8(words.next()?.strip_prefix(b"0x")?).ok()?;
    Some((number, u64::from_str_radix(argument, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a Debian 12 guest, Linux 6.1: a task that waits for a reply of its NFS server.
    const STATTER: &[u8] =
        b"390 (statter) D 375 0 0 0 -1 4456512 29 0 0 0 3 14 0 0 20 0 1 0 2491 2396160 24 \
        18446744073709551615 93973894733824 93973894735261 140725703967008 0 0 0 0 0 0 1 0 0 17 3 0 0 7 0 0 \
        93973894745552 93973894746224 93974118150144 140725703974710 140725703974751 0 0 0\n";

    #[test]
    fn a_stat_line_of_linux_6_1_is_taken_apart() {
        let stat = parse_stat(STATTER).unwrap();
        assert_eq!((stat.command, stat.state), (&b"statter"[..], 'D'));
        assert_eq!((stat.parent, stat.flags), (Some(375), Some(4_456_512)));
        assert_eq!((stat.user, stat.system, stat.threads), (Some(3), Some(14), Some(1)));
        assert_eq!(stat.block_io, Some(7));
        assert!(!stat.is_kernel_thread());
    }

    #[test]
    fn a_command_may_hold_blanks_and_parentheses() {
        let stat = parse_stat(b"7 (a) S (x) D 1 1 1 0 -1 2129984 0 0 0 0 1 2").unwrap();
        assert_eq!((stat.command, stat.state), (&b"a) S (x"[..], 'D'));
        assert!(stat.is_kernel_thread());
        assert_eq!((stat.user, stat.system, stat.threads, stat.block_io), (Some(1), Some(2), None, None));
        assert_eq!(parse_stat(b"7 (\xff\xfe) S").unwrap().command, b"\xff\xfe");
    }

    #[test]
    fn what_is_no_stat_line_is_none() {
        for bytes in [&b""[..], b"7", b")(", b"7 (a)", b"7 (a) SS 1"] {
            assert_eq!(parse_stat(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_stack_gives_the_functions_innermost_first() {
        let stack =
            b"[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]\n[<0>] nfs4_proc_getattr+0x60/0xd0 [nfsv4]\n\
            garbage\n[<ffffffff81234567>] vfs_statx.part.0.constprop.0+0x76/0x110\n[<ffffffffffffffff>] 0xffffffffffffffff\n";
        assert_eq!(parse_stack(stack), ["rpc_wait_bit_killable", "nfs4_proc_getattr", "vfs_statx"]);
    }

    #[test]
    fn a_system_call_has_a_name_unless_the_task_runs() {
        let name = |text: &str| parse_syscall(text.as_bytes(), Architecture::X86);
        assert_eq!(
            name("262 0xffffff9c 0x7ffd 0x0 0x0 0x0 0x0 0x7ffd 0x7f12\n").as_deref(),
            Some("newfstatat")
        );
        assert_eq!(name("running\n"), None);
        assert_eq!(name("-1 0x7ffd 0x7f12\n"), None);
    }

    #[test]
    fn a_system_call_has_a_number_and_an_argument_unless_the_task_runs() {
        assert_eq!(parse_call(b"43 0xb 0x7fff3524ff50 0x1 0x0 0x0 0x0 0x7fff 0x7fcd\n"), Some((43, 11)));
        assert_eq!(parse_call(b"running\n"), None);
        assert_eq!(parse_call(b"-1 0x7ffd 0x7f12\n"), None);
        assert_eq!(parse_call(b"43"), None);
    }

    #[test]
    fn a_wchan_of_zero_says_nothing() {
        assert_eq!(parse_wchan(b"0"), None);
        assert_eq!(parse_wchan(b"io_cqring_wait").as_deref(), Some("io_cqring_wait"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_stat(&bytes);
            parse_stack(&bytes);
            parse_wchan(&bytes);
            parse_syscall(&bytes, Architecture::X86);
            parse_call(&bytes);
        }

        #[test]
        fn any_command_name_comes_back_whole(name in "[ -~]{0,15}", state in "[RSDITZ]") {
            let line = format!("12 ({name}) {state} 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 3 0");
            let stat = parse_stat(line.as_bytes()).unwrap();
            proptest::prop_assert_eq!(stat.command, name.as_bytes());
            proptest::prop_assert_eq!(stat.threads, Some(3));
        }
    }
}
