//! What a statement may say in a trial.
//!
//! A statement of a log, or of an advice, is sent to the copies only. It must not reach beyond them: names that are
//! qualified by the source's schema lose that, any other schema's name is refused, and so is whatever writes files,
//! hides its text, or changes the server.

use std::collections::BTreeSet;

use super::tokens::{Kind, Token, tokens};

/// What a permitted statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It reads rows.
    Reads,
    /// It changes rows.
    Changes,
    /// It changes tables.
    Defines,
}

/// By what a statement is judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Permit {
    /// The schema that the copies stand for.
    pub(super) source: String,
    /// The tables that are copied, in lower case.
    pub(super) tables: BTreeSet<String>,
    /// Every schema of the server, in lower case.
    pub(super) schemas: BTreeSet<String>,
    /// Whether a backslash escapes within strings.
    pub(super) escapes: bool,
}

/// Words that reach beyond the copies wherever they stand.
const NEVER: [&str; 12] = [
    "outfile",
    "dumpfile",
    "load_file",
    "directory",
    "get_lock",
    "release_lock",
    "master_pos_wait",
    "sleep",
    "benchmark",
    "definer",
    "tablespace",
    "connection",
];

/// Schemas of the server itself that a query may read.
const READABLE: [&str; 1] = ["information_schema"];

impl Permit {
    /// The statement with names that mean the copies, or why it is not sent.
    pub(super) fn check(&self, statement: &str) -> Result<(String, Deed), String> {
        let found = tokens(statement, self.escapes);
        let deed = deed(&found)?;
        for (at, token) in found.iter().enumerate() {
            let called =
                |word: &&str| token.kind == Kind::Name && token.is(word) && !between_dots(&found, at);
            if let Some(word) = NEVER.iter().find(|word| called(word)) {
                return Err(format!("it says {}", word.to_uppercase()));
            }
            if token.kind == Kind::Hidden {
                return Err("it has a comment that the server executes".to_owned());
            }
            let body = deed == Deed::Defines && found.get(1).is_some_and(|second| second.is("trigger"));
            if token.text == ";" && at + 1 < found.len() && !body {
                return Err("it is more than one statement".to_owned());
            }
            if token.is("engine") && deed == Deed::Defines {
                engine(&found, at)?;
            }
        }
        let cut = self.qualifiers(&found, deed)?;
        let mut text = statement.trim_end().trim_end_matches(';').to_owned();
        for (start, end) in cut.into_iter().rev() {
            if text.is_char_boundary(start) && text.is_char_boundary(end) && end <= text.len() {
                text.replace_range(start..end, "");
            }
        }
        Ok((text, deed))
    }

    /// The places of `schema.` before the name of a copied table.
    fn qualifiers(&self, found: &[Token<'_>], deed: Deed) -> Result<Vec<(usize, usize)>, String> {
        let mut cut = Vec::new();
        for (at, window) in found.windows(3).enumerate() {
            let [schema, dot, table] = window else { continue };
            let first = at
                .checked_sub(1)
                .and_then(|before| found.get(before))
                .is_none_or(|before| before.text != ".");
            if dot.text != "." || schema.kind == Kind::Sign || !first {
                continue;
            }
            let name = schema.name();
            if name == self.source.to_lowercase() {
                if self.tables.contains(&table.name()) {
                    cut.push((schema.start, table.start));
                } else if deed != Deed::Reads {
                    return Err(format!("it names `{name}`.{}, which is not copied", table.text));
                }
            } else if self.schemas.contains(&name)
                && !(deed == Deed::Reads && READABLE.contains(&name.as_str()))
            {
                return Err(format!("it names the schema `{name}`"));
            }
        }
        Ok(cut)
    }
}

fn between_dots(found: &[Token<'_>], at: usize) -> bool {
    let dot = |token: Option<&Token<'_>>| token.is_some_and(|token| token.text == ".");
    dot(at.checked_sub(1).and_then(|before| found.get(before)))
}

fn deed(found: &[Token<'_>]) -> Result<Deed, String> {
    let word = |at: usize| found.get(at).map(|token| token.text.to_lowercase()).unwrap_or_default();
    let mut second = 1;
    while matches!(
        word(second).as_str(),
        "or" | "replace" | "unique" | "spatial" | "fulltext" | "online" | "ignore"
    ) {
        second += 1;
    }
    let thing = word(second);
    let first =
        found.iter().map(|token| token.text).find(|text| *text != "(").unwrap_or_default().to_lowercase();
    match first.as_str() {
        "select" | "with" => Ok(Deed::Reads),
        "insert" | "replace" | "update" | "delete" => Ok(Deed::Changes),
        "create" | "drop" if matches!(thing.as_str(), "table" | "index" | "trigger") => Ok(Deed::Defines),
        "alter" | "analyze" | "optimize" if thing == "table" => Ok(Deed::Defines),
        _ => Err(format!("`{} {}` is not tried", word(0), word(1))),
    }
}

/// Engines whose tables are the copies' own; others may stand for tables elsewhere.
fn engine(found: &[Token<'_>], at: usize) -> Result<(), String> {
    let named = found.iter().skip(at + 1).find(|token| token.text != "=");
    match named {
        Some(name) if ["innodb", "aria", "myisam", "memory"].contains(&name.name().as_str()) => Ok(()),
        Some(name) => Err(format!("it uses the engine {}", name.text)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit() -> Permit {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let schemas = set(&["shop", "mysql", "crm", "information_schema"]);
        Permit { source: "shop".into(), tables: set(&["wp_posts"]), schemas, escapes: true }
    }

    #[test]
    fn the_sources_schema_is_taken_from_names_of_copied_tables() {
        let (text, deed) = permit()
            .check("SELECT shop.wp_posts.ID FROM `shop` . `wp_posts` WHERE x = 'shop.wp_posts';")
            .unwrap();
        assert_eq!(text, "SELECT wp_posts.ID FROM `wp_posts` WHERE x = 'shop.wp_posts'");
        assert_eq!(deed, Deed::Reads);
        assert!(
            permit().check("SELECT shop.ID FROM wp_posts shop").is_ok(),
            "an alias may be called like the schema"
        );
    }

    #[test]
    fn whatever_reaches_beyond_the_copies_is_refused() {
        for statement in [
            "DROP DATABASE shop",
            "DROP TABLE crm.customers",
            "DELETE FROM shop.wp_users",
            "ALTER TABLE wp_posts RENAME TO mysql.x",
            "ALTER TABLE wp_posts ENGINE=FEDERATED CONNECTION='mysql://x'",
            "CREATE TABLE x (a int) ENGINE = CONNECT",
            "CREATE DEFINER=root@localhost TRIGGER t BEFORE INSERT ON wp_posts FOR EACH ROW SET @a = 1",
            "SELECT * FROM wp_posts INTO OUTFILE '/tmp/x'",
            "SELECT load_file('/etc/passwd')",
            "SELECT 1 /*!, (SELECT 1 FROM crm.x) */",
            "SELECT 1; DROP TABLE wp_posts",
            "SELECT * FROM `mysql`.user",
            "SELECT * FROM \"mysql\".user",
            "SET GLOBAL read_only = 0",
            "GRANT ALL ON *.* TO x",
            "LOCK TABLES wp_posts WRITE",
            "CALL crm.p()",
            "CREATE PROCEDURE p() SELECT 1",
            "USE crm",
            "LOAD DATA INFILE 'x' INTO TABLE wp_posts",
            "",
        ] {
            assert!(permit().check(statement).is_err(), "{statement}");
        }
    }

    #[test]
    fn statements_of_advice_are_permitted() {
        for statement in [
            "ALTER TABLE wp_posts ADD INDEX a (b)",
            "CREATE SPATIAL INDEX a ON wp_posts (b)",
            "CREATE TRIGGER t AFTER INSERT ON wp_posts FOR EACH ROW BEGIN DELETE FROM x WHERE a = NEW.ID; SET @a = 1; END",
            "DROP TRIGGER IF EXISTS t",
            "INSERT INTO x SELECT ID FROM wp_posts ON DUPLICATE KEY UPDATE a = VALUES(a)",
            "(SELECT 1) UNION (SELECT 2)",
            "SELECT COUNT(*) FROM information_schema.statistics",
            "SELECT p.connection FROM wp_posts p",
        ] {
            assert!(permit().check(statement).is_ok(), "{statement}: {:?}", permit().check(statement));
        }
    }
}
