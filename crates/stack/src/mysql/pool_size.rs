//! How large the buffer pool of a server may be on its host.

use model::{Derived, Input, Missing};

use super::beside::{self, Php, input, meminfo, reserve, text, whole};
use super::view::View;

/// On a host of its own a buffer pool takes this share; the rest is for connections, the kernel and its cache.
const DEDICATED: f64 = 0.75;
/// This share of memory stays available when the pool grows.
const AVAILABLE: f64 = 0.10;
/// Room for what the data grow by.
const GROWTH: f64 = 1.1;
/// The least that a pool is made smaller to.
const LEAST: f64 = 134_217_728.0;

/// The size that fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Size {
    /// Bytes, in whole chunks.
    pub(crate) bytes: f64,
    /// Which limit decides.
    pub(crate) binds: &'static str,
    inputs: Vec<Input>,
    formula: String,
}

impl Size {
    /// The number with all that went into it.
    pub(crate) fn derived(&self) -> Derived {
        let mut derived = Derived::new(whole(self.bytes), &self.formula);
        derived.inputs.extend(self.inputs.iter().cloned());
        derived.input("binds", self.binds, "the smallest of them")
    }
}

/// The largest pool that this host holds beside what else it runs, no larger than the data; whole chunks.
///
/// # Errors
/// What is not known of the host.
pub(crate) fn most(view: &View<'_>, pool: f64) -> Result<Size, Missing> {
    let (total, free) = (meminfo(view.evidence, "MemTotal")?, meminfo(view.evidence, "MemAvailable")?);
    let php = beside::php(view.evidence)?;
    let mut terms = vec![("available memory", pool + free - AVAILABLE * total)];
    match &php {
        Some(php) => terms.push(("memory beside PHP-FPM", beside_php(total, php))),
        None => terms.push(("three quarters of memory", DEDICATED * total)),
    }
    terms.extend(group_limit(view).map(|limit| ("three quarters of its control group", DEDICATED * limit)));
    let data = innodb_bytes(view);
    terms.extend(data.map(|data| ("data", data * GROWTH)));
    let (binds, bytes) = least(&terms);
    let formula = match php {
        Some(_) => {
            "min(RAM − FPM budget − reserve, pool + available − 10 % of RAM, 1.1 × data), in whole chunks"
        }
        None => "min(0.75 × RAM, pool + available − 10 % of RAM, 1.1 × data), in whole chunks",
    };
    let mut inputs = vec![
        input("RAM", text(total), "/proc/meminfo MemTotal"),
        input("available", text(free), "/proc/meminfo MemAvailable"),
        input("pool", text(pool), "innodb_buffer_pool_size"),
    ];
    inputs.extend(php.iter().flat_map(|php| of_php(php, total)));
    inputs.extend(data.map(|data| input("data", text(data), "data and indexes of InnoDB's tables")));
    Ok(Size { bytes: chunks(view, bytes), binds, inputs, formula: formula.to_owned() })
}

/// The pool that leaves PHP-FPM all its workers.
pub(crate) fn beside(view: &View<'_>, total: f64, php: &Php) -> Size {
    let inputs = vec![input("RAM", text(total), "/proc/meminfo MemTotal")];
    let inputs = inputs.into_iter().chain(of_php(php, total)).collect();
    let formula = "RAM − FPM budget − reserve, in whole chunks";
    let bytes = chunks(view, beside_php(total, php));
    Size { bytes, binds: "memory beside PHP-FPM", inputs, formula: formula.to_owned() }
}

fn of_php(php: &Php, total: f64) -> [Input; 2] {
    [
        input("FPM budget", text(php.bytes), "Σ pm.max_children × p95 of private memory"),
        input("reserve", text(reserve(total)), "2 GiB, at most a quarter of RAM"),
    ]
}

fn beside_php(total: f64, php: &Php) -> f64 {
    total - php.bytes - reserve(total)
}

fn least(terms: &[(&'static str, f64)]) -> (&'static str, f64) {
    let least = terms.iter().min_by(|one, other| one.1.total_cmp(&other.1));
    least.copied().unwrap_or(("nothing", 0.0))
}

/// Whole chunks, rounded down: MySQL rounds up to `innodb_buffer_pool_chunk_size` × instances, MariaDB to 1 MiB or to chunks.
fn chunks(view: &View<'_>, bytes: f64) -> f64 {
    let chunk = view.number("innodb_buffer_pool_chunk_size").filter(|chunk| *chunk >= 1.0);
    let instances = view.number("innodb_buffer_pool_instances").filter(|_| !view.is_mariadb());
    let unit = chunk.unwrap_or(134_217_728.0) * instances.unwrap_or(1.0).max(1.0);
    let unit = if view.is_mariadb() && chunk.is_none() { 8_388_608.0 } else { unit };
    ((bytes / unit).floor() * unit).max(LEAST)
}

/// The memory limit of the server's control group, in bytes.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn group_limit(view: &View<'_>) -> Option<f64> {
    let path = view.server.process.as_ref()?.control_group.as_deref()?;
    let groups = &view.evidence.latest(|reading| &reading.cgroup).ok()?.groups;
    groups.iter().find(|group| group.path == path)?.memory_max_bytes.map(|bytes| bytes as f64)
}

/// Data and indexes of all InnoDB tables, in bytes.
#[expect(clippy::cast_precision_loss, reason = "bytes of tables")]
pub(crate) fn innodb_bytes(view: &View<'_>) -> Option<f64> {
    let engines = &view.server.asked.facts()?.engines;
    engines.iter().find(|(engine, _)| engine.eq_ignore_ascii_case("InnoDB")).map(|(_, bytes)| *bytes as f64)
}
