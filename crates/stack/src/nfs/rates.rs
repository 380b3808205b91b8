//! What each NFS mount did over the window.

use model::counter::growth;

use super::{Facts, Mount, Operation};
use crate::Span;

/// Operations that ask whether what is cached still holds.
pub const REVALIDATION: [&str; 3] = ["GETATTR", "LOOKUP", "ACCESS"];
/// Operations that carry file data.
pub const DATA: [&str; 4] = ["READ", "READ_PLUS", "WRITE", "COMMIT"];
/// Operations that change what the server holds.
pub const CHANGES: [&str; 8] = ["WRITE", "SETATTR", "CREATE", "REMOVE", "RENAME", "LINK", "SYMLINK", "MKDIR"];
/// From this ratio of time queued to time on the wire on, requests wait for a slot more than is noise.
pub const QUEUED: f64 = 0.5;

/// The work of one mount over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates<'a> {
    /// The mount at the last reading.
    pub mount: &'a Mount,
    /// The length of the window in seconds.
    pub seconds: f64,
    /// Per operation, what it grew by; operations without growth are left out.
    pub operations: Vec<(&'a str, Operation)>,
    /// Requests sent and replies received over the mount's connections; `None` when a counter went backwards.
    pub replies: Option<(u64, u64)>,
    /// Times cached attributes were declared invalid before they expired (`attrinvalidates` of the `events:` line).
    pub invalidations: Option<u64>,
}

/// The work of every mount. A mount that was made anew, or whose counters went backwards, is left out; one of several
/// places where the same file system is mounted stands for all.
pub fn rates<'a>(span: &Span<'a, Facts>) -> Vec<Rates<'a>> {
    let last = &span.last.mounts;
    let twin = |index: usize, mount: &Mount| {
        last.iter().take(index).any(|other| {
            other.device == mount.device
                && other.transports == mount.transports
                && other.operations == mount.operations
        })
    };
    let kept = last.iter().enumerate().filter(|(index, mount)| !twin(*index, mount));
    kept.filter_map(|(_, mount)| {
        let same = |first: &&Mount| first.mount_point == mount.mount_point && first.device == mount.device;
        rate(span.first.mounts.iter().find(same)?, mount, span.seconds)
    })
    .collect()
}

fn rate<'a>(first: &Mount, last: &'a Mount, seconds: f64) -> Option<Rates<'a>> {
    if first.age_s > last.age_s {
        return None;
    }
    let mut operations = Vec::new();
    for (name, now) in &last.operations {
        let grown = operation(&first.operations.get(name).copied().unwrap_or_default(), now)?;
        if grown != (Operation { errors: grown.errors, ..Operation::default() }) {
            operations.push((name.as_str(), grown));
        }
    }
    let event = |mount: &Mount| mount.events.get("attrinvalidates").copied();
    let invalidations = event(first).zip(event(last)).and_then(|(first, last)| growth(first, last));
    Some(Rates { mount: last, seconds, operations, replies: replies(first, last), invalidations })
}

fn operation(first: &Operation, last: &Operation) -> Option<Operation> {
    let errors = last.errors.map(|errors| growth(first.errors.unwrap_or(0), errors));
    Some(Operation {
        operations: growth(first.operations, last.operations)?,
        transmissions: growth(first.transmissions, last.transmissions)?,
        timeouts: growth(first.timeouts, last.timeouts)?,
        bytes_sent: growth(first.bytes_sent, last.bytes_sent)?,
        bytes_received: growth(first.bytes_received, last.bytes_received)?,
        queue_ms: growth(first.queue_ms, last.queue_ms)?,
        rtt_ms: growth(first.rtt_ms, last.rtt_ms)?,
        execute_ms: growth(first.execute_ms, last.execute_ms)?,
        errors: errors.flatten(),
    })
}

fn replies(first: &Mount, last: &Mount) -> Option<(u64, u64)> {
    let sum = |mount: &Mount| {
        mount.transports.iter().fold((0_u64, 0_u64), |(sends, receives), transport| {
            (sends.saturating_add(transport.sends), receives.saturating_add(transport.receives))
        })
    };
    let ((sends, receives), (sends_now, receives_now)) = (sum(first), sum(last));
    (!last.transports.is_empty()).then_some(())?;
    Some((growth(sends, sends_now)?, growth(receives, receives_now)?))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds and operations of a window")]
impl Rates<'_> {
    /// The growth of all operations whose name is wanted.
    pub fn sum(&self, wanted: impl Fn(&str) -> bool) -> Operation {
        let wanted = self.operations.iter().filter(|(name, _)| wanted(name));
        wanted.fold(Operation::default(), |sum, (_, grown)| Operation {
            operations: sum.operations.saturating_add(grown.operations),
            transmissions: sum.transmissions.saturating_add(grown.transmissions),
            timeouts: sum.timeouts.saturating_add(grown.timeouts),
            bytes_sent: sum.bytes_sent.saturating_add(grown.bytes_sent),
            bytes_received: sum.bytes_received.saturating_add(grown.bytes_received),
            queue_ms: sum.queue_ms.saturating_add(grown.queue_ms),
            rtt_ms: sum.rtt_ms.saturating_add(grown.rtt_ms),
            execute_ms: sum.execute_ms.saturating_add(grown.execute_ms),
            errors: grown
                .errors
                .map_or(sum.errors, |errors| Some(sum.errors.unwrap_or(0).saturating_add(errors))),
        })
    }

    /// The growth of all operations.
    pub fn total(&self) -> Operation {
        self.sum(|_| true)
    }

    /// The growth of operations that carry no file data: what a task waits for one by one, at a size of nothing.
    pub fn metadata(&self) -> Operation {
        self.sum(|name| !DATA.contains(&name))
    }

    /// The growth of operations that carry file data, which are sent many at once and take as long as their bytes.
    pub fn data(&self) -> Operation {
        self.sum(|name| DATA.contains(&name))
    }

    /// Operations done per second.
    pub fn per_s(&self) -> f64 {
        self.total().operations as f64 / self.seconds
    }

    /// The mean of a time over all operations, in ms; `None` without operations.
    pub fn mean_ms(&self, of: fn(&Operation) -> u64) -> Option<f64> {
        let total = self.total();
        (total.operations > 0).then(|| of(&total) as f64 / total.operations as f64)
    }

    /// Time queued before transmission over time on the wire; `None` without time on the wire.
    pub fn queue_ratio(&self) -> Option<f64> {
        let total = self.total();
        (total.rtt_ms > 0).then(|| total.queue_ms as f64 / total.rtt_ms as f64)
    }

    /// Requests on the wire, on average (Little's law over `rtt_ms`).
    pub fn in_flight(&self) -> f64 {
        self.total().rtt_ms as f64 / 1000.0 / self.seconds
    }

    /// Requests that wait to be sent, on average (Little's law over `queue_ms`).
    pub fn waiting(&self) -> f64 {
        self.total().queue_ms as f64 / 1000.0 / self.seconds
    }

    /// Requests between start and end, on average: tasks inside this mount (Little's law over `execute_ms`).
    pub fn inside(&self) -> f64 {
        self.total().execute_ms as f64 / 1000.0 / self.seconds
    }
}

impl Mount {
    /// An option of the mount, without its value.
    pub fn has(&self, option: &str) -> bool {
        self.options.contains_key(option) || self.mount_options.contains_key(option)
    }

    /// The value of an option of the mount.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).or_else(|| self.mount_options.get(name))?.as_deref()
    }

    /// Whether it is mounted read-only.
    pub fn is_read_only(&self) -> bool {
        self.has("ro")
    }

    /// Whether the protocol has sessions, whose slots bound requests in flight (NFS 4.1 and later, RFC 8881).
    pub fn has_session(&self) -> bool {
        self.option("vers").and_then(|version| version.strip_prefix("4.")).is_some_and(|minor| minor != "0")
    }

    /// The most slots ever in use, over all connections; `None` where the kernel does not say.
    pub fn slots_used(&self) -> Option<u64> {
        self.transports
            .iter()
            .try_fold(0, |sum: u64, transport| Some(sum.saturating_add(transport.max_slots?)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds and operations of a window")]
impl Operation {
    /// Operations per second of a growth over a window.
    pub fn per_s(&self, seconds: f64) -> f64 {
        self.operations as f64 / seconds
    }

    /// The mean of a time per operation, in ms; 0 without operations.
    pub fn mean_ms(&self, total_ms: u64) -> f64 {
        if self.operations > 0 { total_ms as f64 / self.operations as f64 } else { 0.0 }
    }
}

/// A server and everything mounted from it: its mounts share one client, its connections and its session.
#[derive(Debug, Clone, PartialEq)]
pub struct Server<'a> {
    /// Its name or address.
    pub name: &'a str,
    /// The mount that waited most, which stands for all.
    pub mount: Rates<'a>,
    /// Requests on the wire, on average, over all mounts.
    pub in_flight: f64,
    /// Requests that wait to be sent, on average, over all mounts.
    pub waiting: f64,
    /// Operations per second, over all mounts.
    pub per_s: f64,
    /// How many requests may be in flight, as far as it is known: see [`slots`].
    pub slots: Option<f64>,
}

/// The mounts by server, the one with most requests in flight or waiting first.
pub fn servers<'a>(span: &Span<'a, Facts>) -> Vec<Server<'a>> {
    let mut servers: Vec<Server> = Vec::new();
    for mount in rates(span) {
        let (in_flight, waiting, per_s) = (mount.in_flight(), mount.waiting(), mount.per_s());
        match servers.iter_mut().find(|server| server.name == mount.server()) {
            Some(server) => {
                server.in_flight += in_flight;
                server.waiting += waiting;
                server.per_s += per_s;
                if waiting > server.mount.waiting() {
                    server.mount = mount;
                }
            }
            None => {
                let name = mount.server();
                servers.push(Server { name, mount, in_flight, waiting, per_s, slots: None });
            }
        }
    }
    for server in &mut servers {
        server.slots = slots(server, span.last.max_session_slots);
    }
    servers.sort_by(|a, b| (b.in_flight + b.waiting).total_cmp(&(a.in_flight + a.waiting)));
    servers
}

/// How many requests the session holds: at most `nfs.max_session_slots`. The server may grant fewer without saying so
/// in any file; but once requests queue, the most slots ever in use show what it granted.
#[expect(clippy::cast_precision_loss, reason = "slots are few")]
fn slots(server: &Server, max_session_slots: Option<u64>) -> Option<f64> {
    if !server.mount.mount.has_session() {
        return None;
    }
    let queued = server.waiting > 0.0 && server.waiting / server.in_flight.max(f64::EPSILON) > QUEUED;
    let used = server.mount.mount.slots_used().filter(|used| queued && *used > 0);
    [max_session_slots, used].into_iter().flatten().min().map(|slots| slots as f64)
}

impl<'a> Rates<'a> {
    /// The server's name or address: the device up to `:/`.
    pub fn server(&self) -> &'a str {
        let mount: &'a Mount = self.mount;
        mount.device.split_once(":/").map_or(mount.device.as_str(), |(server, _)| server)
    }
}
