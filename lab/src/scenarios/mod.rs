//! Every scenario, one file each.

mod buffer_pool_starved;
mod buffer_pool_starves_php;
mod bufferbloat;
mod cache_stampede;
mod cold_start;
mod connection_storm;
mod cookie_leak;
mod cron_hog;
mod dentry_growth;
mod eav_query;
mod enoent_storm;
mod foretell_listen_queue;
mod foretell_php_fpm;
mod foretell_php_fpm_tcp;
mod foretell_ports;
mod foretell_rpc_slots;
mod foretell_worker_pool;
mod fpm_herd;
mod fpm_ramp;
mod geo_query;
mod irq_concentration;
mod keepalive_pins;
mod listen_overflow_tcp;
mod listen_overflow_unix;
mod loss_cubic;
mod memory_overcommit;
mod mycnf_copied;
mod nfs_latency;
mod nfs_slots;
mod opcache_revalidation;
mod opcache_revalidation_nfs;
mod opcache_small;
mod ports_exhausted;
mod ring_overrun;
mod slow_start_after_idle;
mod wp_cron_hog;

use crate::scenario::Scenario;

/// The layers that a network namespace has to itself. Of CPUs, memory and disks the whole machine is the owner, and what
/// else it does is no finding about a scenario.
const LAYERS_OF_A_NAMESPACE: &str = "sockets,nic,qdisc";

/// All of them, in the order of the scoreboard.
pub static SCENARIOS: &[Scenario] = &[
    listen_overflow_tcp::SCENARIO,
    listen_overflow_unix::SCENARIO,
    ports_exhausted::SCENARIO,
    irq_concentration::SCENARIO,
    ring_overrun::SCENARIO,
    loss_cubic::SCENARIO,
    bufferbloat::SCENARIO,
    slow_start_after_idle::SCENARIO,
    nfs_latency::SCENARIO,
    nfs_slots::SCENARIO,
    dentry_growth::SCENARIO,
    cron_hog::SCENARIO,
    fpm_herd::SCENARIO,
    fpm_ramp::SCENARIO,
    keepalive_pins::SCENARIO,
    memory_overcommit::SCENARIO,
    cache_stampede::SCENARIO,
    cookie_leak::SCENARIO,
    opcache_revalidation::SCENARIO,
    opcache_revalidation_nfs::SCENARIO,
    opcache_small::SCENARIO,
    cold_start::SCENARIO,
    enoent_storm::SCENARIO,
    wp_cron_hog::SCENARIO,
    eav_query::SCENARIO,
    geo_query::SCENARIO,
    connection_storm::SCENARIO,
    mycnf_copied::SCENARIO,
    buffer_pool_starved::SCENARIO,
    buffer_pool_starves_php::SCENARIO,
    foretell_worker_pool::SCENARIO,
    foretell_php_fpm::SCENARIO,
    foretell_php_fpm_tcp::SCENARIO,
    foretell_listen_queue::SCENARIO,
    foretell_ports::SCENARIO,
    foretell_rpc_slots::SCENARIO,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
