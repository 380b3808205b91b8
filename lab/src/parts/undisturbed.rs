//! Keeps what else the machine does out of a measurement.

/// Real-time priority (`SCHED_RR`, sched(7)) of this thread and of all that it starts, until dropped.
///
/// A service time that is known from the outside is known only while nothing else takes the CPU. The servers and loads of
/// the scenarios that need this use a small part of it.
pub struct Undisturbed;

/// The lowest real-time priority: above all ordinary work.
const PRIORITY: i32 = 1;

impl Undisturbed {
    /// Begins, and says so in the remarks; without the right to it, the measurement goes on as it is.
    pub fn begin(remarks: &mut Vec<String>) -> Self {
        let granted = schedule(libc::SCHED_RR, PRIORITY);
        remarks.push(match granted {
            true => "at real-time priority, so that other work of the machine does not count".to_owned(),
            false => "real-time priority was refused: other work of the machine counts".to_owned(),
        });
        Self
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        schedule(libc::SCHED_OTHER, 0);
    }
}

fn schedule(policy: i32, priority: i32) -> bool {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the structure outlives the call, which only reads it; 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) == 0 }
}
