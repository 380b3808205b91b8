//! Which daemon listens at an address, and the line of its configuration that sizes its queue.

use model::{Change, Derived};

use crate::{Evidence, php_fpm};

/// The change that gives the queue at an address another length; `None` where nothing read says whose it is.
pub(super) fn backlog_change(evidence: &Evidence, local: &str, target: &Derived) -> Option<Change> {
    php_fpm::backlog_change(evidence, local, target)
}

/// How many connections are of use in the queue at an address, where that is known of the daemon behind it.
pub(super) fn useful_backlog(evidence: &Evidence, local: &str) -> Option<(u64, Derived)> {
    php_fpm::useful_backlog(evidence, local)
}
