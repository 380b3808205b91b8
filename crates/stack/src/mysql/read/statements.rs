//! The statements that a server is asked. Each reads only, is bounded, and asks for no text that a user stored.

use super::ask::Server;

/// Connections counted by what they do. MySQL 8.0.22 can list them without its global mutex.
pub(super) fn processlist(server: &Server<'_>) -> String {
    let table = list_of_connections(server);
    format!(
        "SELECT COMMAND AS command, COALESCE(STATE, '') AS state, USER AS user, IF(LOCATE(':', HOST) = 0, HOST, LEFT(HOST, \
         LENGTH(HOST) - LENGTH(SUBSTRING_INDEX(HOST, ':', -1)) - 1)) AS host, COUNT(*) AS connections, MAX(TIME) AS longest_s \
         FROM {table} WHERE ID <> CONNECTION_ID() AND USER NOT IN ('system user', 'event_scheduler') GROUP BY 1, 2, 3, 4 \
         ORDER BY 5 DESC LIMIT 1000"
    )
}

fn list_of_connections(server: &Server<'_>) -> &'static str {
    match !server.is_mariadb() && server.at_least((0, 0, 0), (8, 0, 22)) {
        true => "performance_schema.processlist",
        false => "information_schema.PROCESSLIST",
    }
}

/// How long the longest transaction has been open whose connection sleeps.
pub(super) fn sleeping_transactions(server: &Server<'_>) -> String {
    format!(
        "SELECT COUNT(*) AS transactions, MAX(p.TIME) AS longest_s FROM information_schema.INNODB_TRX t JOIN {} p ON p.ID = \
         t.trx_mysql_thread_id WHERE p.COMMAND = 'Sleep'",
        list_of_connections(server)
    )
}

/// Who waits for whom. MySQL 8 moved its tables; both show rows only while somebody waits.
pub(super) fn lock_waits(server: &Server<'_>) -> String {
    let list = list_of_connections(server);
    if !server.is_mariadb() && server.at_least((0, 0, 0), (8, 0, 1)) {
        return format!(
            "SELECT r.PROCESSLIST_ID AS waiting, b.PROCESSLIST_ID AS holding, CONCAT(l.OBJECT_SCHEMA, '.', l.OBJECT_NAME) AS name, \
             TIMESTAMPDIFF(SECOND, t.trx_wait_started, NOW()) AS waited_s, p.COMMAND AS holder FROM \
             performance_schema.data_lock_waits w JOIN performance_schema.threads r ON r.THREAD_ID = w.REQUESTING_THREAD_ID \
             JOIN performance_schema.threads b ON b.THREAD_ID = w.BLOCKING_THREAD_ID LEFT JOIN performance_schema.data_locks l \
             ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID LEFT JOIN information_schema.INNODB_TRX t ON \
             t.trx_mysql_thread_id = r.PROCESSLIST_ID LEFT JOIN {list} p ON p.ID = b.PROCESSLIST_ID LIMIT 200"
        );
    }
    format!(
        "SELECT r.trx_mysql_thread_id AS waiting, b.trx_mysql_thread_id AS holding, REPLACE(l.lock_table, '`', '') AS name, \
         TIMESTAMPDIFF(SECOND, r.trx_wait_started, NOW()) AS waited_s, p.COMMAND AS holder FROM \
         information_schema.INNODB_LOCK_WAITS w JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id JOIN \
         information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id LEFT JOIN information_schema.INNODB_LOCKS l ON \
         l.lock_id = w.requested_lock_id LEFT JOIN {list} p ON p.ID = b.trx_mysql_thread_id LIMIT 200"
    )
}

/// The largest tables, by InnoDB's persistent statistics: one small table, where `information_schema.TABLES` opens every table.
pub(super) const TABLES: &str = "SELECT CONCAT(database_name, '.', table_name) AS name, n_rows AS row_count, clustered_index_size * \
    @@innodb_page_size AS data_bytes, sum_of_other_index_sizes * @@innodb_page_size AS index_bytes FROM \
    mysql.innodb_table_stats WHERE database_name NOT IN ('mysql', 'sys') ORDER BY clustered_index_size + \
    sum_of_other_index_sizes DESC LIMIT 200";

/// Bytes of all tables of InnoDB.
pub(super) const INNODB_BYTES: &str = "SELECT 'InnoDB' AS engine, COUNT(*) AS tables, COALESCE(SUM(clustered_index_size + \
    sum_of_other_index_sizes), 0) * @@innodb_page_size AS bytes FROM mysql.innodb_table_stats";

/// Bytes of the tables of other engines. This opens tables, and is asked only where they are few.
pub(super) const OTHER_ENGINES: &str = "SELECT ENGINE AS engine, COUNT(*) AS tables, COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS \
    bytes FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB' AND TABLE_SCHEMA NOT IN \
    ('mysql', 'sys', 'information_schema', 'performance_schema') GROUP BY 1";

/// The state of a replica. MariaDB 10.5.1 and MySQL 8.0.22 have the newer words.
pub(super) fn replication(server: &Server<'_>) -> &'static str {
    match server.at_least((10, 5, 1), (8, 0, 22)) {
        true => "SHOW REPLICA STATUS",
        false => "SHOW SLAVE STATUS",
    }
}

/// Tables that are named as WordPress's options, without a look into every folder of the data directory.
pub(super) const OPTION_TABLES: &str = "SELECT database_name AS s, table_name AS t FROM mysql.innodb_table_stats WHERE table_name LIKE \
    '%options' LIMIT 50";

/// The table where it has a column `autoload`: with both names the server looks at this one alone.
pub(super) fn has_autoload(schema: &str, table: &str) -> String {
    format!(
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = \
         '{table}' AND COLUMN_NAME = 'autoload'"
    )
}

/// What WordPress loads from a table with every page: the sum first, then the largest. Since 6.6 it has several words for yes.
pub(super) fn autoload(schema: &str, table: &str) -> String {
    let from = format!("FROM `{schema}`.`{table}` WHERE autoload IN ('yes', 'on', 'auto', 'auto-on')");
    format!(
        "SELECT '{schema}.{table}' AS t, '' AS name, COUNT(*) AS options, COALESCE(SUM(LENGTH(option_value)), 0) AS bytes {from} \
         UNION ALL (SELECT '{schema}.{table}', option_name, 1, LENGTH(option_value) {from} ORDER BY LENGTH(option_value) DESC \
         LIMIT 10)"
    )
}
