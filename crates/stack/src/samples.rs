//! What is sampled many times between two readings: waiting tasks, busy workers and the depth of listen queues.

use host::kernel::Family;
use serde::{Deserialize, Serialize};

/// What was sampled over the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    /// How many times all tasks were looked at.
    pub task_passes: u32,
    /// Why tasks were not sampled, where they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_unread: Option<model::Unread>,
    /// Waiting tasks, folded by what they wait in, most samples first.
    pub waits: Vec<Wait>,
    /// Pools of workers that wait in accept(2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<AcceptPool>,
    /// How many times listen queues were looked at.
    pub listener_passes: u32,
    /// The depth of each listen queue that was ever used, deepest first.
    pub listeners: Vec<ListenerDepth>,
}

/// Tasks that waited in the same place: one folded stack of an off-CPU profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// The command name (`comm`) of the tasks.
    pub command: String,
    /// `D` (uninterruptible or killable) or `S` (interruptible; only chosen places such as `io_cqring_wait`).
    pub state: char,
    /// The kernel function they wait in (`/proc/PID/wchan`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wchan: Option<String>,
    /// The kernel stack, innermost first (`/proc/PID/stack`; root only). Empty when it may not be read.
    pub stack: Vec<String>,
    /// The system call they are in, by name, or by number where the name is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syscall: Option<String>,
    /// Samples of tasks in this wait, summed over passes: divided by `task_passes`, the mean number of tasks waiting.
    pub samples: u64,
    /// Different tasks seen in this wait.
    pub tasks: u32,
    /// The most tasks seen in it in one pass.
    pub most: u32,
}

impl Wait {
    /// Whether a function appears in the stack or as the wchan, by the start of its name.
    pub fn is_in(&self, function: &str) -> bool {
        let named = |frame: &str| frame.starts_with(function);
        self.wchan.as_deref().is_some_and(named) || self.stack.iter().any(|frame| named(frame))
    }

    /// The stack as one line, outermost first, joined by `;` as flame graphs fold it; the wchan where there is no stack.
    pub fn folded(&self) -> String {
        let mut frames: Vec<&str> = self.stack.iter().rev().map(String::as_str).collect();
        if frames.is_empty() {
            frames.extend(self.wchan.as_deref());
        }
        format!("{};{}", self.command, frames.join(";"))
    }
}

impl Samples {
    /// The mean number of tasks that waited in state `D` over the window; `None` without a pass.
    #[expect(clippy::cast_precision_loss, reason = "a mean of sample counts")]
    pub fn mean_tasks(&self, wanted: impl Fn(&Wait) -> bool) -> Option<f64> {
        let samples: u64 = self
            .waits
            .iter()
            .filter(|wait| wanted(wait))
            .map(|wait| wait.samples)
            .fold(0, u64::saturating_add);
        (self.task_passes > 0).then(|| samples as f64 / f64::from(self.task_passes))
    }
}

/// A pool of processes or threads that wait in accept(2) on one listening socket, one connection each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptPool {
    /// The command name of its workers.
    pub command: String,
    /// The inode of the listening socket.
    pub inode: u64,
    /// The most workers seen in one pass.
    pub workers: u32,
    /// How many of them were not waiting in accept(2), on average over all passes.
    pub busy: f64,
    /// The share of passes in which all were busy, 0 to 1.
    pub full_share: f64,
}

/// How deep a listen queue was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListenerDepth {
    /// The address family.
    pub family: Family,
    /// The address or path.
    pub local: String,
    /// The limit: one more than this many connections fit. `None` where the kernel interface does not say.
    pub backlog: Option<u32>,
    /// The most connections seen waiting.
    pub most: u32,
    /// The mean over all passes in which the socket existed.
    pub mean: f64,
    /// The share of passes in which it was full (waiting > backlog, or = backlog for Unix sockets that refuse), 0 to 1.
    pub full_share: f64,
    /// How often it was found full in a pass after one in which it was not, or in the first.
    #[serde(default)]
    pub times_full: u32,
}

/// A task seen waiting in one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiter {
    /// The thread's id.
    pub tid: u32,
    /// The command name.
    pub command: String,
    /// The state letter.
    pub state: char,
    /// The kernel function it waits in.
    pub wchan: Option<String>,
    /// The kernel stack, innermost first; empty when it may not be read.
    pub stack: Vec<String>,
    /// The system call it is in.
    pub syscall: Option<String>,
}

/// Folds passes into [`Samples`].
#[derive(Debug, Default)]
pub struct Sampler {
    samples: Samples,
    tasks_of: std::collections::HashMap<usize, std::collections::HashSet<u32>>,
    scanner: crate::tasks::Scanner,
    totals: Vec<(u64, u32)>,
    /// Whether each listen queue was full in the last pass that saw it.
    were_full: Vec<bool>,
}

impl Sampler {
    /// Looks at all tasks and all listen queues of a host once.
    pub fn observe(&mut self, host: &dyn host::Host) {
        match self.scanner.waiters(host) {
            Ok(waiters) => self.fold_tasks(&waiters),
            Err(unread) => self.samples.tasks_unread = Some(unread),
        }
        if let Ok(listeners) = host.listeners() {
            self.fold_listeners(&listeners);
        }
    }

    /// Counts one pass over all tasks.
    pub fn fold_tasks(&mut self, waiters: &[Waiter]) {
        self.samples.task_passes += 1;
        let mut in_this_pass: std::collections::HashMap<usize, u32> = std::collections::HashMap::new();
        for waiter in waiters {
            let index = self.wait_of(waiter);
            *in_this_pass.entry(index).or_default() += 1;
            self.tasks_of.entry(index).or_default().insert(waiter.tid);
        }
        for (index, count) in in_this_pass {
            if let Some(wait) = self.samples.waits.get_mut(index) {
                wait.samples += u64::from(count);
                wait.most = wait.most.max(count);
            }
        }
    }

    fn wait_of(&mut self, waiter: &Waiter) -> usize {
        let same = |wait: &Wait| {
            wait.command == waiter.command
                && wait.state == waiter.state
                && wait.wchan == waiter.wchan
                && wait.stack == waiter.stack
        };
        self.samples.waits.iter().position(same).unwrap_or_else(|| {
            self.samples.waits.push(Wait {
                command: waiter.command.clone(),
                state: waiter.state,
                wchan: waiter.wchan.clone(),
                stack: waiter.stack.clone(),
                syscall: waiter.syscall.clone(),
                ..Wait::default()
            });
            self.samples.waits.len() - 1
        })
    }

    /// Counts one pass over all listen queues.
    pub fn fold_listeners(&mut self, listeners: &[host::kernel::Listener]) {
        self.samples.listener_passes += 1;
        for listener in listeners {
            let known =
                |depth: &ListenerDepth| depth.local == listener.local && depth.family == listener.family;
            let index = self.samples.listeners.iter().position(known).unwrap_or_else(|| {
                self.samples.listeners.push(ListenerDepth {
                    family: listener.family,
                    local: listener.local.clone(),
                    backlog: listener.backlog,
                    most: 0,
                    mean: 0.0,
                    full_share: 0.0,
                    times_full: 0,
                });
                self.totals.push((0, 0));
                self.were_full.push(false);
                self.samples.listeners.len() - 1
            });
            let (Some(depth), Some((waiting, passes)), Some(was_full)) = (
                self.samples.listeners.get_mut(index),
                self.totals.get_mut(index),
                self.were_full.get_mut(index),
            ) else {
                continue;
            };
            let full = listener.backlog.is_some_and(|backlog| backlog > 0 && listener.waiting > backlog);
            *waiting += u64::from(listener.waiting);
            *passes += 1;
            depth.most = depth.most.max(listener.waiting);
            depth.full_share += f64::from(u8::from(full));
            depth.times_full += u32::from(full && !*was_full);
            *was_full = full;
        }
    }

    /// The samples of all passes.
    #[expect(clippy::cast_precision_loss, reason = "a mean of queue depths")]
    pub fn finish(mut self) -> Samples {
        self.samples.pools = self.scanner.pools();
        for (index, tasks) in &self.tasks_of {
            if let Some(wait) = self.samples.waits.get_mut(*index) {
                wait.tasks = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
            }
        }
        for (depth, (waiting, passes)) in self.samples.listeners.iter_mut().zip(&self.totals) {
            let passes = f64::from((*passes).max(1));
            depth.mean = *waiting as f64 / passes;
            depth.full_share /= passes;
        }
        self.samples.waits.sort_by_key(|wait| std::cmp::Reverse(wait.samples));
        self.samples.listeners.sort_by_key(|depth| std::cmp::Reverse(depth.most));
        self.samples
    }
}
