//! Each NFS server's session is a station: requests hold one of its slots from transmission to reply.

use model::Station;

use super::rates::{QUEUED, Server, servers};
use crate::Evidence;

/// Every server that was asked anything over the window.
pub(super) fn stations(evidence: &Evidence) -> Vec<Station> {
    let Ok(span) = evidence.span(|reading| &reading.nfs) else { return vec![] };
    servers(&span).iter().filter(|server| server.per_s > 0.0).map(station).collect()
}

fn station(server: &Server) -> Station {
    let what = format!("RPC slots to NFS server {} ({})", server.name, server.mount.mount.mount_point);
    Station {
        servers: server.slots,
        arrivals_per_s: Some(server.per_s),
        service_s: Some(server.in_flight / server.per_s),
        busy: Some(busy(server)),
        waiting: Some(server.waiting),
        ..Station::new("nfs", format!("nfs.slots:{}", server.name), what)
    }
}

/// Slots in use, on average. A request holds its slot until its reply was worked off, which is longer than it is on the
/// wire; where requests always wait for a slot, none is free.
fn busy(server: &Server) -> f64 {
    let always = server.waiting >= 1.0 && server.waiting > QUEUED * server.in_flight;
    match server.slots {
        Some(slots) if always && server.in_flight >= slots / 2.0 => slots.max(server.in_flight),
        _ => server.in_flight,
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use crate::reading::read_tree;

    fn tree(getattr: &str) -> Tree {
        let mut tree = Tree::in_memory(2);
        let text = |numbers: &str| {
            format!(
                "device nas:/web mounted on /srv with fstype nfs4 statvers=1.1\n\topts:\trw,vers=4.2,hard\n\
                 \txprt:\ttcp 0 0 2 0 0 1 1 0 0 0 19 0 0\n\tGETATTR: {numbers}\n"
            )
        };
        tree.put(0, "/proc/self/mountstats", text("0 0 0 0 0 0 0 0 0"));
        tree.put(1, "/proc/self/mountstats", text(getattr));
        tree.put(0, "/sys/module/nfs/parameters/max_session_slots", "16");
        tree.put(0, "/proc/uptime", "10.0 1");
        tree.put(1, "/proc/uptime", "20.0 1");
        tree
    }

    #[test]
    fn a_session_that_requests_always_wait_for_is_saturated() {
        let evidence = read_tree(&tree("5000 5000 0 1 1 350000 130000 490000 0")).unwrap();
        let stations = super::stations(&evidence);
        assert_eq!((stations[0].servers, stations[0].busy), (Some(16.0), Some(16.0)));
        assert!(stations[0].is_saturated());
    }

    #[test]
    fn a_session_with_free_slots_is_as_busy_as_requests_are_in_flight() {
        let evidence = read_tree(&tree("5000 5000 0 1 1 3000 80000 84000 0")).unwrap();
        let stations = super::stations(&evidence);
        assert_eq!((stations[0].busy, stations[0].saturates_at_times()), (Some(8.0), Some(2.0)));
    }
}
