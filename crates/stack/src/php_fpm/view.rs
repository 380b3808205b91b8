//! A pool with everything that the evidence says of it.

use model::Missing;

use super::{Master, Mode, Pool, PoolCounters, Status};
use crate::samples::{AcceptPool, ListenerDepth};
use crate::{Evidence, services};

/// From so many requests within the window on, a mean over them says something.
const ENOUGH_REQUESTS: u64 = 20;

/// A pool, the master it belongs to and the evidence around.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) master: &'a Master,
    pub(crate) pool: &'a Pool,
    /// Whether another master has a pool of the same name.
    ambiguous: bool,
}

/// How many of a pool's workers had something to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Busy {
    /// Workers that were busy, on average.
    pub(crate) mean: f64,
    /// Workers there were.
    pub(crate) workers: f64,
    /// The share of looks at which all were busy, 0 to 1.
    pub(crate) full_share: f64,
    /// Where that was seen.
    pub(crate) source: &'static str,
}

/// How long a worker takes for a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Service {
    /// The mean, in seconds.
    pub(crate) seconds: f64,
    /// Where it was read.
    pub(crate) source: &'static str,
}

/// Every pool of every PHP-FPM, running or not.
///
/// # Errors
/// Why PHP-FPM was not read.
pub(crate) fn pools(evidence: &Evidence) -> Result<Vec<View<'_>>, Missing> {
    let masters = &services::facts(&evidence.services.php_fpm)?.masters;
    let all: Vec<_> =
        masters.iter().flat_map(|master| master.pools.iter().map(move |pool| (master, pool))).collect();
    let named = |name: &str| all.iter().filter(|(_, pool)| pool.name == name).count();
    let view = |(master, pool): &(&'_ Master, &'_ Pool)| named(&pool.name) > 1 && !master.file.is_empty();
    let ambiguous: Vec<_> = all.iter().map(view).collect();
    let views = all.into_iter().zip(ambiguous);
    Ok(views.map(|((master, pool), ambiguous)| View { evidence, master, pool, ambiguous }).collect())
}

/// The pool that listens at an address.
pub(crate) fn at<'a>(evidence: &'a Evidence, local: &str) -> Option<View<'a>> {
    pools(evidence).ok()?.into_iter().find(|view| view.listens_at(local))
}

impl<'a> View<'a> {
    /// `pool www`, with PHP's version where several have one of that name.
    pub(crate) fn name(&self) -> String {
        match (&self.master.version, self.ambiguous) {
            (Some(version), true) => format!("pool {} of PHP {version}", self.pool.name),
            _ => format!("pool {}", self.pool.name),
        }
    }

    /// Whether its master runs.
    pub(crate) fn runs(&self) -> bool {
        self.master.pid.is_some()
    }

    /// Whether connections to an address reach it.
    pub(crate) fn listens_at(&self, address: &str) -> bool {
        let own = self.pool.listen.as_str();
        let port =
            |text: &'_ str| text.rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned()));
        if own == address || own.starts_with('/') || address.starts_with('/') {
            return own == address;
        }
        match (port(own), port(address)) {
            (Some((own, own_port)), Some((address, port))) => {
                own_port == port
                    && (is_any(&own) || is_any(&address))
                    && (is_local(&own) || is_local(&address))
            }
            _ => false,
        }
    }

    /// How deep its listen queue was; `None` where queues were not sampled or its socket is not in this namespace.
    pub(crate) fn depth(&self) -> Option<&'a ListenerDepth> {
        self.evidence.samples.listeners.iter().find(|depth| self.listens_at(&depth.local))
    }

    /// What counts up of it, at the first and the last reading.
    fn counters(&self) -> Option<(&'a PoolCounters, &'a PoolCounters, f64)> {
        let span = self.evidence.span(|reading| &reading.php_fpm).ok()?;
        Some((self.of(&span.first.pools)?, self.of(&span.last.pools)?, span.seconds))
    }

    fn of(&self, pools: &'a [PoolCounters]) -> Option<&'a PoolCounters> {
        pools.iter().find(|one| Some(one.master) == self.master.pid && one.pool == self.pool.name)
    }

    fn last(&self) -> Option<&'a PoolCounters> {
        self.of(&self.evidence.latest(|reading| &reading.php_fpm).ok()?.pools)
    }

    /// Its status page, at the last reading that has it: where all workers are busy it is not asked for.
    pub(crate) fn status(&self) -> Option<&'a Status> {
        let read = self.evidence.readings.iter().rev().filter_map(|reading| reading.php_fpm.facts());
        read.filter_map(|counters| self.of(&counters.pools)?.status.as_ref()).next()
    }

    /// How often the pool reached `pm.max_children` within the window.
    pub(crate) fn reached(&self) -> Option<u64> {
        let (first, last, _) = self.counters()?;
        let reached = |of: &'a PoolCounters| of.status.as_ref().map(|status| status.max_children_reached);
        model::counter::growth(reached(first)?, reached(last)?)
    }

    /// The workers at the first and at the last reading.
    pub(crate) fn grew(&self) -> Option<(u32, u32)> {
        let (first, last, _) = self.counters()?;
        Some((first.workers, last.workers))
    }

    /// Workers of the last reading that were not there at the first.
    pub(crate) fn forked(&self) -> Option<usize> {
        let (first, last, _) = self.counters()?;
        Some(last.cpu_ticks.keys().filter(|worker| !first.cpu_ticks.contains_key(worker)).count())
    }

    /// The workers that are there.
    pub(crate) fn workers(&self) -> u32 {
        let read = u32::try_from(self.pool.workers.len()).unwrap_or(u32::MAX);
        self.last().map_or(read, |last| last.workers).max(read)
    }

    /// The most workers that it may have.
    pub(crate) fn most(&self) -> u32 {
        self.pool.max_children.unwrap_or_else(|| self.workers())
    }

    /// Whether it may not have more workers than it has.
    pub(crate) fn is_at_its_limit(&self) -> bool {
        let seen = self.accepts().map_or(0, |pool| pool.workers).max(self.workers());
        self.pool.mode == Mode::Static || self.pool.max_children.is_some_and(|most| seen >= most)
    }

    fn accepts(&self) -> Option<&'a AcceptPool> {
        let facts = self.evidence.readings.iter().rev().filter_map(|reading| reading.sockets.facts());
        let listeners = facts.filter_map(|facts| facts.listeners.as_ref()).next()?;
        let own = listeners.iter().find(|listener| self.listens_at(&listener.local))?;
        self.evidence.samples.pools.iter().find(|pool| pool.inode == own.inode)
    }

    /// How many of its workers were busy: by samples over the window, else by the status page, else as they were at its end.
    pub(crate) fn busy(&self) -> Option<Busy> {
        self.busy_by_samples().or_else(|| self.busy_by_status()).or_else(|| self.busy_at_the_end())
    }

    fn busy_by_samples(&self) -> Option<Busy> {
        let AcceptPool { workers, busy, full_share, .. } = *self.accepts()?;
        let source = "workers not in accept(2), sampled";
        Some(Busy { mean: busy, workers: f64::from(workers), full_share, source })
    }

    fn busy_by_status(&self) -> Option<Busy> {
        let status = self.status()?;
        // The worker that answers counts itself, unless one apart from the pool does (pm.status_listen).
        let itself = u32::from(self.pool.value("pm.status_listen").is_none());
        let busy = f64::from(status.active.saturating_sub(itself));
        let workers = f64::from(status.active.saturating_add(status.idle));
        let full_share = f64::from(u8::from(status.idle == 0 && status.active > itself));
        Some(Busy { mean: busy, workers, full_share, source: "status page" })
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of workers")]
    fn busy_at_the_end(&self) -> Option<Busy> {
        let workers = &self.pool.workers;
        let known = |worker: &&super::Worker| worker.state == 'R' || worker.syscall.is_some();
        // Without root's rights only those that run are known.
        if workers.is_empty() || !workers.iter().all(|worker| known(&worker)) {
            return None;
        }
        let idle = workers.iter().filter(|worker| worker.waits_for.as_deref() == Some("listening")).count();
        let busy = (workers.len() - idle) as f64;
        let full_share = f64::from(u8::from(idle == 0));
        Some(Busy {
            mean: busy,
            workers: workers.len() as f64,
            full_share,
            source: "workers not in accept(2)",
        })
    }

    /// Requests that it took each second, by its status page; `None` with too few for a mean. Our own questions do not count.
    #[expect(clippy::cast_precision_loss, reason = "requests of a window")]
    pub(crate) fn requests_per_s(&self) -> Option<f64> {
        let (first, last, seconds) = self.counters()?;
        let accepted = |of: &'a PoolCounters| of.status.as_ref().map(|status| status.accepted);
        let asked = model::counter::growth(accepted(first)?, accepted(last)?)?;
        let asked = asked.saturating_sub(self.own_questions());
        (asked >= ENOUGH_REQUESTS).then(|| asked as f64 / seconds)
    }

    /// What narrows itself asked between the two status pages: the second of them, and what OPcache held at the first.
    fn own_questions(&self) -> u64 {
        let apart = self.pool.value("pm.status_listen").is_some_and(|listen| !listen.trim().is_empty());
        let caches = self.evidence.readings.first().and_then(|reading| reading.opcache.facts());
        let through = |cache: &crate::opcache::Cache| {
            Some(cache.master) == self.master.pid && cache.pool == self.pool.name && cache.status.is_some()
        };
        let asked = caches.is_some_and(|facts| facts.caches.iter().any(through));
        u64::from(!apart) + u64::from(asked)
    }

    /// How long a request keeps a worker: by Little's law, else as the status page or the log of Nginx says.
    pub(crate) fn service(&self) -> Option<Service> {
        self.service_by_rate().or_else(|| self.service_by_status()).or_else(|| self.service_by_log())
    }

    fn service_by_rate(&self) -> Option<Service> {
        let busy = self.busy()?.mean;
        let seconds = busy / self.requests_per_s()?;
        (busy > 0.0).then_some(Service { seconds, source: "busy workers / requests per second" })
    }

    #[expect(clippy::cast_precision_loss, reason = "durations of requests")]
    fn service_by_status(&self) -> Option<Service> {
        let status = self.pool.value("pm.status_path").unwrap_or("-");
        let is_page = |script: &str| script != "-" && !script.ends_with(status);
        let ended = self.status()?.processes.iter().filter(|one| {
            one.state == "Idle" && one.requests > 0 && one.script.as_deref().is_some_and(is_page)
        });
        let took: Vec<_> = ended.map(|one| one.request_duration_us as f64 / 1e6).collect();
        let seconds = took.iter().sum::<f64>() / took.len() as f64;
        (seconds > 0.0).then_some(Service { seconds, source: "status page, the last request of each worker" })
    }

    /// What Nginx saw, where all that it asked upstreams for went to this pool, without the wait in the queue.
    #[expect(clippy::cast_precision_loss, reason = "requests of a window")]
    fn service_by_log(&self) -> Option<Service> {
        let only = pools(self.evidence).ok()?.iter().filter(|view| view.runs()).count() == 1;
        let nginx = services::facts(&self.evidence.services.nginx).ok().filter(|_| only)?;
        let logs = nginx.instances.iter().flat_map(|instance| &instance.access_logs);
        let timed = logs.filter_map(|log| Some((log, log.upstream_response_time_s.as_ref()?)));
        let (log, took) = timed.max_by_key(|(_, took)| took.count)?;
        let rate = took.count as f64 / log.span_s.max(1.0);
        let waited = self.depth().map_or(0.0, |depth| depth.mean / rate.max(f64::MIN_POSITIVE));
        let seconds = (took.mean - waited).max(took.p50.min(took.mean) * 0.1);
        (seconds > 0.0)
            .then_some(Service { seconds, source: "$upstream_response_time, less the wait in the queue" })
    }

    /// CPU seconds that its workers used in the window, and its length.
    #[expect(clippy::cast_precision_loss, reason = "clock ticks of a window")]
    pub(crate) fn cpu_s(&self) -> Option<(f64, f64)> {
        let (first, last, seconds) = self.counters()?;
        let used = last
            .cpu_ticks
            .iter()
            .map(|(pid, ticks)| ticks.saturating_sub(first.cpu_ticks.get(pid).copied().unwrap_or_default()));
        let ticks: u64 = used.fold(0, u64::saturating_add);
        (!last.cpu_ticks.is_empty()).then_some((ticks as f64 / 100.0, seconds))
    }
}

fn is_any(host: &str) -> bool {
    ["0.0.0.0", "[::]", "*"].contains(&host)
}

fn is_local(host: &str) -> bool {
    is_any(host) || host == "[::1]" || host.starts_with("127.")
}
