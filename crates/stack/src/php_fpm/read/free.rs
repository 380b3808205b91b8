//! Whether a pool can be asked something without taking a visitor's place.

use host::Host;
use host::kernel::Listener;
use model::Unread;

use super::super::{Mode, Pool};
use super::processes::Process;
use super::workers::{at, is_idle};
use crate::tasks::architecture_of;

/// Workers that are asked whether they are idle, the last first: the kernel wakes those that wait longest.
const MOST_ASKED: usize = 256;

/// Looks whether nobody waits and some worker does.
///
/// # Errors
/// Why asking would cost a visitor, or start a process.
pub(super) fn may_be_asked(
    host: &dyn Host,
    pool: &Pool,
    workers: &[&Process],
    listeners: &[Listener],
) -> Result<(), Unread> {
    let refuse = |why: String| Err(Unread::new(why, "look again while the pool is less busy"));
    let name = &pool.name;
    if workers.is_empty() && pool.mode == Mode::Ondemand {
        return refuse(format!("pool {name} has no worker now, and asking would start one"));
    }
    if let Some(listener) = at(listeners, &pool.listen).filter(|listener| listener.waiting > 0) {
        let waiting = listener.waiting;
        return refuse(format!(
            "{waiting} requests wait for pool {name}: asking would take a visitor's place"
        ));
    }
    let architecture = architecture_of(host);
    let mut unknown = workers.is_empty();
    for worker in workers.iter().rev().take(MOST_ASKED).filter(|worker| worker.state != 'R') {
        match is_idle(host, worker.pid, architecture) {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => unknown = true,
        }
    }
    match unknown {
        true => Ok(()),
        false => refuse(format!("no worker of pool {name} is idle: asking would take a visitor's place")),
    }
}
