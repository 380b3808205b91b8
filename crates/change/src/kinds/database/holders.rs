//! Who holds what a statement waits for.

use super::session::Session;

/// Transactions that are open, the oldest first, whatever they wait for: one of them holds the lock.
const TRANSACTIONS: &str = "SELECT p.ID, p.USER, p.HOST, p.COMMAND, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) \
    FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
    WHERE p.ID <> CONNECTION_ID() ORDER BY t.trx_started LIMIT 3";

/// Those that may hold a lock, in words. The server says who holds the lock of a table only where its instrumentation is
/// on, so that all open transactions are named.
pub(super) fn named(session: &mut Session) -> String {
    let rows = session.raw_query(TRANSACTIONS).map(|table| table.rows).unwrap_or_default();
    let words = |row: &Vec<Option<String>>| {
        let cell = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or("?").to_owned();
        let host = cell(2);
        let host = host.split(':').next().unwrap_or_default();
        let does = if cell(3) == "Sleep" { "which sleeps" } else { "which runs" };
        format!("connection {} of {}@{host}, {does}, in a transaction for {} s", cell(0), cell(1), cell(4))
    };
    let named: Vec<_> = rows.iter().map(words).collect();
    match named.as_slice() {
        [] => "no open transaction is seen: LOCK TABLES or a long query may hold the table".to_owned(),
        [one] => one.clone(),
        several => format!("one of {}", several.join("; ")),
    }
}
