//! MySQL of Oracle, and Percona Server, which follows it.

use super::{VersionFact, fact};

/// "Changes in MySQL 8.0: server and status variables and options removed".
const REMOVED_80: &str = "MySQL 8.0 manual, 1.4 Server and Status Variables and Options Added, Deprecated, or Removed in MySQL 8.0";
/// The same of 5.7.
const REMOVED_57: &str = "MySQL 5.7 manual, 1.4 Server and Status Variables and Options Added, Deprecated, or Removed in MySQL 5.7";
/// The same of 8.4.
const REMOVED_84: &str = "MySQL 8.4 manual, 1.5 Server and Status Variables and Options Added, Deprecated, or Removed in MySQL 8.4";
/// The chapter on variables of InnoDB.
const INNODB: &str = "MySQL 8.0 manual, 17.14 InnoDB Startup Options and System Variables";
/// The chapter on options of replicas.
const REPLICA: &str = "MySQL 8.0 manual, 19.1.6.3 Replica Server Options and Variables";

pub(super) const FACTS: &[VersionFact] = &[
    fact("binlog_expire_logs_seconds", REMOVED_80).added(8, 0, 1),
    fact("default_authentication_plugin", REMOVED_84)
        .deprecated(8, 0, 27)
        .removed(8, 4, 0)
        .now("authentication_policy"),
    fact("expire_logs_days", REMOVED_84)
        .deprecated(8, 0, 3)
        .removed(8, 4, 0)
        .now("binlog_expire_logs_seconds"),
    fact("innodb_additional_mem_pool_size", REMOVED_57).deprecated(5, 6, 3).removed(5, 7, 4),
    fact("innodb_checksums", REMOVED_80)
        .deprecated(5, 6, 3)
        .removed(8, 0, 0)
        .now("innodb_checksum_algorithm"),
    fact("innodb_file_format", REMOVED_80).deprecated(5, 7, 7).removed(8, 0, 0),
    fact("innodb_file_format_check", REMOVED_80).deprecated(5, 7, 7).removed(8, 0, 0),
    fact("innodb_file_format_max", REMOVED_80).deprecated(5, 7, 7).removed(8, 0, 0),
    fact("innodb_large_prefix", REMOVED_80).deprecated(5, 7, 7).removed(8, 0, 0),
    fact("innodb_locks_unsafe_for_binlog", REMOVED_80).deprecated(5, 6, 3).removed(8, 0, 0),
    fact("innodb_log_file_size", INNODB).deprecated(8, 0, 30).now("innodb_redo_log_capacity"),
    fact("innodb_log_files_in_group", INNODB).deprecated(8, 0, 30).now("innodb_redo_log_capacity"),
    fact("innodb_redo_log_capacity", INNODB).added(8, 0, 30),
    fact("innodb_stats_sample_pages", REMOVED_80)
        .deprecated(5, 6, 3)
        .removed(8, 0, 0)
        .now("innodb_stats_transient_sample_pages"),
    fact("innodb_support_xa", REMOVED_80).deprecated(5, 7, 10).removed(8, 0, 0),
    fact("innodb_undo_logs", REMOVED_80)
        .deprecated(5, 7, 19)
        .removed(8, 0, 2)
        .now("innodb_rollback_segments"),
    fact("innodb_use_sys_malloc", REMOVED_57).deprecated(5, 6, 3).removed(5, 7, 4),
    fact("log_slave_updates", REPLICA).deprecated(8, 0, 26).now("log_replica_updates"),
    fact("log_warnings", REMOVED_80).deprecated(5, 7, 2).removed(8, 0, 3).now("log_error_verbosity"),
    fact("old_passwords", REMOVED_80).deprecated(5, 7, 6).removed(8, 0, 11),
    fact("query_cache_limit", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3),
    fact("query_cache_min_res_unit", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3),
    fact("query_cache_size", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3),
    fact("query_cache_type", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3),
    fact("query_cache_wlock_invalidate", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3),
    fact("secure_auth", REMOVED_80).deprecated(5, 7, 5).removed(8, 0, 3),
    fact("slave_net_timeout", REPLICA).deprecated(8, 0, 26).now("replica_net_timeout"),
    fact("slave_parallel_type", REPLICA).deprecated(8, 0, 26).now("replica_parallel_type"),
    fact("slave_parallel_workers", REPLICA).deprecated(8, 0, 26).now("replica_parallel_workers"),
    fact("slave_preserve_commit_order", REPLICA).deprecated(8, 0, 26).now("replica_preserve_commit_order"),
    fact("storage_engine", REMOVED_57).deprecated(5, 5, 3).removed(5, 7, 5).now("default_storage_engine"),
    fact("sync_frm", REMOVED_80).deprecated(5, 7, 6).removed(8, 0, 0),
    fact("thread_concurrency", REMOVED_57).deprecated(5, 6, 1).removed(5, 7, 2),
    fact("timed_mutexes", REMOVED_57).deprecated(5, 6, 20).removed(5, 7, 5),
    fact("tx_isolation", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3).now("transaction_isolation"),
    fact("tx_read_only", REMOVED_80).deprecated(5, 7, 20).removed(8, 0, 3).now("transaction_read_only"),
];
