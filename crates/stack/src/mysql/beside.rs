//! What shares a host with a database server: memory, CPUs, and PHP-FPM with all the workers it may have.

use model::{Input, Missing};

use crate::Evidence;
use crate::memory::rates::bytes_text;
use crate::php_fpm::view::{View as Pool, pools};

/// What is left for the kernel and everything else.
const RESERVE: f64 = 2_147_483_648.0;

/// Bytes of `/proc/meminfo`.
///
/// # Errors
/// When it has no such line.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
pub(crate) fn meminfo(evidence: &Evidence, name: &str) -> Result<f64, Missing> {
    let memory = evidence.latest(|reading| &reading.memory)?;
    let bytes = memory.meminfo.get(name).map(|bytes| *bytes as f64);
    bytes.ok_or_else(|| Missing::new(format!("/proc/meminfo {name}"), "mount /proc"))
}

/// What is kept free: 2 GiB, on a small host a quarter of its memory.
pub(crate) fn reserve(total: f64) -> f64 {
    RESERVE.min(total / 4.0)
}

/// PHP-FPM with all its workers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Php {
    /// What all workers may take, in bytes: Σ `pm.max_children` × p95 of private memory.
    pub(crate) bytes: f64,
    /// What they take now.
    pub(crate) now: f64,
    /// `pool www 50 × 40 MiB`.
    pub(crate) line: String,
}

/// PHP-FPM on this host; `None` where none runs.
///
/// # Errors
/// Why PHP-FPM, or its workers' memory, was not read.
pub(crate) fn php(evidence: &Evidence) -> Result<Option<Php>, Missing> {
    let running: Vec<_> = pools(evidence)?.into_iter().filter(Pool::runs).collect();
    if running.is_empty() {
        return Ok(None);
    }
    let mut php = Php { bytes: 0.0, now: 0.0, line: String::new() };
    let mut parts = vec![];
    for pool in running {
        let Some(each) = pool.pool.private_bytes else {
            if pool.workers() == 0 {
                continue;
            }
            return Err(Missing::new(
                format!("private memory of the workers of {}", pool.name()),
                "run narrows as root: /proc/PID/smaps_rollup is its owner's",
            ));
        };
        php.bytes += each.p95 * f64::from(pool.most());
        php.now += each.mean * f64::from(pool.workers());
        parts.push(format!("{} {} × {}", pool.name(), pool.most(), text(each.p95)));
    }
    php.line = parts.join(" + ");
    Ok(Some(php))
}

/// CPUs of this host.
///
/// # Errors
/// When `/proc/stat` names none.
pub(crate) fn cpus(evidence: &Evidence) -> Result<f64, Missing> {
    let cpu = evidence.latest(|reading| &reading.cpu)?;
    crate::cpu::shares::count(cpu).ok_or_else(crate::cpu::shares::no_ticks)
}

/// Bytes as a person reads them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of memory, not negative")]
pub(crate) fn text(bytes: f64) -> String {
    bytes_text(bytes.clamp(0.0, 1e18) as u64)
}

pub(crate) fn input(name: &str, value: impl ToString, source: &str) -> Input {
    Input { name: name.to_owned(), value: value.to_string(), source: source.to_owned() }
}

/// A number of bytes or of things, as `SET GLOBAL` takes it.
pub(crate) fn whole(number: f64) -> String {
    format!("{:.0}", number.clamp(0.0, 1e18))
}
