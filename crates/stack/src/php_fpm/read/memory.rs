//! How much memory the workers of a pool take.

use host::{Host, HostError, text};
use model::Unread;

use super::super::Pool;
use crate::quantiles::Quantiles;

/// Workers of a pool whose memory is read: the kernel walks all their pages for it.
const MOST_MEASURED: usize = 64;

/// Memory of one worker in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sizes {
    private: f64,
    pss: f64,
    rss: f64,
}

/// Measures some workers, spread over all of the pool. `smaps_rollup` needs the rights of ptrace(2).
pub(super) fn fill(host: &dyn Host, pool: &mut Pool) -> Option<Unread> {
    let every = pool.workers.len().div_ceil(MOST_MEASURED).max(1);
    let mut refused = None;
    let mut measured = Vec::new();
    let mut buffer = Vec::new();
    for worker in pool.workers.iter().step_by(every) {
        buffer.clear();
        match host.read_into(&format!("/proc/{}/smaps_rollup", worker.pid), &mut buffer) {
            Ok(()) => measured.extend(parse(&buffer)),
            Err(HostError::NotFound { .. }) => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let of = |field: fn(&Sizes) -> f64| Quantiles::of(&mut measured.iter().map(field).collect::<Vec<_>>());
    pool.private_bytes = of(|sizes| sizes.private);
    pool.pss_bytes = of(|sizes| sizes.pss);
    pool.rss_bytes = of(|sizes| sizes.rss);
    refused.map(|error| {
        let why = format!("the memory of the workers of pool {}: {error}", pool.name);
        Unread::new(why, error.unread().how_to_enable)
    })
}

/// The sums of `/proc/PID/smaps_rollup` (proc(5)); `None` for a process without memory, which has ended.
#[expect(clippy::cast_precision_loss, reason = "memory of a process below 2^53 bytes")]
fn parse(bytes: &[u8]) -> Option<Sizes> {
    let mut sizes = Sizes::default();
    for (_, _, line) in text::lines(bytes) {
        let mut words = text::words(line);
        let (Some(name), Some(kib)) = (words.next(), words.next().and_then(text::decimal)) else { continue };
        let bytes = kib.saturating_mul(1024) as f64;
        match name {
            b"Rss:" => sizes.rss = bytes,
            b"Pss:" => sizes.pss = bytes,
            b"Private_Clean:" | b"Private_Dirty:" => sizes.private += bytes,
            _ => {}
        }
    }
    (sizes.rss > 0.0).then_some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::php_fpm::Worker;
    use host::Tree;

    /// Of an idle worker of PHP 8.2 on Debian 12 (Linux 6.18).
    const ROLLUP: &str = "55d9c7a00000-7ffd8c5f9000 ---p 00000000 00:00 0    [rollup]\nRss:   12288 kB\nPss:  1877 kB\n\
        Pss_Dirty: 1200 kB\nShared_Clean:  8192 kB\nShared_Dirty: 2600 kB\nPrivate_Clean: 24 kB\nPrivate_Dirty: 1000 kB\n";

    #[test]
    fn private_memory_is_the_sum_of_clean_and_dirty() {
        let sizes = parse(ROLLUP.as_bytes()).unwrap();
        assert_eq!(sizes, Sizes { private: 1024.0 * 1024.0, pss: 1877.0 * 1024.0, rss: 12288.0 * 1024.0 });
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn of_many_workers_some_are_measured() {
        let mut tree = Tree::in_memory(1);
        let mut pool = Pool::default();
        for pid in 100..900 {
            tree.put(0, &format!("/proc/{pid}/smaps_rollup"), ROLLUP);
            pool.workers.push(Worker { pid, ..Worker::default() });
        }
        assert_eq!(fill(&tree.at(0), &mut pool), None);
        assert_eq!(pool.private_bytes.unwrap().count, 62, "every thirteenth of 800");
    }
}
