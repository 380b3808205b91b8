//! The limits of this layer: connections, threads against CPUs, the buffer pool and the redo log of each server that answers.

use model::Station;
use model::observation::number_text;

use super::window::Window;
use super::{Asked, Flavor, Server, values};
use crate::{Evidence, services};

/// Connections that a server takes where nobody sets it (MariaDB and MySQL since 5.1.15).
const MAX_CONNECTIONS: f64 = 151.0;
/// Of the redo log's size, the share after which InnoDB makes everybody wait for its checkpoint (log0log.h).
const REDO_SHARE: f64 = 0.9;

/// Each limit of each server that answers.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(facts) = services::facts(&evidence.services.mysql) else { return vec![] };
    let several = facts.servers.len() > 1;
    let of = |server| {
        let subject = Subject { evidence, server, several };
        let asked = subject.server.asked.facts()?;
        let window = Window::of(evidence, &subject.server.address).ok();
        let window = window.as_ref();
        Some([
            subject.connections(asked, window),
            subject.threads(asked, window),
            subject.buffer_pool(asked, window),
            subject.redo(asked, window),
        ])
    };
    facts.servers.iter().filter_map(of).flatten().flatten().collect()
}

struct Subject<'a> {
    evidence: &'a Evidence,
    server: &'a Server,
    several: bool,
}

impl Subject<'_> {
    fn station(&self, kind: &str, what: &str) -> Station {
        let name = match self.server.flavor {
            Flavor::MariaDb => "MariaDB",
            Flavor::MySql => "MySQL",
            Flavor::Percona => "Percona Server",
        };
        let (id, what) = match self.several {
            true => (
                format!("mysql.{kind}:{}", self.server.address),
                format!("{what} of {name} at {}", self.server.address),
            ),
            false => (format!("mysql.{kind}"), format!("{what} of {name}")),
        };
        Station::new("mysql", id, what)
    }

    /// Connections, busy or asleep: each has its place until it is closed. How long one stays follows from both by Little's law.
    fn connections(&self, asked: &Asked, window: Option<&Window<'_>>) -> Option<Station> {
        let most = number(asked, "max_connections").unwrap_or(MAX_CONNECTIONS);
        // One of them is ours, at every reading.
        let open = window.and_then(|window| window.mean("Threads_connected"));
        let open = open.or_else(|| asked.status.get("Threads_connected")?.parse().ok());
        let open = open.map(|open: f64| (open - 1.0).max(0.0))?;
        let arrivals = window.and_then(|window| window.per_s("Connections"));
        Some(Station {
            servers: Some(most),
            busy: Some(open),
            arrivals_per_s: arrivals,
            service_s: arrivals.filter(|arrivals| *arrivals > 0.0).map(|arrivals| open / arrivals),
            lost_per_s: window.and_then(|window| window.per_s("Connection_errors_max_connections")),
            ..self.station("connections", "connections")
        })
    }

    /// The CPU time of the server's threads. How many run at once (`Threads_running`) counts those too that wait for a disk or a
    /// lock, so that it is no share of the CPUs.
    fn threads(&self, asked: &Asked, window: Option<&Window<'_>>) -> Option<Station> {
        let (window, cpus) = (window?, self.cpus()?);
        let busy = window.cpus_busy()?;
        let pooled = asked.variables.get("thread_handling").is_some_and(|how| how == "pool-of-threads");
        let pool = number(asked, "thread_pool_size").filter(|size| pooled && *size > 0.0);
        let queries = window.per_s("Questions").filter(|per_s| *per_s > 0.0);
        let running = window.mean("Threads_running").map(|running| (running - 1.0).max(0.0));
        let what = match running {
            Some(running) => format!(
                "CPU time ({} threads run or wait at a time)",
                number_text((running * 10.0).round() / 10.0)
            ),
            None => "CPU time".to_owned(),
        };
        Some(Station {
            servers: Some(pool.map_or(cpus, |pool| pool.min(cpus))),
            busy: Some(busy),
            arrivals_per_s: queries,
            service_s: queries.map(|queries| busy / queries),
            ..self.station("threads", &what)
        })
    }

    /// The CPUs of this machine, for a server that runs here.
    #[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
    fn cpus(&self) -> Option<f64> {
        self.server.process.as_ref()?;
        let cpu = self.evidence.latest(|reading| &reading.cpu).ok()?;
        (!cpu.cpus.is_empty()).then_some(cpu.cpus.len() as f64)
    }

    /// Pages of the buffer pool. It is full whenever there are more data than fit, so that its filling says nothing; what counts
    /// is what arrives and is not there, and has to come from the disk.
    fn buffer_pool(&self, asked: &Asked, window: Option<&Window<'_>>) -> Option<Station> {
        let pages = asked.status.get("Innodb_buffer_pool_pages_total")?.parse().ok()?;
        let misses = window.and_then(|window| window.per_s("Innodb_buffer_pool_reads"));
        let asked_for = window.and_then(|window| window.per_s("Innodb_buffer_pool_read_requests"));
        let hits = misses.zip(asked_for.filter(|asked_for| *asked_for > 0.0));
        let what = match hits {
            Some((misses, asked_for)) => {
                let share = ((1.0 - misses / asked_for).max(0.0) * 10_000.0).floor() / 100.0;
                format!("pages of the buffer pool ({} % of what is asked for is there)", number_text(share))
            }
            None => "pages of the buffer pool".to_owned(),
        };
        Some(Station {
            servers: Some(pages),
            arrivals_per_s: misses,
            grows_with_load: false,
            ..self.station("buffer-pool", &what)
        })
    }

    /// Bytes of the redo log that the last checkpoint has not freed. Flushing speeds up as it fills, so that it does not grow in
    /// proportion to load; when it is full, every write waits.
    fn redo(&self, asked: &Asked, window: Option<&Window<'_>>) -> Option<Station> {
        let age = window.and_then(|window| window.mean("Innodb_checkpoint_age"));
        #[expect(clippy::cast_precision_loss, reason = "bytes of a log")]
        let age = age.or_else(|| Some(asked.innodb.as_ref()?.checkpoint_age_bytes? as f64))?;
        let most = asked.status.get("Innodb_checkpoint_max_age").and_then(|text| text.parse().ok());
        let most = most
            .or_else(|| redo_capacity(asked).map(|bytes| bytes * REDO_SHARE))
            .filter(|most| *most > 0.0)?;
        Some(Station {
            servers: Some(most),
            busy: Some(age),
            arrivals_per_s: window.and_then(|window| window.per_s("Innodb_os_log_written")),
            grows_with_load: false,
            ..self.station("redo", "bytes of the redo log")
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts")]
fn number(asked: &Asked, variable: &str) -> Option<f64> {
    values::number(asked.variables.get(variable)?).map(|number| number as f64)
}

/// Bytes of the redo log: by its capacity (MySQL 8.0.30), else by the size and number of its files.
pub(super) fn redo_capacity(asked: &Asked) -> Option<f64> {
    let files = number(asked, "innodb_log_files_in_group").unwrap_or(1.0);
    number(asked, "innodb_redo_log_capacity").or_else(|| Some(number(asked, "innodb_log_file_size")? * files))
}

#[cfg(test)]
mod tests;
