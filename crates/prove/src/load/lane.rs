//! One thread of a load: who sends what, and when.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::iter::Peekable;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

use super::Protocol;
use super::carrier::{Carrier, Carriers};
use super::connect::{Connector, Tls};
use super::cpu::Cpu;
use super::failure::Failure;
use super::origin::Prepared;
use super::schedule::{Due, Schedule};
use super::tally::{Answer, Tally};
use super::timer::Timer;

/// What a thread is told.
pub(super) struct Orders {
    pub(super) start: Instant,
    pub(super) schedule: Schedule,
    pub(super) counted_from: Duration,
    pub(super) until: Duration,
    pub(super) timeout: Duration,
    pub(super) most_connections: usize,
    pub(super) protocol: Protocol,
    pub(super) keep_alive: bool,
    pub(super) addresses: Vec<std::net::SocketAddr>,
    pub(super) tls: Option<Tls>,
    pub(super) requests: Arc<Vec<Prepared>>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) stop: Arc<AtomicBool>,
}

/// What others see of a thread while it works.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) begun: AtomicU64,
    pub(super) good: AtomicU64,
    pub(super) failed: AtomicU64,
}

/// What a thread brings back.
pub(super) struct Outcome {
    pub(super) tally: Tally,
    pub(super) connections: u64,
    /// CPU time from the first counted instant to the last.
    pub(super) cpu: Cpu,
    /// When requests ceased to be due.
    pub(super) ended: Duration,
}

/// How late a thread may see that it is told to stop.
const STOP_EVERY: Duration = Duration::from_millis(50);
/// Nothing is gained by a timer that rings more often than this.
const SHORTEST_WAIT: Duration = Duration::from_micros(20);

struct Lane {
    orders: Orders,
    carriers: Carriers,
    schedule: RefCell<Peekable<Schedule>>,
    tally: RefCell<Tally>,
    idle: RefCell<Vec<Rc<Seat>>>,
    workers: Cell<usize>,
    busy: Cell<usize>,
    /// Whether requests are due that nobody is free for.
    is_behind: Cell<bool>,
    freed: Notify,
}

/// Where a worker without work waits.
#[derive(Default)]
struct Seat {
    work: Cell<Option<Due>>,
    waker: RefCell<Option<Waker>>,
}

/// Offers this thread's share of the load.
pub(super) fn run(orders: Orders) -> io::Result<Outcome> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let connector = Connector::new(orders.addresses.clone(), orders.tls.clone());
    let lane = Rc::new(Lane {
        carriers: Carriers::new(connector, orders.protocol, orders.keep_alive),
        schedule: RefCell::new(orders.schedule.clone().peekable()),
        tally: RefCell::new(Tally::new(orders.counted_from, orders.until)),
        idle: RefCell::default(),
        workers: Cell::new(0),
        busy: Cell::new(0),
        is_behind: Cell::new(false),
        freed: Notify::new(),
        orders,
    });
    let (cpu, ended) = runtime.block_on(lane.clone().offer())?;
    let connections = lane.carriers.connector.opened();
    Ok(Outcome { tally: lane.tally.take(), connections, cpu, ended })
}

impl Lane {
    /// Hands out requests when they are due, then waits for those that are outstanding.
    async fn offer(self: Rc<Self>) -> io::Result<(Cpu, Duration)> {
        let timer = Timer::new()?;
        let mut cpu_before = None;
        loop {
            let now = self.now();
            if now >= self.orders.counted_from && cpu_before.is_none() {
                cpu_before = Some(Cpu::of_this_thread());
            }
            if now >= self.orders.until || self.is_stopped() {
                break;
            }
            self.hand_out();
            let wait = self.until_next(cpu_before.is_some());
            if self.is_behind.get() {
                tokio::select! { biased; () = self.freed.notified() => {}, woken = timer.wait(wait) => woken? }
            } else {
                timer.wait(wait).await?;
            }
        }
        let ended = self.now().min(self.orders.until);
        let cpu = cpu_before.map_or_else(Cpu::default, |before| Cpu::of_this_thread().since(before));
        self.settle(&timer).await?;
        Ok((cpu, ended))
    }

    /// Waits until every request has been answered or given up.
    async fn settle(self: &Rc<Self>, timer: &Timer) -> io::Result<()> {
        loop {
            if self.is_stopped() {
                self.tally.borrow_mut().cut_short();
                return Ok(());
            }
            self.hand_out();
            if self.busy.get() == 0 && !self.is_behind.get() {
                return Ok(());
            }
            self.is_behind.set(true);
            tokio::select! { biased; () = self.freed.notified() => {}, woken = timer.wait(STOP_EVERY) => woken? }
        }
    }

    /// Gives what is due to workers that are free, and to new ones while there may be more.
    fn hand_out(self: &Rc<Self>) {
        let most = self.carriers.most(self.orders.most_connections);
        loop {
            let has_idle = !self.idle.borrow().is_empty();
            let may_grow = self.workers.get() < most;
            if !has_idle && !may_grow {
                return self.is_behind.set(self.next_at().is_some_and(|at| at <= self.now()));
            }
            let Some(due) = self.take_due(false) else { return self.is_behind.set(false) };
            self.busy.set(self.busy.get() + 1);
            let idle = self.idle.borrow_mut().pop();
            match idle {
                Some(seat) => seat.give(due),
                None => {
                    let carrier = self.carriers.make(self.workers.get());
                    self.workers.set(self.workers.get() + 1);
                    tokio::task::spawn_local(work(self.clone(), carrier, due));
                }
            }
        }
    }

    /// The next request that is due and can still be answered in time. `waited` tells whether all connections were busy.
    fn take_due(&self, waited: bool) -> Option<Due> {
        let now = self.now();
        let mut schedule = self.schedule.borrow_mut();
        while let Some(due) = schedule.next_if(|due| due.at <= now) {
            let mut tally = self.tally.borrow_mut();
            tally.offered(due);
            if waited {
                tally.waited(due);
            }
            add(&self.orders.gauges.begun, 1);
            if now < due.at + self.orders.timeout {
                tally.begun(due);
                return Some(due);
            }
            tally.failed(due, None, Failure::NEVER_SENT);
            add(&self.orders.gauges.failed, 1);
        }
        None
    }

    fn next_at(&self) -> Option<Duration> {
        self.schedule.borrow_mut().peek().map(|due| due.at)
    }

    /// How long nothing needs to be handed out.
    fn until_next(&self, is_counting: bool) -> Duration {
        let mark = if is_counting { self.orders.until } else { self.orders.counted_from };
        let next = match self.next_at() {
            Some(at) if !self.is_behind.get() => at.min(mark),
            _ => mark,
        };
        next.saturating_sub(self.now()).clamp(SHORTEST_WAIT, STOP_EVERY)
    }

    fn now(&self) -> Duration {
        self.orders.start.elapsed()
    }

    fn is_stopped(&self) -> bool {
        self.orders.stop.load(Ordering::Relaxed)
    }

    fn count(&self, due: Due, begun: Duration, outcome: Result<Answer, Failure>) {
        let gauges = &self.orders.gauges;
        let mut tally = self.tally.borrow_mut();
        match outcome {
            Ok(answer) => {
                add(if answer.is_good() { &gauges.good } else { &gauges.failed }, 1);
                tally.answered(due, begun, self.now(), answer);
            }
            Err(failure) => {
                add(&gauges.failed, 1);
                tally.failed(due, Some(begun), failure);
            }
        }
    }
}

impl Seat {
    fn give(&self, due: Due) {
        self.work.set(Some(due));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// Works off one request after the other.
async fn work(lane: Rc<Lane>, mut carrier: Carrier, first: Due) {
    let seat = Rc::new(Seat::default());
    let most = lane.carriers.most(lane.orders.most_connections);
    let mut alarm = pin!(sleep_until(lane.orders.start.into()));
    let mut due = first;
    loop {
        let begun = lane.now();
        let outcome = exchange(&lane, &mut carrier, alarm.as_mut(), due).await;
        lane.count(due, begun, outcome);
        let all_were_busy = lane.workers.get() == most && lane.idle.borrow().is_empty();
        due = match lane.take_due(all_were_busy) {
            Some(next) => next,
            None => rest(&lane, &seat, &mut carrier).await,
        };
    }
}

/// Sends one request, until its time is over.
async fn exchange(
    lane: &Lane,
    carrier: &mut Carrier,
    mut alarm: Pin<&mut Sleep>,
    due: Due,
) -> Result<Answer, Failure> {
    let requests = &lane.orders.requests;
    let prepared = &requests[usize::try_from(due.index % requests.len() as u64).unwrap_or(0)];
    alarm.as_mut().reset((lane.orders.start + due.at + lane.orders.timeout).into());
    let outcome = tokio::select! {
        biased;
        outcome = carrier.exchange(prepared) => Some(outcome),
        () = alarm => None,
    };
    outcome.unwrap_or_else(|| Err(carrier.give_up()))
}

/// Waits for work, and watches the connection meanwhile.
async fn rest(lane: &Lane, seat: &Rc<Seat>, carrier: &mut Carrier) -> Due {
    lane.busy.set(lane.busy.get() - 1);
    lane.idle.borrow_mut().push(seat.clone());
    if lane.is_behind.get() {
        lane.freed.notify_one();
    }
    poll_fn(|context| {
        if let Some(due) = seat.work.take() {
            return Poll::Ready(due);
        }
        *seat.waker.borrow_mut() = Some(context.waker().clone());
        carrier.poll_idle(context);
        Poll::Pending
    })
    .await
}

/// Adds to a gauge that only this thread writes.
fn add(gauge: &AtomicU64, count: u64) {
    gauge.store(gauge.load(Ordering::Relaxed) + count, Ordering::Relaxed);
}
