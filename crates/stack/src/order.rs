//! The order in which causes are told: the worst first, and before a consequence what brings it about.

use std::cmp::Reverse;

use model::report::CauseReport;
use model::{Severity, Verdict};

/// What brings about what. Where both are confirmed, curing the second alone hides the first, or does what the first asks
/// for in a place that is further away.
const BRINGS_ABOUT: &[(&str, &str)] = &[
    ("php-fpm.backlog-short", "sockets.unix-queue-overflow"),
    ("php-fpm.backlog-short", "sockets.accept-queue-overflow"),
    ("php-fpm.keepalive-pins-workers", "php-fpm.pool-saturated"),
    ("php-fpm.keepalive-pins-workers", "php-fpm.backlog-short"),
    ("php-fpm.keepalive-pins-workers", "php-fpm.backlog-serves-departed"),
    ("nginx.cache-stampede", "php-fpm.pool-saturated"),
    ("nginx.cache-stampede", "php-fpm.backlog-short"),
    ("nginx.cache-stampede", "php-fpm.backlog-serves-departed"),
    ("php-fpm.ramp-slow", "php-fpm.backlog-serves-departed"),
    ("php-fpm.pool-saturated", "php-fpm.backlog-serves-departed"),
    ("wordpress.cron-in-requests", "php-fpm.pool-saturated"),
    ("opcache.memory-full", "php-fpm.pool-saturated"),
    // A worker that waits for the database is busy: more of them would wait as well.
    ("mysql.lock-waits", "php-fpm.pool-saturated"),
    ("mysql.thread-thrash", "php-fpm.pool-saturated"),
    ("mysql.full-scans", "php-fpm.pool-saturated"),
    ("mysql.buffer-pool-small", "php-fpm.pool-saturated"),
    ("mysql.query-cache-contended", "php-fpm.pool-saturated"),
    // What holds statements up makes connections pile up: more of them would wait as well.
    ("mysql.lock-waits", "mysql.connections-exhausted"),
    ("mysql.thread-thrash", "mysql.connections-exhausted"),
    ("mysql.lock-waits", "mysql.history-list-long"),
    ("mysql.full-scans", "mysql.thread-thrash"),
    ("mysql.full-scans", "cpu.work-exceeds-cpus"),
    ("mysql.thread-thrash", "cpu.work-exceeds-cpus"),
    ("mysql.full-scans", "mysql.buffer-pool-small"),
    ("mysql.buffer-pool-starves-php", "memory.swap-thrash"),
];

/// Brings the causes into order. Those of the same verdict and severity stay as they come, from the wire up.
pub(crate) fn arrange(reports: &mut Vec<CauseReport>) {
    reports.sort_by_key(|cause| (verdict_rank(cause.verdict), Reverse(cause.severity)));
    for (root, consequence) in BRINGS_ABOUT {
        let at = |id: &str, least: Severity| {
            reports.iter().position(|cause| {
                cause.id == id && cause.verdict == Verdict::Confirmed && cause.severity >= Some(least)
            })
        };
        if let (Some(root), Some(consequence)) =
            (at(root, Severity::Limiting), at(consequence, Severity::Hygiene))
            && root > consequence
        {
            let moved = reports.remove(root);
            reports.insert(consequence, moved);
        }
    }
}

/// Confirmed before consistent before ruled out before unknown.
pub(crate) const fn verdict_rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Confirmed => 0,
        Verdict::Consistent => 1,
        Verdict::RuledOut => 2,
        Verdict::Unknown => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(id: &str, verdict: Verdict, severity: Severity) -> CauseReport {
        CauseReport {
            id: id.to_owned(),
            layer: String::new(),
            title: String::new(),
            verdict,
            severity: Some(severity),
            summary: String::new(),
            observations: vec![],
            explains: vec![],
            remedies: vec![],
            missing: vec![],
        }
    }

    fn arranged(mut causes: Vec<CauseReport>) -> Vec<String> {
        arrange(&mut causes);
        causes.into_iter().map(|cause| cause.id).collect()
    }

    #[test]
    fn what_brings_another_cause_about_is_told_before_it_and_the_worst_first_otherwise() {
        let overflow = cause("sockets.unix-queue-overflow", Verdict::Confirmed, Severity::Breaking);
        let steal = cause("cpu.steal", Verdict::Confirmed, Severity::Breaking);
        let latent = cause("php-fpm.backlog-short", Verdict::Confirmed, Severity::Latent);
        let limiting = cause("php-fpm.backlog-short", Verdict::Confirmed, Severity::Limiting);
        let causes = |backlog| arranged(vec![latent.clone(), steal.clone(), overflow.clone(), backlog]);
        let before = ["cpu.steal", "php-fpm.backlog-short", "sockets.unix-queue-overflow"];
        assert_eq!(causes(limiting)[..3], before);
        assert_eq!(causes(latent.clone())[..2], ["cpu.steal", "sockets.unix-queue-overflow"]);
    }

    #[test]
    fn a_root_that_is_not_confirmed_moves_nothing() {
        let saturated = cause("php-fpm.pool-saturated", Verdict::Confirmed, Severity::Limiting);
        let pinned = cause("php-fpm.keepalive-pins-workers", Verdict::Consistent, Severity::Limiting);
        let order = arranged(vec![pinned, saturated]);
        assert_eq!(order, ["php-fpm.pool-saturated", "php-fpm.keepalive-pins-workers"]);
    }

    #[test]
    fn every_cause_of_the_order_is_known() {
        // Those of layers that have no cause yet are let through.
        let known = |id: &str| {
            let layer = id.split('.').next().unwrap_or(id);
            crate::layers::causes().any(|(_, cause)| cause.id == id)
                || !crate::layers::causes().any(|(of, _)| of.id == layer)
        };
        for (root, consequence) in BRINGS_ABOUT {
            assert!(known(root), "{root}");
            let symptom = crate::layers::symptoms().any(|(_, symptom)| symptom.id == *consequence);
            assert!(known(consequence) && !symptom, "{consequence}");
        }
    }
}
