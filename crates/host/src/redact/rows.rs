//! Takes what is secret, and what users store, out of the answers of database servers.

use database::Table;

use super::REDACTED;

/// Words in names of variables whose values are secret.
const SECRET_WORDS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "token", "auth", "filekey", "credential"];
/// Variables that hold statements or options of a library, in which anything may stand.
const FREE_TEXT: [&str; 5] =
    ["init_connect", "init_slave", "init_replica", "wsrep_provider_options", "wsrep_cluster_address"];
/// Columns of `SHOW REPLICA STATUS` that are kept.
const REPLICA_COLUMNS: [&str; 10] = [
    "Slave_IO_Running",
    "Slave_SQL_Running",
    "Replica_IO_Running",
    "Replica_SQL_Running",
    "Seconds_Behind_Master",
    "Seconds_Behind_Source",
    "Last_IO_Errno",
    "Last_IO_Error",
    "Last_SQL_Errno",
    "Last_SQL_Error",
];
/// Beginnings of lines of `SHOW ENGINE INNODB STATUS` that are kept; all others may hold statements.
const INNODB_LINES: [&str; 12] = [
    "Trx id counter",
    "Purge done for",
    "History list length",
    "Log sequence number",
    "Log flushed up to",
    "Pages flushed up to",
    "Last checkpoint at",
    "LATEST DETECTED DEADLOCK",
    "LATEST FOREIGN KEY ERROR",
    "SEMAPHORES",
    "--Thread",
    "OS WAIT ARRAY INFO",
];

/// The answer to a question, by its name, without what is nobody's business.
pub(crate) fn rows(name: &str, table: Table) -> Table {
    match name {
        "variables" => variables(table),
        "innodb-status" => innodb(table),
        "replication" => replication(table),
        _ => table,
    }
}

/// Whether the value of an option or variable of MariaDB or MySQL is secret: it is named so, or may hold anything.
pub fn is_secret_option(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("loose_").unwrap_or(&name);
    let password = matches!(name, "password" | "pass");
    let switch = matches!(value, "ON" | "OFF" | "YES" | "NO");
    let harmless = value.is_empty() || value.parse::<f64>().is_ok() || switch;
    let named = SECRET_WORDS.iter().any(|word| name.contains(word)) || FREE_TEXT.contains(&name);
    (named && !harmless) || (password && !value.is_empty())
}

fn variables(mut table: Table) -> Table {
    for row in &mut table.rows {
        let [Some(name), Some(value)] = row.as_mut_slice() else { continue };
        if is_secret_option(name, value) {
            REDACTED.clone_into(value);
        }
    }
    table
}

fn replication(mut table: Table) -> Table {
    let kept: Vec<bool> = table
        .columns
        .iter()
        .map(|column| REPLICA_COLUMNS.iter().any(|known| column.eq_ignore_ascii_case(known)))
        .collect();
    let errors: Vec<bool> = table.columns.iter().map(|column| column.ends_with("_Error")).collect();
    for row in &mut table.rows {
        for (cell, _) in row.iter_mut().zip(&errors).filter(|(_, error)| **error) {
            *cell = cell.take().map(|text| without_values(&text));
        }
        let mut keep = kept.iter();
        row.retain(|_| keep.next().copied().unwrap_or(false));
    }
    let mut keep = kept.iter();
    table.columns.retain(|_| keep.next().copied().unwrap_or(false));
    table
}

/// An error of a replica without the statement, and without what stands in quotes.
fn without_values(text: &str) -> String {
    let text = text.split(" Query: ").next().unwrap_or_default();
    let parts = text.split('\'').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "'…'" }).collect()
}

fn innodb(mut table: Table) -> Table {
    for text in table.rows.iter_mut().flatten().flatten() {
        let mut kept = String::new();
        let mut after_deadlock = 0;
        for line in text.lines().map(str::trim) {
            let deadlock_time = after_deadlock == 2 && line.starts_with(|first: char| first.is_ascii_digit());
            after_deadlock = match (line, after_deadlock) {
                ("LATEST DETECTED DEADLOCK", _) => 1,
                (_, 1) => 2,
                _ => 0,
            };
            let inside = line.contains(" queries inside InnoDB");
            if inside || deadlock_time || INNODB_LINES.iter().any(|known| line.starts_with(known)) {
                // A thread's address and the time end such a line; a statement never stands in it.
                kept.push_str(if deadlock_time { line.get(..19).unwrap_or(line) } else { line });
                kept.push('\n');
            }
        }
        *text = kept;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
        let text = |cells: &[&str]| cells.iter().map(|cell| Some((*cell).to_owned())).collect();
        Table {
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: rows.iter().map(|row| text(row)).collect(),
        }
    }

    #[test]
    fn variables_that_hold_secrets_are_masked_and_numbers_kept() {
        let given = table(
            &["Variable_name", "Value"],
            &[
                &["report_password", "hunter2"],
                &["default_password_lifetime", "0"],
                &["init_connect", "SET PASSWORD = 'x'"],
                &["wsrep_sst_auth", "sst:pw"],
                &["max_connections", "151"],
            ],
        );
        let values: Vec<_> = rows("variables", given).values("Value").map(str::to_owned).collect();
        assert_eq!(values, ["redacted", "0", "redacted", "redacted", "151"]);
    }

    #[test]
    fn the_status_of_innodb_keeps_no_statement() {
        let text = "SEMAPHORES\n----\nLATEST DETECTED DEADLOCK\n------------------------\n2026-11-22 00:01:02 0x7f\n*** (1) \
                    TRANSACTION:\nUPDATE users SET pw='x'\nTRANSACTIONS\nHistory list length 7\nSELECT 'secret'\nLog sequence number \
                    100\nLast checkpoint at  40\n1 queries inside InnoDB, 2 queries in queue\n";
        let kept = rows("innodb-status", table(&["Status"], &[&[text]]));
        let expected = "SEMAPHORES\nLATEST DETECTED DEADLOCK\n2026-11-22 00:01:02\nHistory list length 7\nLog sequence number \
                        100\nLast checkpoint at  40\n1 queries inside InnoDB, 2 queries in queue\n";
        assert_eq!(kept.first(), Some(expected));
    }

    #[test]
    fn a_replica_keeps_its_error_without_what_users_store() {
        let error = "Error 'Duplicate entry 'bob@x.org' for key 'mail'' on query. Default database: 'shop'. Query: 'INSERT 1'";
        let given = table(&["Master_User", "Slave_IO_Running", "Last_SQL_Error"], &[&["repl", "Yes", error]]);
        let kept = rows("replication", given);
        assert_eq!(kept.columns, ["Slave_IO_Running", "Last_SQL_Error"]);
        let shown = kept.values("Last_SQL_Error").next().unwrap().to_owned();
        assert!(!shown.contains("INSERT") && shown.contains("Default database"), "{shown}");
    }
}
