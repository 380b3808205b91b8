//! Profiles of system calls: our own, and what strace(1) and perf(1) write.

mod perf;
mod strace;

use std::collections::BTreeMap;

use host::trace::Traced;

use super::{CallCount, PathCount, Profile};
use crate::tasks::syscalls::Architecture;

/// Folders that a profile names.
const MOST_FOLDERS: usize = 40;

/// Calls that name a path to look something up.
const NAME_A_PATH: [&str; 11] = [
    "access",
    "faccessat",
    "faccessat2",
    "lstat",
    "newfstatat",
    "open",
    "openat",
    "readlink",
    "readlinkat",
    "stat",
    "statx",
];

/// The largest file that is read, in bytes.
const LARGEST_BYTES: usize = 256 << 20;

/// Reads a profile: that of `narrows profile --format json`, or the output of `strace -c`, `strace -f`,
/// `perf trace -s` or `perf script` of `raw_syscalls`. Lines that are not understood are passed over.
///
/// # Errors
/// What is wrong with it, in words, when nothing of it is understood.
pub fn read(source: &str, bytes: &[u8]) -> Result<Profile, String> {
    if bytes.len() > LARGEST_BYTES {
        return Err("it is larger than 256 MiB; record for a shorter time".to_owned());
    }
    let text = String::from_utf8_lossy(bytes);
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| format!("it is no profile of narrows: {error}"));
    }
    let (kind, counts) = if text.contains("% time") && text.contains("usecs/call") {
        ("strace -c", strace::summary(&text))
    } else if text.contains("raw_syscalls:sys_e") {
        ("perf script", perf::script(&text))
    } else if text.contains("Summary of events") {
        ("perf trace -s", perf::summary(&text))
    } else {
        ("strace", strace::lines(&text))
    };
    if counts.calls.is_empty() {
        return Err(
            "no line of it is one of strace, perf trace -s or perf script, and it is no JSON".to_owned()
        );
    }
    Ok(counts.profile(format!("{kind}, {source}")))
}

/// A profile of what was traced.
pub fn of_traced(source: String, traced: Traced, machine: Architecture) -> Profile {
    let calls = traced.calls.into_iter().map(|(number, calls)| {
        let count = Count { calls: calls.calls, errors: calls.errors, seconds: Some(calls.seconds) };
        (machine.name_of(number), count)
    });
    let counts = Counts {
        calls: calls.collect(),
        missing_below: traced.missing_below,
        paths: Some((traced.path_calls, traced.path_missing)),
        requests: Some(traced.accepted),
        seconds: Some(traced.seconds),
    };
    counts.profile(source)
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Count {
    calls: u64,
    errors: u64,
    seconds: Option<f64>,
}

/// What the readers of all forms count.
#[derive(Debug, Default)]
struct Counts {
    calls: BTreeMap<String, Count>,
    missing_below: BTreeMap<String, u64>,
    /// Calls that name a path, and those of them that failed with ENOENT; `None` where calls were not seen one by one.
    paths: Option<(u64, u64)>,
    requests: Option<u64>,
    seconds: Option<f64>,
}

impl Counts {
    fn add(&mut self, name: &str, failed: bool, seconds: Option<f64>) {
        let count = self.calls.entry(name.to_owned()).or_default();
        count.calls += 1;
        count.errors += u64::from(failed);
        count.seconds = match (count.seconds, seconds) {
            (Some(sum), Some(seconds)) => Some(sum + seconds),
            (sum, seconds) => sum.or(seconds),
        };
        if !failed && name.starts_with("accept") {
            *self.requests.get_or_insert(0) += 1;
        }
    }

    fn add_path(&mut self, missing: bool) {
        let (calls, absent) = self.paths.get_or_insert((0, 0));
        *calls += 1;
        *absent += u64::from(missing);
    }

    fn profile(self, source: String) -> Profile {
        // A summary does not tell why a call failed; of those that name a path, nearly all fail for want of the file.
        let sums = || {
            let named = self.calls.iter().filter(|(name, _)| names_a_path(name));
            named.fold((0, 0), |(calls, errors), (_, count)| (calls + count.calls, errors + count.errors))
        };
        let (path_calls, path_missing) = self.paths.unwrap_or_else(sums);
        let call = |(name, count): (String, Count)| CallCount {
            name,
            calls: count.calls,
            errors: count.errors,
            seconds: count.seconds,
        };
        let mut calls: Vec<_> = self.calls.into_iter().map(call).collect();
        let time = |call: &CallCount| call.seconds.unwrap_or(0.0);
        calls.sort_by(|a, b| time(b).total_cmp(&time(a)).then(b.calls.cmp(&a.calls)));
        let folder = |(folder, calls)| PathCount { folder, calls };
        let mut missing_below: Vec<_> = self.missing_below.into_iter().map(folder).collect();
        missing_below.sort_by(|a, b| b.calls.cmp(&a.calls).then(a.folder.cmp(&b.folder)));
        missing_below.truncate(MOST_FOLDERS);
        Profile {
            source,
            seconds: self.seconds,
            requests: self.requests,
            calls,
            missing_below,
            path_calls,
            path_missing,
        }
    }
}

fn names_a_path(name: &str) -> bool {
    NAME_A_PATH.contains(&name)
}

/// The folder of a path; `.` for a name alone.
fn folder(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call<'a>(profile: &'a Profile, name: &str) -> &'a CallCount {
        profile.calls.iter().find(|call| call.name == name).unwrap()
    }

    #[test]
    fn a_summary_of_strace_is_read() {
        let profile = read("c.txt", include_bytes!("fixtures/strace-c.txt")).unwrap();
        let stats = call(&profile, "newfstatat");
        assert_eq!((stats.calls, stats.errors, stats.seconds), (693, 10, Some(0.000_916)));
        assert_eq!(profile.calls[0].name, "newfstatat");
        assert_eq!((profile.path_calls, profile.path_missing), (693 + 12 + 46 + 2, 10 + 11 + 3));
        assert_eq!(profile.source, "strace -c, c.txt");
    }

    #[test]
    fn lines_of_strace_are_read_with_the_folders_that_were_asked_for() {
        let profile = read("f.txt", include_bytes!("fixtures/strace-f.txt")).unwrap();
        assert_eq!((profile.path_calls, profile.path_missing), (18, 13));
        let folders: Vec<_> =
            profile.missing_below.iter().map(|one| (one.folder.as_str(), one.calls)).collect();
        assert_eq!(folders, [("/srv/shop/src", 5), ("/srv/shop/vendor/a", 5), ("/srv/shop", 3)]);
        assert!(profile.seconds.is_some_and(|seconds| seconds > 0.0 && seconds < 1.0));
    }

    #[test]
    fn calls_that_strace_tells_in_two_parts_are_one() {
        let text = "7 accept4(9, NULL, NULL, SOCK_CLOEXEC <unfinished ...>
8 stat(\"/a/b\", <unfinished ...>
7 <... accept4 resumed>) = 4
8 <... stat resumed>0x7ff) = -1 ENOENT (No such file or directory)
[pid 9] openat(AT_FDCWD, \"/a/\\\"c/d\", O_RDONLY) = -1 ENOENT (No such file or directory)
not a line
";
        let profile = read("x", text.as_bytes()).unwrap();
        assert_eq!((profile.requests, profile.path_calls, profile.path_missing), (Some(1), 2, 2));
        assert_eq!(profile.missing_below.len(), 2);
    }

    #[test]
    fn a_summary_of_perf_is_read() {
        let profile = read("p.txt", include_bytes!("fixtures/perf-trace.txt")).unwrap();
        let stats = call(&profile, "newfstatat");
        assert_eq!((stats.calls, stats.errors), (694, 11));
        assert!((stats.seconds.unwrap() - 0.012_27).abs() < 1e-9);
    }

    #[test]
    fn events_of_perf_are_paired() {
        let profile = read("s.txt", include_bytes!("fixtures/perf-script.txt")).unwrap();
        let futex = call(&profile, "futex");
        assert!(futex.calls > 0 && futex.errors == 0 && futex.seconds.unwrap() > 0.0, "{profile:?}");
    }

    #[test]
    fn our_own_is_read_back_and_anything_else_is_told() {
        let profile = read("f.txt", include_bytes!("fixtures/strace-f.txt")).unwrap();
        let json = serde_json::to_vec(&profile).unwrap();
        assert_eq!(read("x", &json).unwrap(), profile);
        assert!(read("x", b"{}{").is_err());
        assert!(read("x", b"hello\n").is_err());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0_usize..4) {
            let heads = ["", "% time usecs/call\n", "raw_syscalls:sys_exit: NR 1 = \n", "Summary of events\n"];
            let _ = read("x", &[heads[kind].as_bytes(), &bytes].concat());
        }
    }
}
