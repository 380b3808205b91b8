//! How fast a pool with `pm = dynamic` grows.
//!
//! Once a second the master counts idle workers (`fpm_pctl_perform_idle_server_maintenance` of php-src,
//! `sapi/fpm/fpm/fpm_process_ctl.c`). With fewer than `pm.min_spare_servers` it forks as many as are missing, but no more than
//! its rate, and doubles the rate while that is below `pm.max_spawn_rate`. With enough idle workers the rate is 1 again.

/// What decides how a pool grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ramp {
    /// Workers at the beginning.
    pub(crate) start: u32,
    /// `pm.min_spare_servers`.
    pub(crate) min_spare: u32,
    /// `pm.max_children`.
    pub(crate) max_children: u32,
    /// `pm.max_spawn_rate`, 32 unless somebody set it.
    pub(crate) max_spawn_rate: u32,
    /// Requests that are there at once, and stay.
    pub(crate) demand: u32,
}

/// `pm.max_spawn_rate` where nobody set it.
pub(crate) const MAX_SPAWN_RATE: u32 = 32;
/// After so many seconds a burst is not waited for any more.
const LONGEST_S: u32 = 600;

impl Ramp {
    /// The workers that are there so many seconds after the demand came.
    pub(crate) fn children_after(&self, seconds: u32) -> u32 {
        self.steps().nth(usize::try_from(seconds).unwrap_or(usize::MAX)).unwrap_or(self.start)
    }

    /// Seconds until every request of the demand has a worker, or the pool has all it may have.
    pub(crate) fn seconds(&self) -> u32 {
        let wanted = self.demand.min(self.max_children);
        (0..)
            .zip(self.steps())
            .find(|(_, children)| *children >= wanted)
            .map_or(LONGEST_S, |(second, _)| second)
    }

    /// The workers after 0, 1, 2 … seconds.
    fn steps(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rate = 1;
        let mut children = self.start.min(self.max_children);
        (0..=LONGEST_S).map(move |second| {
            if second > 0 {
                let idle = children.saturating_sub(self.demand);
                let forked = rate
                    .min(self.min_spare.saturating_sub(idle))
                    .min(self.max_children.saturating_sub(children));
                rate = match forked {
                    0 => 1,
                    _ if rate < self.max_spawn_rate => rate.saturating_mul(2),
                    _ => rate,
                };
                children += forked;
            }
            children
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Ramp = Ramp { start: 40, min_spare: 20, max_children: 250, max_spawn_rate: 32, demand: 300 };

    #[test]
    fn a_pool_of_40_grows_as_it_was_measured() {
        // PHP 8.2 with 40/20/60/250 and 300 requests of 3 s at once, workers counted once a second.
        let measured = [40, 41, 43, 47, 55, 71, 91, 111, 131, 151];
        let children: Vec<_> = (0..10).map(|second| SEED.children_after(second)).collect();
        assert_eq!(children, measured);
        assert_eq!((SEED.children_after(14), SEED.children_after(15), SEED.seconds()), (250, 250, 14));
    }

    #[test]
    fn a_pool_with_enough_idle_workers_does_not_grow() {
        let calm = Ramp { demand: 20, ..SEED };
        assert_eq!((calm.children_after(9), calm.seconds()), (40, 0));
    }

    #[test]
    fn the_rate_is_limited_and_what_is_missing_too() {
        let slow = Ramp { max_spawn_rate: 2, ..SEED };
        assert_eq!(
            (0..5).map(|second| slow.children_after(second)).collect::<Vec<_>>(),
            [40, 41, 43, 45, 47]
        );
        let spare = Ramp { min_spare: 1, ..SEED };
        assert_eq!(spare.children_after(10), 50, "one a second with one spare worker");
        assert_eq!(Ramp { min_spare: 0, ..SEED }.seconds(), LONGEST_S, "it never grows");
    }
}
