//! Reads a live host over a window: a full reading at both ends, and samples in between.
//!
//! Nothing that hangs holds the rest up. Every layer is read by a worker thread; a worker to which the host does not answer
//! for a while is left behind, its layer is reported as unread, and another worker goes on with the next layer. One that
//! still gets answers, or only waits for a CPU, is slow, as everything is on a machine without CPU time to spare, and is
//! waited for longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use host::Host;
use model::Layered;
use model::report::HostIdentity;

use crate::reading::{identity, read_settings};
use crate::samples::{Sampler, Samples};
use crate::steps::{Readers, SLOW_DEADLINE, unread};
use crate::watched::{Answers, Late, Patience, Watched};
use crate::{Evidence, Reading, settings};

/// How a window is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long the window is.
    pub window: Duration,
    /// How often a full reading is taken; the ends of the window are always read.
    pub readings_every: Duration,
    /// How often tasks and listen queues are sampled; less often when a pass would cost more than a tenth of a CPU.
    pub samples_every: Duration,
}

impl Plan {
    /// A window with a reading at both ends and 20 samples a second.
    pub fn over(window: Duration) -> Self {
        Self { window, readings_every: window, samples_every: Duration::from_millis(50) }
    }
}

/// How long the settings may take in all: three files that hang cost half a second each (`host::foreign`), then no more
/// are tried. In a shorter window they are waited for, so that what was read of them is not lost.
const SETTINGS_DEADLINE: Duration = Duration::from_millis(1800);
/// How long the host may leave a question for samples or settings without an answer after the window's end.
const LAST_DEADLINE: Duration = Duration::from_millis(500);

/// Reads a host over a window. `progress` is called several times a second with the share of the window that is over.
pub fn collect(host: &Arc<dyn Host>, plan: Plan, progress: &mut dyn FnMut(f64)) -> Evidence {
    collect_until(host, plan, &AtomicBool::new(false), progress)
}

/// As [`collect`], and ends the window early when `stop` is set: for what takes as long as it takes.
pub fn collect_until(
    host: &Arc<dyn Host>,
    plan: Plan,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(f64),
) -> Evidence {
    let begin = Instant::now();
    let (settings_sender, settings) = mpsc::channel();
    let settings_host = Watched::new(Arc::clone(host));
    let settings_answers = settings_host.answers();
    thread::spawn(move || {
        settings_host.asked_by_this_thread();
        let settings = read_settings(&settings_host);
        settings_sender.send((settings, identity(&settings_host, &[]))).ok();
    });
    let mut readers = Readers::new(Arc::clone(host));
    let mut readings = vec![readers.read()];
    let sampling = Sampling::start(Arc::clone(host), plan.samples_every);
    let start = Instant::now();
    while start.elapsed() < plan.window && !stop.load(Ordering::Relaxed) {
        let due =
            plan.readings_every.max(Duration::from_millis(100)) * u32::try_from(readings.len()).unwrap_or(1);
        let share = || (start.elapsed().as_secs_f64() / plan.window.as_secs_f64()).min(1.0);
        wait_until(start + due.min(plan.window), stop, &mut || progress(share()));
        readings.push(readers.read());
    }
    let samples = sampling.finish();
    let services = readers.read_services();
    let silence = LAST_DEADLINE.max(SETTINGS_DEADLINE.saturating_sub(begin.elapsed()));
    let patience = Patience { silence, all: SLOW_DEADLINE };
    let (settings, named) = patience.wait(&settings, &settings_answers).unwrap_or_else(unread_settings);
    let measured = identity_of(&readings);
    Evidence {
        host: HostIdentity { cpus: measured.0, memory_bytes: measured.1, ..named },
        settings,
        services,
        readings,
        samples,
    }
}

fn wait_until(until: Instant, stop: &AtomicBool, progress: &mut dyn FnMut()) {
    loop {
        progress();
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || stop.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(left.min(Duration::from_millis(100)));
    }
}

fn identity_of(readings: &[Reading]) -> (Option<u32>, Option<u64>) {
    let cpus = readings.iter().find_map(|reading| u32::try_from(reading.cpu.facts()?.cpus.len()).ok());
    let memory = readings.iter().find_map(|reading| reading.memory.facts()?.meminfo.get("MemTotal").copied());
    (cpus.filter(|count| *count > 0), memory)
}

fn unread_settings(late: Late) -> (settings::Facts, HostIdentity) {
    let unread = unread("the settings", late);
    let facts = settings::Facts {
        values: std::collections::BTreeMap::new(),
        persisted: Layered::Unread(unread.clone()),
        fstab: Layered::Unread(unread),
        unread: vec![],
    };
    (facts, HostIdentity::default())
}

/// A thread that samples until it is told to stop.
struct Sampling {
    stop: Sender<()>,
    samples: Receiver<Samples>,
    answers: Answers,
}

impl Sampling {
    fn start(host: Arc<dyn Host>, every: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let (sender, samples) = mpsc::channel();
        let host = Watched::new(host);
        let answers = host.answers();
        thread::spawn(move || {
            host.asked_by_this_thread();
            sender.send(sample(&host, every, &stopped)).ok()
        });
        Self { stop, samples, answers }
    }

    fn finish(self) -> Samples {
        self.stop.send(()).ok();
        let patience = Patience { silence: LAST_DEADLINE, all: SLOW_DEADLINE };
        patience.wait(&self.samples, &self.answers).unwrap_or_else(|late| Samples {
            tasks_unread: Some(unread("the sampling of tasks", late)),
            ..Samples::default()
        })
    }
}

fn sample(host: &dyn Host, every: Duration, stopped: &Receiver<()>) -> Samples {
    let mut sampler = Sampler::default();
    let mut distances = Distances::default();
    loop {
        let (start, cpu_before) = (Instant::now(), host::thread_cpu_time());
        sampler.observe(host);
        // What a pass costs, not how long it takes: on a busy machine it waits for a CPU, and that is when samples count.
        let cost = host::thread_cpu_time().saturating_sub(cpu_before);
        let pause = distances.next(every).saturating_sub(start.elapsed()).max(cost * 9);
        if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return sampler.finish();
        }
    }
}

/// Distances between samples, spread evenly from a half to one and a half of what is wanted: samples at equal distances
/// would meet work that comes at equal distances always in the same state.
#[derive(Default)]
struct Distances(u32);

impl Distances {
    /// Steps by the golden ratio, which spreads any number of values evenly (a Weyl sequence).
    fn next(&mut self, mean: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        mean.mul_f64(0.5 + f64::from(self.0) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::kernel::{Ethtool, Link, Listener, Qdisc, TcpTable};
    use host::{Clock, HostError, Tree, TreeHost};

    /// A host that is asked for a file in its own way.
    struct Odd(TreeHost, fn(&str));

    impl Host for Odd {
        fn read_into(&self, path: &str, buffer: &mut Vec<u8>) -> Result<(), HostError> {
            (self.1)(path);
            self.0.read_into(path, buffer)
        }
        fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
            self.0.list(path)
        }
        fn link(&self, path: &str) -> Result<String, HostError> {
            self.0.link(path)
        }
        fn clock(&self) -> Clock {
            self.0.clock()
        }
        fn is_root(&self) -> Option<bool> {
            None
        }
        fn listeners(&self) -> Result<Vec<Listener>, HostError> {
            self.0.listeners()
        }
        fn tcp_table(&self, ephemeral: (u16, u16)) -> Result<TcpTable, HostError> {
            self.0.tcp_table(ephemeral)
        }
        fn qdiscs(&self) -> Result<Vec<Qdisc>, HostError> {
            self.0.qdiscs()
        }
        fn links(&self) -> Result<Vec<Link>, HostError> {
            self.0.links()
        }
        fn ethtool(&self, interface: &str) -> Result<Ethtool, HostError> {
            self.0.ethtool(interface)
        }
    }

    #[test]
    fn a_window_ends_early_when_it_is_told_to() {
        let host: Arc<dyn Host> = Arc::new(Tree::in_memory(1).at(0));
        let stop = AtomicBool::new(false);
        let plan = Plan::over(Duration::from_secs(3600));
        let evidence = collect_until(&host, plan, &stop, &mut |_| stop.store(true, Ordering::Relaxed));
        assert_eq!(evidence.readings.len(), 2, "both ends are read");
    }

    #[test]
    fn samples_meet_work_that_recurs_at_their_own_mean_distance_in_every_state() {
        let mean = Duration::from_millis(50);
        let mut distances = Distances::default();
        let (mut at_s, mut busy) = (0.0_f64, 0_u32);
        for _ in 0..400 {
            at_s += distances.next(mean).as_secs_f64();
            busy += u32::from(at_s.rem_euclid(0.05) < 0.02);
        }
        assert!((140..=180).contains(&busy), "20 of every 50 ms are 40 % of 400 samples, not {busy}");
        assert!((19.5..20.5).contains(&at_s), "{at_s}");
    }

    #[test]
    fn a_layer_that_hangs_costs_itself_and_nothing_else() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountstats", "");
        let never_disks = |path: &str| {
            if path == "/proc/diskstats" {
                loop {
                    thread::park();
                }
            }
        };
        let host: Arc<dyn Host> = Arc::new(Odd(tree.at(0), never_disks));
        let evidence = collect(&host, Plan::over(Duration::from_millis(10)), &mut |_| {});
        assert_eq!(evidence.readings.len(), 2);
        for reading in &evidence.readings {
            assert!(
                matches!(&reading.disk, Layered::Unread(unread) if unread.why.contains("did not answer"))
            );
            assert!(reading.cgroup.facts().is_some() || reading.nfs.facts().is_some());
        }
    }

    #[test]
    fn a_layer_that_is_slow_and_answers_costs_nothing() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
        let groups = 12;
        for group in 0..groups {
            tree.put(0, &format!("/sys/fs/cgroup/{group}.service/memory.max"), "4096\n");
        }
        let starved = |path: &str| {
            if path.ends_with("/memory.max") {
                thread::sleep(crate::steps::LAYER_DEADLINE / 8);
            }
        };
        let host: Arc<dyn Host> = Arc::new(Odd(tree.at(0), starved));
        let evidence = collect(&host, Plan::over(Duration::from_millis(10)), &mut |_| {});
        for reading in &evidence.readings {
            assert_eq!(reading.cgroup.facts().map(|facts| facts.groups.len()), Some(groups));
        }
    }
}
