//! Which events count.

use crate::event::Event;
use crate::time::Time;

/// Decides which events are digested. It is asked once an event, by several threads at once.
pub trait Select: Sync {
    /// Whether an event is digested.
    fn keep(&self, event: &Event<'_>) -> bool;
}

/// Every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct All;

impl Select for All {
    fn keep(&self, _: &Event<'_>) -> bool {
        true
    }
}

/// What `--db`, `--user`, `--host`, `--since` and `--until` ask for. Where a list is empty, every value will do.
#[derive(Debug, Clone, Default)]
pub struct Basic {
    /// Default schemas.
    pub dbs: Vec<String>,
    /// Names of users.
    pub users: Vec<String>,
    /// Hosts or addresses of clients.
    pub hosts: Vec<String>,
    /// The first moment, in microseconds since 1970, of [`Time::unix_us`]. Events without a time are left out.
    pub since_us: Option<i64>,
    /// The first moment that is too late.
    pub until_us: Option<i64>,
}

impl Select for Basic {
    fn keep(&self, event: &Event<'_>) -> bool {
        let one_of = |list: &[String], values: &[&[u8]]| {
            list.is_empty() || list.iter().any(|wanted| values.contains(&wanted.as_bytes()))
        };
        let at = event.time.map(Time::unix_us);
        self.since_us.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until_us.is_none_or(|until| at.is_some_and(|at| at < until))
            && one_of(&self.dbs, &[event.db])
            && one_of(&self.users, &[event.user])
            && one_of(&self.hosts, &[event.host, event.ip])
    }
}

/// Both.
impl<A: Select, B: Select> Select for (A, B) {
    fn keep(&self, event: &Event<'_>) -> bool {
        self.0.keep(event) && self.1.keep(event)
    }
}

impl<S: Select + ?Sized> Select for &S {
    fn keep(&self, event: &Event<'_>) -> bool {
        (**self).keep(event)
    }
}
