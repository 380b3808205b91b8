//! The same as the pool on a Unix socket, at an address of loopback.

use super::foretell_php_fpm::foretell;
use crate::scenario::{Scenario, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-php-fpm-tcp",
    title: "at a tenth of the load check says what a pool of PHP-FPM on a TCP port carries",
    world: World::Namespaces,
    quick: false,
    run: |score| foretell(score, Some("127.0.0.1:9000")),
};
