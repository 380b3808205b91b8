//! What can be wrong in this layer, one file each.

use crate::Cause;

mod autoload_bloat;
mod buffer_pool_small;
mod buffer_pool_starves_php;
mod buffer_pool_waits;
mod connection_storm;
mod connections_exhausted;
mod durability_relaxed;
mod full_scans;
mod history_list_long;
mod io_capacity_copied;
mod lock_waits;
mod lru_scan_copied;
mod name_resolution;
mod option_deprecated;
mod option_inert;
mod option_removed;
mod pools_above_connections;
mod query_cache_contended;
mod redo_small;
mod replica_lag;
mod slow_log_off;
mod table_cache_small;
mod temporary_tables_on_disk;
mod thread_thrash;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &connections_exhausted::CAUSE,
    &connection_storm::CAUSE,
    &thread_thrash::CAUSE,
    &pools_above_connections::CAUSE,
    &buffer_pool_small::CAUSE,
    &buffer_pool_starves_php::CAUSE,
    &buffer_pool_waits::CAUSE,
    &redo_small::CAUSE,
    &temporary_tables_on_disk::CAUSE,
    &table_cache_small::CAUSE,
    &full_scans::CAUSE,
    &lock_waits::CAUSE,
    &history_list_long::CAUSE,
    &replica_lag::CAUSE,
    &query_cache_contended::CAUSE,
    &durability_relaxed::CAUSE,
    &option_removed::CAUSE,
    &option_inert::CAUSE,
    &option_deprecated::CAUSE,
    &io_capacity_copied::CAUSE,
    &lru_scan_copied::CAUSE,
    &name_resolution::CAUSE,
    &autoload_bloat::CAUSE,
    &slow_log_off::CAUSE,
];
