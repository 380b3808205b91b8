//! Parses the files of `/proc` that tell of CPU time, load and pressure.

use host::text;

use super::{Cpu, Facts, Load, Pressure, Schedule, Times};

/// Parses `/proc/stat` (proc(5); fs/proc/stat.c) into the fields of [`Facts`] that come from it.
///
/// A CPU that is offline has no line. Columns that an old kernel lacks count nothing. A line of CPU time with fewer
/// than four numbers is counted in `skipped`.
pub fn parse_stat(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    for (_, _, line) in text::lines(bytes) {
        let (label, rest) = split(line);
        match label {
            b"cpu" => match times(rest) {
                Some(times) => facts.total = times,
                None => facts.skipped += 1,
            },
            b"ctxt" => number(rest, &mut facts.context_switches, &mut facts.skipped),
            b"processes" => number(rest, &mut facts.forks, &mut facts.skipped),
            b"procs_running" => number(rest, &mut facts.running, &mut facts.skipped),
            b"procs_blocked" => number(rest, &mut facts.blocked, &mut facts.skipped),
            _ => {
                let Some(id) = label.strip_prefix(b"cpu") else { continue };
                let id = text::decimal(id).and_then(|id| u32::try_from(id).ok());
                match id.zip(times(rest)) {
                    Some((id, times)) => facts.cpus.push(Cpu { id, times }),
                    None => facts.skipped += 1,
                }
            }
        }
    }
    facts
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    line.split_at_checked(end).unwrap_or((line, b""))
}

fn number(rest: &[u8], field: &mut Option<u64>, skipped: &mut u64) {
    *field = text::words(rest).next().and_then(text::decimal);
    *skipped += u64::from(field.is_none());
}

fn times(rest: &[u8]) -> Option<Times> {
    let mut words = text::words(rest).map(text::decimal);
    let mut needed = || words.next().flatten();
    let (user, nice, system, idle) = (needed()?, needed()?, needed()?, needed()?);
    let mut later = || words.next().flatten().unwrap_or(0);
    Some(Times {
        user,
        nice,
        system,
        idle,
        iowait: later(),
        irq: later(),
        softirq: later(),
        steal: later(),
        guest: later(),
        guest_nice: later(),
    })
}

/// Parses `/proc/loadavg` (proc(5)); `None` when it is not five words of that form.
pub fn parse_loadavg(bytes: &[u8]) -> Option<Load> {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_whitespace();
    let mut average = || words.next()?.parse::<f64>().ok().filter(|load| load.is_finite() && *load >= 0.0);
    let (one, five, fifteen) = (average()?, average()?, average()?);
    let (runnable, tasks) = words.next()?.split_once('/')?;
    Some(Load { one, five, fifteen, runnable: runnable.parse().ok()?, tasks: tasks.parse().ok()? })
}

/// Parses a file of `/proc/pressure` (Documentation/accounting/psi.rst); `None` without its `some` line.
pub fn parse_pressure(bytes: &[u8]) -> Option<Pressure> {
    let text = String::from_utf8_lossy(bytes);
    let line = |kind: &str| text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    let field = |line: Option<&str>, name: &str| -> Option<f64> {
        let word = line?
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))?;
        word.parse().ok().filter(|value: &f64| value.is_finite())
    };
    let total = |line: Option<&str>| {
        line?.split_whitespace().find_map(|word| word.strip_prefix("total=")?.parse::<u64>().ok())
    };
    let (some, full) = (line("some"), line("full"));
    Some(Pressure {
        some_avg10: field(some, "avg10")?,
        some_avg60: field(some, "avg60")?,
        some_total_us: total(some)?,
        full_avg10: field(full, "avg10"),
        full_total_us: total(full),
    })
}

/// The versions of `/proc/schedstat` in which run and wait times are nanoseconds at fields 7 and 8 of a CPU's line
/// (Documentation/scheduler/sched-stats.rst).
const SCHEDSTAT_VERSIONS: std::ops::RangeInclusive<u64> = 15..=17;

/// Parses the lines `cpuN` of `/proc/schedstat`; returns them and how many lines could not be understood.
///
/// Nothing is read of a version that is not known: its fields may mean something else.
pub fn parse_schedstat(bytes: &[u8]) -> (Vec<Schedule>, u64) {
    let mut lines = text::lines(bytes).map(|(_, _, line)| line);
    let version = lines.next().and_then(|line| line.strip_prefix(b"version ")).map(<[u8]>::trim_ascii);
    if !version.and_then(text::decimal).is_some_and(|version| SCHEDSTAT_VERSIONS.contains(&version)) {
        return (vec![], 1);
    }
    let mut skipped = 0;
    let of_cpus = lines.filter(|line| line.starts_with(b"cpu"));
    let schedule = of_cpus.filter_map(|line| {
        let parsed = schedule(line);
        skipped += u64::from(parsed.is_none());
        parsed
    });
    (schedule.collect(), skipped)
}

fn schedule(line: &[u8]) -> Option<Schedule> {
    let (label, rest) = split(line);
    let cpu = u32::try_from(text::decimal(label.strip_prefix(b"cpu")?)?).ok()?;
    let mut fields = text::words(rest).skip(6).map(text::decimal);
    Some(Schedule { cpu, run_ns: fields.next()??, wait_ns: fields.next()?? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Debian 12, Linux 6.1, two of four CPUs online.
    const STAT: &[u8] = b"cpu  206103 1 37717 248075 1111 0 329 319 0 0\n\
        cpu0 103219 0 14908 128184 192 0 79 162 0 0\ncpu3 102883 0 22808 119891 919 0 249 157 0 0\n\
        intr 2592267 0 0 0\nctxt 8105670\nbtime 1795261222\nprocesses 75100\nprocs_running 4\nprocs_blocked 8\n\
        softirq 1204719 0 139592\n";

    #[test]
    fn every_line_of_a_current_kernel_is_read_and_offline_cpus_have_none() {
        let facts = parse_stat(STAT);
        assert_eq!((facts.total.user, facts.total.steal), (206_103, 319));
        assert_eq!(facts.cpus.iter().map(|cpu| cpu.id).collect::<Vec<_>>(), [0, 3]);
        assert_eq!((facts.running, facts.blocked, facts.forks), (Some(4), Some(8), Some(75_100)));
        assert_eq!((facts.context_switches, facts.skipped), (Some(8_105_670), 0));
    }

    #[test]
    fn columns_that_an_old_kernel_lacks_count_nothing() {
        let facts = parse_stat(b"cpu 1 2 3 4\ncpu0 1 2 3 4 5 6 7\n");
        assert_eq!((facts.total.idle, facts.total.iowait, facts.cpus[0].times.softirq), (4, 0, 7));
        assert_eq!((facts.running, facts.skipped), (None, 0));
    }

    #[test]
    fn torn_lines_are_skipped_and_counted() {
        let facts = parse_stat(b"cpu 1 2\ncpux 1 2 3 4\ncpu0 1 2 3 4\nprocs_running \xff\n");
        assert_eq!((facts.cpus.len(), facts.skipped), (1, 3));
    }

    #[test]
    fn a_host_of_256_cpus_is_read() {
        let lines: String = (0..256).map(|cpu| format!("cpu{cpu} 1 2 3 4 5 6 7 8 9 10\n")).collect();
        assert_eq!(parse_stat(format!("cpu 9 9 9 9\n{lines}").as_bytes()).cpus.len(), 256);
    }

    #[test]
    fn load_averages_need_all_their_words() {
        let load = parse_loadavg(b"9.05 8.91 5.72 4/137 10196\n").unwrap();
        assert_eq!((load.one, load.runnable, load.tasks), (9.05, 4, 137));
        assert_eq!(parse_loadavg(b"9.05 8.91"), None);
        assert_eq!(parse_loadavg(b"nan 1 1 1/2 3"), None);
    }

    #[test]
    fn pressure_is_read_with_and_without_its_full_line() {
        let some = b"some avg10=68.24 avg60=87.32 avg300=80.18 total=886637023\n";
        let pressure = parse_pressure(some).unwrap();
        assert_eq!((pressure.some_total_us, pressure.full_total_us), (886_637_023, None));
        let both = [&some[..], b"full avg10=0.18 avg60=0.03 avg300=0.06 total=7295771\n"].concat();
        assert_eq!(parse_pressure(&both).unwrap().full_total_us, Some(7_295_771));
        assert_eq!(parse_pressure(b"full avg10=0"), None);
    }

    #[test]
    fn run_queue_times_are_fields_7_and_8_and_domains_are_passed_over() {
        let text =
            b"version 15\ntimestamp 4297\ncpu0 0 0 0 0 0 0 61889 712 10\ndomain0 03 1 2 3\ncpu1 0 0 0\n";
        let (schedule, skipped) = parse_schedstat(text);
        assert_eq!(schedule, [Schedule { cpu: 0, run_ns: 61_889, wait_ns: 712 }]);
        assert_eq!(skipped, 1);
        assert_eq!(parse_schedstat(b"version 14\ncpu0 1 2 3 4 5 6 7 8 9\n"), (vec![], 1));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_stat(&bytes);
            parse_loadavg(&bytes);
            parse_pressure(&bytes);
            parse_schedstat(&bytes);
        }

        #[test]
        fn no_line_of_cpu_time_makes_it_panic(bytes: Vec<u8>) {
            parse_stat(&[b"cpu0 ", bytes.as_slice()].concat());
            parse_schedstat(&[b"version 15\ncpu0 ", bytes.as_slice()].concat());
        }
    }
}
