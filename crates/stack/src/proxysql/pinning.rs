//! Statements after which ProxySQL keeps a connection to its client (`MySQL_Connection::MultiplexDisabled` and
//! `ProcessQueryAndSetStatusFlags` in lib/mysql_connection.cpp).

use std::collections::BTreeMap;

use super::Pinning;

/// What such statements look like, for the administration's SQLite: more than those that count.
pub(super) const LIKE: [&str; 10] = [
    "%SQL_CALC_FOUND_ROWS%",
    "%@%",
    "%GET_LOCK(%",
    "LOCK TABLE%",
    "FLUSH TABLES%",
    "CREATE TEMPORARY TABLE%",
    "PREPARE %",
    "SAVEPOINT %",
    "BEGIN%",
    "START TRANSACTION%",
];

/// Why a statement keeps its connection; `None` for one that does not.
fn reason(digest: &str) -> Option<&'static str> {
    let text = digest.trim_start().to_ascii_uppercase();
    let begins = |word: &str| text.starts_with(word);
    if text.contains("SQL_CALC_FOUND_ROWS") {
        return Some("SQL_CALC_FOUND_ROWS");
    }
    if text.contains("GET_LOCK(") {
        return Some("GET_LOCK");
    }
    if begins("LOCK TABLE") || begins("FLUSH TABLES WITH READ LOCK") {
        return Some("LOCK TABLES");
    }
    if begins("CREATE TEMPORARY TABLE") {
        return Some("temporary table");
    }
    if begins("PREPARE ") {
        return Some("PREPARE");
    }
    if begins("SAVEPOINT ") {
        return Some("SAVEPOINT");
    }
    if begins("BEGIN") || begins("START TRANSACTION") {
        return Some("transaction");
    }
    has_user_variable(&text).then_some("user variable")
}

/// A variable of the session by name: `@x`, not `@@x`, which is the server's, nor an address inside of a text.
fn has_user_variable(text: &str) -> bool {
    let bytes = text.as_bytes();
    let named =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$`'".contains(byte));
    bytes.iter().enumerate().any(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        *byte == b'@' && before != Some(&b'@') && !named(before) && named(bytes.get(at + 1))
    })
}

/// The reasons with how often each came, the most frequent first. A digest holds no values of its statements.
pub(super) fn counted(digests: impl Iterator<Item = (String, u64)>) -> Vec<Pinning> {
    let mut found: BTreeMap<&str, (u64, u64, String)> = BTreeMap::new();
    for (text, count) in digests {
        let Some(reason) = reason(&text) else { continue };
        let (all, most, example) = found.entry(reason).or_default();
        *all = all.saturating_add(count);
        if count > *most || example.is_empty() {
            (*most, *example) = (count, text.chars().take(200).collect());
        }
    }
    let each = found.into_iter();
    let mut all: Vec<_> = each
        .map(|(reason, (count, _, example))| Pinning { reason: reason.to_owned(), count, example })
        .collect();
    all.sort_by_key(|pinning| std::cmp::Reverse(pinning.count));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_keep_their_connection_are_told_from_their_neighbours() {
        for (digest, wanted) in [
            ("SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts", Some("SQL_CALC_FOUND_ROWS")),
            ("SET @rank=?", Some("user variable")),
            ("SELECT @rank:=@rank+?", Some("user variable")),
            ("SELECT @@version", None),
            ("SET @@session.sql_mode=?", None),
            ("GRANT ALL ON a.* TO u@localhost", None),
            ("begin", Some("transaction")),
            ("START TRANSACTION", Some("transaction")),
            ("SELECT GET_LOCK(?,?)", Some("GET_LOCK")),
            ("LOCK TABLES a READ", Some("LOCK TABLES")),
            ("CREATE TEMPORARY TABLE a (b INT)", Some("temporary table")),
            ("PREPARE s FROM ?", Some("PREPARE")),
            ("SAVEPOINT a", Some("SAVEPOINT")),
            ("SELECT a FROM b", None),
            ("", None),
        ] {
            assert_eq!(reason(digest), wanted, "{digest}");
        }
    }

    #[test]
    fn reasons_are_counted_with_their_most_frequent_statement() {
        let digests = [("BEGIN", 5), ("SET @a=?", 3), ("SET @b=?", 9)];
        let counted = counted(digests.into_iter().map(|(text, count)| (text.to_owned(), count)));
        assert_eq!((counted[0].reason.as_str(), counted[0].count), ("user variable", 12));
        assert_eq!((counted[0].example.as_str(), counted[1].count), ("SET @b=?", 5));
    }
}
