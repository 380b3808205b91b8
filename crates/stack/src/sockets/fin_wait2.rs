//! How many connections wait for the other side's FIN.

use model::observation::number_text;
use model::{Missing, Observation};

use super::{parameters, ports};
use crate::Evidence;

/// The share of `tcp_max_orphans` from which on FIN-WAIT-2 is many.
const HIGH: f64 = 0.1;

/// The least that a kernel sets `tcp_max_orphans` to by itself: half of its hash of connections, which has a place for every
/// 128 KiB (`tcp_init`), with 128 MiB. A network namespace does not show the parameter.
const LEAST_LIMIT: f64 = 512.0;

/// Sockets in FIN-WAIT-2 against the limit of orphans.
pub(super) struct FinWait2 {
    /// Sockets in FIN-WAIT-2 at the last reading, closed ones included.
    pub(super) sockets: f64,
    /// `tcp_max_orphans`; `None` in a network namespace, and then the sockets are few whatever it is.
    pub(super) limit: Option<f64>,
    /// The listening port with most of them, and how many.
    port: Option<(u16, u32)>,
}

impl FinWait2 {
    /// The share of the limit.
    pub(super) fn share(&self) -> f64 {
        self.sockets / self.limit.unwrap_or(LEAST_LIMIT).max(1.0)
    }

    /// Whether they are many.
    pub(super) fn is_high(&self) -> bool {
        self.share() > HIGH
    }

    /// What was seen, in one line.
    pub(super) fn line(&self) -> String {
        let sockets = number_text(self.sockets);
        match self.limit {
            Some(_) => {
                let share = number_text((self.share() * 1000.0).round() / 10.0);
                format!("{sockets} sockets in FIN-WAIT-2, {share} % of tcp_max_orphans")
            }
            None => format!("{sockets} sockets in FIN-WAIT-2, few for any kernel"),
        }
    }

    /// What was seen, field by field.
    pub(super) fn observations(&self) -> Vec<Observation> {
        let mut all = vec![Observation::new("inet_diag", "fin-wait-2", self.sockets).unit("sockets")];
        all.extend(
            self.limit.map(|limit| {
                Observation::new("/proc/sys", "net.ipv4.tcp_max_orphans", limit).unit("sockets")
            }),
        );
        all.extend(self.port.map(|(port, sockets)| {
            Observation::new("inet_diag", format!("fin-wait-2 on port {port}"), sockets).unit("sockets")
        }));
        all
    }
}

/// Counts sockets in FIN-WAIT-2.
///
/// # Errors
/// What is missing: TCP sockets by state, or `tcp_max_orphans` where the sockets are more than a few.
#[expect(clippy::cast_precision_loss, reason = "counts of sockets")]
pub(super) fn read(evidence: &Evidence) -> Result<FinWait2, Missing> {
    let facts = evidence.latest(|reading| &reading.sockets)?;
    let table = facts.tcp.as_ref().ok_or_else(|| ports::why_unlisted(evidence))?;
    let sockets = table.states.get("fin-wait-2").copied().unwrap_or(0) as f64;
    let limit = match parameters::number(evidence, "net.ipv4.tcp_max_orphans") {
        Err(missing) if sockets > HIGH * LEAST_LIMIT => return Err(missing),
        limit => limit.ok(),
    };
    let most = table.services.iter().max_by_key(|service| service.fin_wait2);
    Ok(FinWait2 {
        sockets,
        limit: limit.map(|limit| limit as f64),
        port: most.filter(|service| service.fin_wait2 > 0).map(|service| (service.port, service.fin_wait2)),
    })
}
