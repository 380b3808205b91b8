//! MariaDB.

use super::{VersionFact, fact};

/// The page of the knowledge base on variables of InnoDB, which names the version of each step.
const INNODB: &str = "mariadb.com/kb/en/innodb-system-variables";
/// The page on all other variables.
const SERVER: &str = "mariadb.com/kb/en/server-system-variables";
/// The program itself, at the named version.
const PROGRAM: &str = "mariadbd 10.11: unknown variable";

pub(super) const FACTS: &[VersionFact] = &[
    fact("innodb_adaptive_max_sleep_delay", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_additional_mem_pool_size", PROGRAM).deprecated(10, 0, 0).removed(10, 11, 0),
    fact("innodb_background_scrub_data_check_interval", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_background_scrub_data_compressed", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_background_scrub_data_interval", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_background_scrub_data_uncompressed", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_buffer_pool_instances", INNODB).deprecated(10, 5, 1).inert(10, 5, 1),
    fact("innodb_buffer_pool_populate", PROGRAM).removed(10, 11, 0),
    fact("innodb_change_buffering", INNODB).deprecated(10, 9, 0).inert(11, 0, 0),
    fact("innodb_checksums", PROGRAM)
        .deprecated(10, 0, 0)
        .removed(10, 11, 0)
        .now("innodb_checksum_algorithm"),
    fact("innodb_commit_concurrency", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_concurrency_tickets", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_file_format", INNODB).deprecated(10, 2, 0).inert(10, 4, 3),
    fact("innodb_file_io_threads", PROGRAM).removed(10, 11, 0).now("innodb_read_io_threads"),
    fact("innodb_flush_method", INNODB).deprecated(11, 0, 0),
    fact("innodb_idle_flush_pct", INNODB).inert(10, 5, 0),
    fact("innodb_large_prefix", INNODB).deprecated(10, 2, 0).inert(10, 4, 3),
    fact("innodb_lock_schedule_algorithm", INNODB).inert(10, 6, 0),
    fact("innodb_locks_unsafe_for_binlog", INNODB).deprecated(10, 0, 0).inert(10, 5, 0),
    fact("innodb_log_checksums", INNODB).deprecated(10, 5, 0).inert(10, 5, 0),
    fact("innodb_log_compressed_pages", INNODB).deprecated(10, 5, 3).inert(10, 6, 0),
    fact("innodb_log_files_in_group", INNODB)
        .deprecated(10, 5, 2)
        .inert(10, 5, 2)
        .now("innodb_log_file_size"),
    fact("innodb_log_optimize_ddl", INNODB).deprecated(10, 5, 1).inert(10, 5, 1),
    fact("innodb_mtflush_threads", PROGRAM).deprecated(10, 2, 9).removed(10, 3, 2),
    fact("innodb_page_cleaners", INNODB).deprecated(10, 5, 1).inert(10, 5, 1),
    fact("innodb_redo_log_capacity", PROGRAM).added(u32::MAX, 0, 0).now("innodb_log_file_size"),
    fact("innodb_replication_delay", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_rollback_segments", INNODB).deprecated(10, 0, 0).inert(10, 5, 0),
    fact("innodb_scrub_log", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_scrub_log_speed", INNODB).deprecated(10, 5, 2).inert(10, 5, 2),
    fact("innodb_stats_sample_pages", INNODB)
        .deprecated(10, 0, 0)
        .inert(10, 5, 0)
        .now("innodb_stats_transient_sample_pages"),
    fact("innodb_support_xa", PROGRAM).deprecated(10, 2, 0).removed(10, 3, 0),
    fact("innodb_sync_array_size", INNODB).inert(10, 6, 0),
    fact("innodb_thread_concurrency", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_thread_sleep_delay", INNODB).deprecated(10, 5, 5).inert(10, 5, 5),
    fact("innodb_undo_logs", INNODB).deprecated(10, 5, 0).inert(10, 5, 0),
    fact("innodb_use_mtflush", PROGRAM).deprecated(10, 2, 9).removed(10, 3, 2),
    fact("log_error_verbosity", PROGRAM).added(u32::MAX, 0, 0).now("log_warnings"),
    fact("log_slow_queries", PROGRAM).removed(10, 11, 0).now("slow_query_log"),
    fact("max_execution_time", PROGRAM).added(u32::MAX, 0, 0).now("max_statement_time"),
    fact("max_long_data_size", SERVER).deprecated(5, 5, 0).inert(10, 5, 0).now("max_allowed_packet"),
    fact("multi_range_count", SERVER).deprecated(5, 3, 0).inert(10, 5, 1),
    fact("replica_parallel_threads", PROGRAM).added(u32::MAX, 0, 0).now("slave_parallel_threads"),
    fact("replica_parallel_workers", PROGRAM).added(u32::MAX, 0, 0).now("slave_parallel_threads"),
    fact("secure_auth", SERVER).deprecated(10, 6, 0),
    fact("storage_engine", PROGRAM).removed(10, 11, 0).now("default_storage_engine"),
    fact("thread_concurrency", SERVER).deprecated(5, 5, 0).inert(10, 5, 1),
    fact("timed_mutexes", SERVER).deprecated(5, 5, 39).inert(10, 5, 1),
    fact("tx_isolation", PROGRAM).removed(10, 11, 0).now("transaction_isolation"),
    fact("tx_read_only", PROGRAM).removed(10, 11, 0).now("transaction_read_only"),
];
