//! The figures of blocks, and which of them are compared.

use prove::command::Run;
use prove::load::LoadResult;
use prove::statistics::median;
use prove::trial::{Block, Metric, Probed, Tolerance};

use super::probe::MEMORY;

/// Figures of a load, with the one that is looked at where nothing else is promised first.
const OF_LOAD: &[&str] = &["p99", "failed", "cpu", MEMORY];
/// Figures of a command.
const OF_COMMAND: &[&str] = &["seconds", "failed", "cpu", MEMORY];
/// Latencies by name.
const QUANTILES: &[(&str, f64)] = &[("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

/// A figure of a load or a command, or a counter; `None` for a name that is none.
pub(crate) fn metric(name: &str, of_load: bool) -> Option<Metric> {
    let found = match (name, of_load) {
        ("p50", true) => Metric::new(name, "median latency", "ms"),
        ("p90", true) => Metric::new(name, "90th percentile of latency", "ms"),
        ("p95", true) => Metric::new(name, "95th percentile of latency", "ms"),
        ("p99", true) => {
            Metric::new(name, "99th percentile of latency", "ms").tolerates(Tolerance::Share(0.1))
        }
        ("goodput", true) => Metric::new(name, "good answers", "/s").higher(),
        ("failed", true) => failed("requests without a good answer"),
        ("cpu", true) => Metric::new(name, "CPU time of the host per good answer", "ms"),
        (MEMORY, true) => Metric::new(name, "memory in use at most", "bytes"),
        ("seconds", false) => Metric::new(name, "time of a run", "s"),
        ("failed", false) => failed("runs that failed"),
        ("cpu", false) => Metric::new(name, "CPU time of a run", "s"),
        (MEMORY, false) => {
            // What the loader maps of libraries differs by a few hundred KiB from run to run.
            Metric::new(name, "largest resident set of a run", "bytes")
                .tolerates(Tolerance::Amount(4_194_304.0))
        }
        _ => {
            let unit = if name.ends_with("/s") {
                "/s"
            } else if name.ends_with("_ms") {
                "ms"
            } else {
                ""
            };
            Metric::new(name, &stack::figures::title(name)?, unit)
        }
    };
    Some(found)
}

/// A tenth of a percentage point more is let pass.
fn failed(title: &str) -> Metric {
    Metric::new("failed", title, "share").tolerates(Tolerance::Amount(0.001))
}

/// The figures that must not get worse.
pub(crate) fn guards(of_load: bool) -> Vec<Metric> {
    let names = if of_load { OF_LOAD } else { OF_COMMAND };
    names.iter().filter_map(|name| metric(name, of_load)).collect()
}

/// What `--metric` takes.
pub(crate) fn known(of_load: bool) -> String {
    let own = if of_load {
        "p50, p90, p95, p99, failed, goodput, cpu, memory"
    } else {
        "seconds, failed, cpu, memory"
    };
    let counters: Vec<_> = stack::figures::FIGURES.iter().map(|(name, _)| *name).collect();
    format!("{own}, {}, or a counter such as TcpExt.ListenOverflows/s", counters.join(", "))
}

/// The block of a load. Requests without a good answer count as later than any: where more than 1 % have none, there is
/// no 99th percentile.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(crate) fn block_of_load(result: &LoadResult, probed: Probed) -> Block {
    let mut block = Block { seconds: result.seconds, count: result.offered, ..Block::default() };
    let good = result.good as f64 / result.offered.max(1) as f64;
    let latency = |(name, q): &(&str, f64)| {
        let reached = q / good;
        let value = (reached <= 1.0).then(|| result.latency.quantile_ms(reached)).flatten()?;
        Some(((*name).to_owned(), value))
    };
    block.figures.extend(QUANTILES.iter().filter_map(latency));
    block.figures.insert("goodput".to_owned(), result.goodput_per_s);
    block.figures.extend(result.failed_share().map(|share| ("failed".to_owned(), share)));
    // The host was looked at for a little less or more than requests were due.
    let answers = result.good as f64 * probed.seconds / result.seconds;
    let cpu = probed.cpu_s.filter(|_| answers > 0.0).map(|cpu| ("cpu".to_owned(), cpu * 1000.0 / answers));
    block.figures.extend(cpu);
    with_probed(block, probed)
}

/// The block of a command: medians of its runs, and the largest resident set of any.
#[expect(clippy::cast_precision_loss, reason = "counts of runs, and bytes")]
pub(crate) fn block_of_command(runs: &[Run], mut probed: Probed) -> Block {
    // That of the whole host says less of a command than its own.
    probed.figures.remove(MEMORY);
    let of = |figure: fn(&Run) -> f64| median(&runs.iter().map(figure).collect::<Vec<_>>());
    let failed = runs.iter().filter(|run| run.failure.is_some()).count() as f64 / runs.len().max(1) as f64;
    let most = runs.iter().map(|run| run.peak_bytes).max().map(|bytes| bytes as f64);
    let figures = [
        ("seconds", of(|run| run.seconds)),
        ("cpu", of(|run| run.cpu_s)),
        ("failed", Some(failed)),
        (MEMORY, most),
    ];
    let figures = figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let seconds = runs.iter().map(|run| run.seconds).sum();
    with_probed(
        Block { seconds, count: runs.len() as u64, figures: figures.collect(), ..Block::default() },
        probed,
    )
}

fn with_probed(mut block: Block, probed: Probed) -> Block {
    block.figures.extend(probed.figures);
    block.causes = probed.causes;
    block
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn load(good: u64, offered: u64) -> LoadResult {
        let mut result = LoadResult { seconds: 10.0, offered, good, ..LoadResult::default() };
        (1..=good).for_each(|ms| result.latency.record(Duration::from_millis(ms)));
        result
    }

    #[test]
    fn a_percentile_counts_requests_that_failed_as_the_latest() {
        let figures = block_of_load(&load(960, 1000), Probed::default()).figures;
        assert!((figures["p50"] - 500.0).abs() < 2.0 && (figures["p95"] - 950.0).abs() < 2.0, "{figures:?}");
        assert!(!figures.contains_key("p99"), "4 % have no answer");
        assert!((figures["failed"] - 0.04).abs() < 1e-9);
    }

    #[test]
    fn cpu_time_is_that_of_the_answers_of_the_same_time() {
        let probed = Probed { cpu_s: Some(1.0), seconds: 5.0, ..Probed::default() };
        let figures = block_of_load(&load(1000, 1000), probed).figures;
        assert!((figures["cpu"] - 2.0).abs() < 1e-9, "1 s for 500 answers: {figures:?}");
        assert!(!block_of_load(&load(0, 10), Probed::default()).figures.contains_key("cpu"));
    }

    #[test]
    fn every_name_of_the_help_is_a_metric() {
        for (of_load, names) in [(true, OF_LOAD), (false, OF_COMMAND)] {
            assert!(names.iter().all(|name| metric(name, of_load).is_some()));
            for name in known(of_load).split(", ").filter(|name| !name.contains(' ')) {
                assert!(metric(name, of_load).is_some(), "{name}");
            }
        }
        assert!(metric("seconds", true).is_none() && metric("nonsense", true).is_none());
    }
}
