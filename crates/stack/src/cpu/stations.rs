//! All CPUs together are one station.

use model::Station;
use model::observation::number_text;

use super::shares;
use crate::{Evidence, wording};

/// Below this share, steal is the scheduling of any shared machine.
const FELT: f64 = 0.05;

/// The CPUs: as many servers as are online and not withheld by the hypervisor, busy as long as they ran something of this host.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(span) = evidence.span(|reading| &reading.cpu) else { return vec![] };
    let (Some(servers), Some(total)) = (shares::count(span.last), shares::total(&span)) else {
        return vec![];
    };
    let busy = total.busy() * servers;
    let withheld = if total.steal >= FELT { total.steal * servers } else { 0.0 };
    let less = format!(", less {} withheld", number_text((withheld * 10.0).round() / 10.0));
    let waiting = shares::waiting(&span)
        .or_else(|| counted_waiting(evidence, busy).filter(|_| busy >= WAITING_FROM * servers));
    vec![Station {
        servers: Some(servers - withheld),
        busy: Some(busy),
        waiting,
        ..Station::new(
            "cpu",
            "cpu.cpus",
            format!("{}{}", wording::cpus(servers), if withheld > 0.0 { &less } else { "" }),
        )
    }]
}

/// Below this share of busy time, tasks that were counted as ready ran at once.
const WAITING_FROM: f64 = 0.5;

/// Tasks running or ready, as the readings counted them, without those that ran and without this program itself.
/// `None` where the CPUs had room: a count at one instant sees whoever woke in that instant, and our own threads.
#[expect(clippy::cast_precision_loss, reason = "a count of tasks")]
fn counted_waiting(evidence: &Evidence, busy: f64) -> Option<f64> {
    let facts = evidence.readings.iter().filter_map(|reading| reading.cpu.facts());
    let counts: Vec<f64> = facts.filter_map(|cpu| cpu.running).map(|count| count as f64 - 1.0).collect();
    (!counts.is_empty()).then(|| (counts.iter().sum::<f64>() / counts.len() as f64 - busy).max(0.0))
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn cpus(second: &str) -> Station {
        let mut tree = Tree::in_memory(2);
        tree.put(0, "/proc/uptime", "100.0 0");
        tree.put(1, "/proc/uptime", "110.0 0");
        tree.put(
            0,
            "/proc/stat",
            "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n",
        );
        tree.put(1, "/proc/stat", second);
        let evidence = crate::reading::read_tree(&tree).unwrap();
        stations(&evidence).remove(0)
    }

    #[test]
    fn a_cpu_that_is_withheld_serves_nothing() {
        let station = cpus(
            "cpu 500 0 0 500 0 0 0 1000 0 0\ncpu0 500 0 0 500 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 1000 0 0\n",
        );
        assert_eq!((station.servers, station.busy), (Some(1.0), Some(0.5)));
        assert_eq!(station.what, "2 CPUs, less 1 withheld");
    }

    #[test]
    fn the_steal_of_any_shared_machine_takes_no_cpu_away() {
        let station = cpus(
            "cpu 500 0 0 1480 0 0 0 20 0 0\ncpu0 500 0 0 490 0 0 0 10 0 0\ncpu1 0 0 0 990 0 0 0 10 0 0\n",
        );
        assert_eq!((station.servers, station.what.as_str()), (Some(2.0), "2 CPUs"));
    }
}
