//! Reads layers one after the other through a worker thread that can be left behind.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use host::Host;
use model::{Layered, Unread};

use crate::reading::unread_reading;
use crate::services::Services;
use crate::watched::{Answers, Late, Patience, Watched};
use crate::{
    Reading, cgroup, composer, cpu, cron, disk, irq, memory, mysql, nfs, nginx, nic, opcache, php_fpm,
    proxysql, qdisc, sockets, tasks, wordpress,
};

/// How long the host may leave one question of a layer without an answer.
pub(crate) const LAYER_DEADLINE: Duration = Duration::from_millis(800);
/// The same once another layer has hung.
const SHORT_DEADLINE: Duration = Duration::from_millis(150);
/// How long one layer may take while the host answers, and the samples and the settings after the window's end.
pub(crate) const SLOW_DEADLINE: Duration = Duration::from_secs(5);
/// How long all layers may take while the host answers; what is read later has no time beyond `LAYER_DEADLINE`.
const READING_DEADLINE: Duration = Duration::from_secs(12);

type Fill<T> = Box<dyn FnOnce(&mut T) + Send>;

/// How one layer is read into a `T`, and what stands there when it hung.
struct Step<T> {
    layer: &'static str,
    read: fn(&dyn Host) -> Fill<T>,
    hung: fn(&mut T, Unread),
}

macro_rules! step {
    ($layer:ident, $read:path, $id:literal) => {
        Step {
            layer: $id,
            read: |host| {
                let facts: Layered<_> = $read(host).into();
                Box::new(move |all| all.$layer = facts)
            },
            hung: |all, unread| all.$layer = Layered::Unread(unread),
        }
    };
}

const LAYERS: &[Step<Reading>] = &[
    step!(cpu, cpu::read, "cpu"),
    step!(irq, irq::read, "irq"),
    step!(nic, nic::read, "nic"),
    step!(qdisc, qdisc::read, "qdisc"),
    step!(sockets, sockets::read, "sockets"),
    step!(memory, memory::read, "memory"),
    step!(disk, disk::read, "disk"),
    step!(nfs, nfs::read, "nfs"),
    step!(tasks, tasks::read, "tasks"),
    step!(cgroup, cgroup::read, "cgroup"),
    step!(nginx, nginx::read_counters, "nginx"),
    step!(php_fpm, php_fpm::read_counters, "php-fpm"),
    step!(opcache, opcache::read_counters, "opcache"),
    step!(mysql, mysql::read_counters, "mysql"),
    step!(proxysql, proxysql::read_counters, "proxysql"),
];

const SERVICES: &[Step<Services>] = &[
    step!(nginx, nginx::read, "nginx"),
    step!(php_fpm, php_fpm::read, "php-fpm"),
    step!(opcache, opcache::read, "opcache"),
    step!(composer, composer::read, "composer"),
    step!(wordpress, wordpress::read, "wordpress"),
    step!(cron, cron::read, "cron"),
    step!(mysql, mysql::read, "mysql"),
    step!(proxysql, proxysql::read, "proxysql"),
];

/// Reads all layers again and again, without those that hung once.
pub(crate) struct Readers {
    host: Arc<dyn Host>,
    hung: Vec<(&'static str, Unread)>,
}

impl Readers {
    /// Nothing has hung yet.
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, hung: vec![] }
    }

    /// Reads what is read at every instant.
    pub(crate) fn read(&mut self) -> Reading {
        let mut reading = unread_reading(self.host.clock(), &Unread::new("not reached", "read again"));
        self.take(LAYERS, &mut reading);
        reading
    }

    /// Reads what is read once per window.
    pub(crate) fn read_services(&mut self) -> Services {
        let mut services = Services::unread(&Unread::new("not reached", "read again"));
        self.take(SERVICES, &mut services);
        services
    }

    fn take<T: 'static>(&mut self, steps: &'static [Step<T>], all: &mut T) {
        let begin = Instant::now();
        let (mut fills, mut answers) = self.worker(steps, 0);
        for (index, step) in steps.iter().enumerate() {
            if let Some((_, unread)) = self.hung.iter().find(|(layer, _)| *layer == step.layer) {
                (step.hung)(all, unread.clone());
                continue;
            }
            let silence = if self.hung.is_empty() { LAYER_DEADLINE } else { SHORT_DEADLINE };
            let slow = SLOW_DEADLINE.min(READING_DEADLINE.saturating_sub(begin.elapsed())).max(silence);
            match (Patience { silence, all: slow }).wait(&fills, &answers) {
                Ok(fill) => fill(all),
                Err(late) => {
                    let unread = unread(step.layer, late);
                    self.hung.push((step.layer, unread.clone()));
                    (step.hung)(all, unread);
                    (fills, answers) = self.worker(steps, index + 1);
                }
            }
        }
    }

    /// Starts a worker that reads the layers from an index on and sends each as it is done.
    fn worker<T: 'static>(&self, steps: &'static [Step<T>], from: usize) -> (Receiver<Fill<T>>, Answers) {
        let (sender, receiver) = mpsc::channel();
        let host = Watched::new(Arc::clone(&self.host));
        let answers = host.answers();
        let skip: Vec<_> = self.hung.iter().map(|(layer, _)| *layer).collect();
        thread::spawn(move || {
            host.asked_by_this_thread();
            work(&host, steps.get(from..).unwrap_or_default(), &skip, &sender);
        });
        (receiver, answers)
    }
}

fn work<T>(host: &dyn Host, steps: &[Step<T>], skip: &[&str], sender: &Sender<Fill<T>>) {
    for step in steps.iter().filter(|step| !skip.contains(&step.layer)) {
        if sender.send((step.read)(host)).is_err() {
            return;
        }
    }
}

/// Why something was not read, for a person.
pub(crate) fn unread(what: &str, late: Late) -> Unread {
    match late {
        Late::Silent(limit) => Unread::new(
            format!("{what} did not answer within {} ms", limit.as_millis()),
            "find what hangs: tasks in state D, a network mount without its server",
        ),
        Late::Slow(limit) => Unread::new(
            format!("{what}: not read to the end within {} s, though the host answers", limit.as_secs()),
            "the machine has little time for narrows: run it with `nice -n -10`",
        ),
        Late::Ended => {
            Unread::new(format!("{what}: reading failed unexpectedly"), "report this as a bug of narrows")
        }
    }
}
