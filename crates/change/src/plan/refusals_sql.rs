//! What narrows never does to a database.

use super::Forbidden;
use super::lower::Draft;
use crate::Target;
use crate::kinds::{SqlStatement, SqlVariable};

/// A value of a variable that does harm.
struct Rule {
    names: &'static [&'static str],
    is: fn(&str) -> bool,
    because: &'static str,
    instead: &'static str,
}

fn any(_: &str) -> bool {
    true
}

fn off(value: &str) -> bool {
    ["0", "off", "false", "none"].iter().any(|word| value.trim().eq_ignore_ascii_case(word))
}

fn on(value: &str) -> bool {
    !off(value)
}

const RULES: [Rule; 5] = [
    Rule {
        names: &["innodb_doublewrite", "innodb_checksum_algorithm"],
        is: off,
        because: "a page that is half written when the power fails is lost, and the tables with it",
        instead: "leave it on",
    },
    Rule {
        names: &["innodb_flush_log_at_trx_commit"],
        is: off,
        because: "a crash of the server alone then loses a second of orders that were confirmed",
        instead: "leave it at 1; 2 survives a crash of the server, though not of the machine",
    },
    Rule {
        names: &["innodb_force_recovery"],
        is: on,
        because: "it is for saving the data of a broken server, and writes are refused or do harm",
        instead: "leave it at 0",
    },
    Rule {
        names: &["local_infile", "skip_grant_tables", "skip_networking", "skip_name_resolve_host_cache"],
        is: on,
        because: "it decides who gets in, or what a client may have read",
        instead: "set it by hand as your policy says",
    },
    Rule {
        names: &[
            "init_connect",
            "init_file",
            "init_slave",
            "init_replica",
            "secure_file_priv",
            "plugin_dir",
            "datadir",
            "tmpdir",
            "general_log_file",
            "read_only",
            "super_read_only",
            "sql_log_bin",
        ],
        is: any,
        because: "it names what the server runs or where it writes, or stops writes",
        instead: "set it by hand where you know what it does here",
    },
];

/// Why a variable is not set to a value.
pub(super) fn variable(variable: &SqlVariable, value: &str) -> Option<Forbidden> {
    let name = variable.name.to_ascii_lowercase();
    let rule = RULES.iter().find(|rule| rule.names.contains(&name.as_str()) && (rule.is)(value))?;
    Some(Forbidden {
        because: format!("narrows does not set {name} to such a value: {}", rule.because),
        instead: rule.instead.to_owned(),
    })
}

/// What a statement may not begin with: what it takes away no statement brings back, or it decides who may do what.
const BEGINNINGS: [(&str, &str); 16] = [
    ("DROP TABLE", LOST),
    ("DROP DATABASE", LOST),
    ("DROP SCHEMA", LOST),
    ("TRUNCATE", LOST),
    ("RENAME TABLE", "code that names the table fails at once"),
    ("GRANT", RIGHTS),
    ("REVOKE", RIGHTS),
    ("CREATE USER", RIGHTS),
    ("ALTER USER", RIGHTS),
    ("DROP USER", RIGHTS),
    ("SET PASSWORD", RIGHTS),
    ("SHUTDOWN", "it ends the service"),
    ("KILL", "it ends somebody's work"),
    ("LOAD DATA", "it reads a file"),
    ("INSTALL", "it loads code into the server"),
    ("SET GLOBAL", "it is a variable, which is planned as one"),
];
const LOST: &str = "rows that it takes away do not come back";
const RIGHTS: &str = "it decides who may do what";

/// Why a statement is not sent.
pub(super) fn statement(statement: &SqlStatement) -> Option<Forbidden> {
    let words: Vec<_> = statement.up.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let start = words.join(" ");
    let begins = |beginning: &str| start == beginning || start.starts_with(&format!("{beginning} "));
    let (beginning, why) = BEGINNINGS.iter().find(|(beginning, _)| begins(beginning))?;
    Some(Forbidden {
        because: format!("narrows does not send {beginning}: {why}"),
        instead: "send it by hand, if it is what you want".to_owned(),
    })
}

/// A statement that nothing undoes, because none before it on its server has a way back that takes it along.
pub(super) fn without_way_back(drafts: &[Draft], draft: &Draft) -> Option<Forbidden> {
    let of = |draft: &Draft| match draft.steps.first().map(|step| step.target.clone()) {
        Some(Target::SqlStatement(statement)) => Some(statement),
        _ => None,
    };
    let statement = of(draft).filter(|statement| statement.down.is_empty())?;
    let together = |other: &&Draft| other.wish.causes.iter().any(|cause| draft.wish.causes.contains(cause));
    let before = drafts.iter().take_while(|other| other.wish.change != draft.wish.change).filter(together);
    let mut ways_back = before.filter_map(of).filter(|other| other.server == statement.server);
    if ways_back.any(|other| !other.down.is_empty()) {
        return None;
    }
    Some(Forbidden {
        because: "no statement undoes it, nor does undoing an earlier one".to_owned(),
        instead: "send it by hand, after a backup".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Access;

    fn sent(up: &str) -> Option<Forbidden> {
        let [server, down, probe] = ["s", "d", "p"].map(str::to_owned);
        statement(&SqlStatement {
            server,
            up: up.to_owned(),
            down,
            probe,
            until_no_rows: false,
            access: Access::default(),
        })
    }

    fn set(name: &str, value: &str) -> Option<Forbidden> {
        variable(
            &SqlVariable { server: "s".to_owned(), name: name.to_owned(), access: Access::default() },
            value,
        )
    }

    #[test]
    fn statements_that_lose_rows_or_rights_are_forbidden_and_their_neighbours_are_not() {
        for bad in ["drop\n table t", "TRUNCATE t", "Truncate table t", "GRANT ALL ON *.* TO x", "shutdown"] {
            assert!(sent(bad).is_some(), "{bad}");
        }
        let good =
            ["ALTER TABLE t DROP INDEX i", "CREATE TABLE t (id INT)", "UPDATE t SET a = 1", "dropping"];
        for good in good {
            assert_eq!(sent(good), None, "{good}");
        }
    }

    #[test]
    fn variables_that_lose_orders_are_forbidden_and_their_neighbours_are_not() {
        assert!(set("innodb_flush_log_at_trx_commit", "0").is_some());
        assert_eq!(set("innodb_flush_log_at_trx_commit", "1"), None);
        assert!(set("innodb_doublewrite", "OFF").is_some());
        assert_eq!(set("innodb_doublewrite", "ON"), None);
        assert!(set("INIT_CONNECT", "x").is_some());
        assert_eq!(set("max_connections", "500"), None);
    }
}
