//! Each NFS server's session is a station: requests hold one of its slots from transmission to reply.

use model::Station;

use super::rates::{Server, servers};
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
        busy: Some(server.in_flight),
        waiting: Some(server.waiting),
        ..Station::new("nfs", format!("nfs.slots:{}", server.name), what)
    }
}
