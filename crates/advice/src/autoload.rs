//! `schema.autoload-bloat`: options that WordPress loads on every request.
//!
//! `wp_load_alloptions()` reads every option whose `autoload` is `yes`, `on`, `auto` or `auto-on` (`wp_autoload_values_to_autoload()`
//! since WordPress 6.6; before, `yes`) into one array, on every request that no object cache serves. Site Health warns above
//! 800,000 bytes (`site_status_autoloaded_options_size_limit`).

use database::{Connection, DatabaseError};
use serde::{Deserialize, Serialize};

use crate::derived::{literal, name};
use crate::{Advice, Rewrite, Statement, Step};

/// Values of `autoload` that mean yes.
const LOADED: &str = "'yes', 'on', 'auto', 'auto-on'";
/// What Site Health calls too much, in bytes.
const TOO_MUCH: u64 = 800_000;
/// Rows above which an index on `autoload` pays: below, the table is read as fast as the index.
const MANY: u64 = 10_000;
/// The part of the rows up to which the index is any help.
const FEW: f64 = 0.3;
/// How many of the largest options are read.
const LARGEST: u32 = 20;
/// Transients that one statement switches off.
const CHUNK: u32 = 500;

/// What is loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Autoload {
    /// The table.
    pub table: String,
    /// All options.
    pub rows: u64,
    /// Those that are loaded.
    pub loaded: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Transients among them, and the bytes of those.
    pub transients: (u64, u64),
    /// Whether WordPress writes `on` and `off` (6.6 and later) rather than `yes` and `no`.
    pub since_6_6: bool,
    /// The largest: name, bytes and the value of `autoload`.
    pub largest: Vec<(String, u64, String)>,
    /// Whether an index begins with `autoload`.
    pub indexed: bool,
}

/// A transient, as a condition on `o`. Those that expire are loaded by no request of WordPress itself, but importers and plugins write such.
const TRANSIENT: &str =
    "(o.option_name LIKE '\\_transient\\_%' OR o.option_name LIKE '\\_site\\_transient\\_%')";

impl Autoload {
    /// The table of options, where a statement asks which of them are loaded.
    pub fn table_of(statement: &Statement) -> Option<String> {
        let block = statement.outer()?;
        let asks =
            block.predicates.iter().any(|predicate| predicate.column.name.eq_ignore_ascii_case("autoload"));
        let [table] = block.tables.as_slice() else { return None };
        (asks && table.name.ends_with("options")).then(|| table.name.clone())
    }

    /// Asks a server. It reads the whole table of options.
    ///
    /// # Errors
    /// When the server refuses, or does not answer before the connection's deadline.
    pub fn read(connection: &mut Connection, table: &str) -> Result<Self, DatabaseError> {
        let quoted = name(table);
        let loaded = format!("o.autoload IN ({LOADED})");
        let sums = connection.query(&format!(
            "SELECT COUNT(*), COALESCE(SUM({loaded}), 0), COALESCE(SUM(IF({loaded}, LENGTH(o.option_value), 0)), 0), \
             COALESCE(SUM({loaded} AND {TRANSIENT}), 0), COALESCE(SUM(IF({loaded} AND {TRANSIENT}, LENGTH(o.option_value), 0)), 0), \
             COALESCE(SUM(o.autoload IN ('on', 'off', 'auto', 'auto-on', 'auto-off')), 0) FROM {quoted} o"
        ))?;
        let number = |at: usize| {
            sums.rows.first().and_then(|row| row.get(at)?.as_deref()?.parse::<f64>().ok()).unwrap_or(0.0)
                as u64
        };
        let largest = connection.query(&format!(
            "SELECT o.option_name, LENGTH(o.option_value), o.autoload FROM {quoted} o WHERE {loaded} \
             ORDER BY LENGTH(o.option_value) DESC, o.option_name LIMIT {LARGEST}"
        ))?;
        let row = |row: &Vec<Option<String>>| {
            let cell = |at: usize| row.get(at).cloned().flatten();
            Some((cell(0)?, cell(1)?.parse().ok()?, cell(2)?))
        };
        let index = connection.query(&format!(
            "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {} \
             AND SEQ_IN_INDEX = 1 AND COLUMN_NAME = 'autoload'",
            literal(table)
        ))?;
        Ok(Self {
            table: table.to_owned(),
            rows: number(0),
            loaded: number(1),
            bytes: number(2),
            transients: (number(3), number(4)),
            since_6_6: number(5) > 0,
            largest: largest.rows.iter().filter_map(row).collect(),
            indexed: index.first().is_some_and(|count| count != "0"),
        })
    }

    /// The advice; `gone` are beginnings of names of options whose plugins are no longer installed. Nothing where it is not
    /// too much and no index is missing.
    pub fn advise(&self, class: &str, gone: &[String]) -> Option<Advice> {
        let heavy = self.bytes > TOO_MUCH;
        let index = !self.indexed && self.rows > MANY && (self.loaded as f64) < FEW * self.rows as f64;
        if !heavy && !index {
            return None;
        }
        let mut up = Vec::new();
        if heavy && self.transients.0 > 0 {
            up.extend(self.switch_off("transients", TRANSIENT));
        }
        for prefix in gone.iter().filter(|prefix| heavy && prefix.chars().count() >= 3) {
            let condition = format!("LEFT(o.option_name, {}) = {}", prefix.chars().count(), literal(prefix));
            up.extend(self.switch_off(&format!("options of `{prefix}`, which is gone,"), &condition));
        }
        if index {
            up.push(self.index());
        }
        let query = format!(
            "SELECT option_name, option_value FROM {} WHERE autoload IN ( {LOADED} )",
            name(&self.table)
        );
        Some(Advice {
            id: "schema.autoload-bloat".to_owned(),
            title: format!("Load fewer than {} bytes of options on every request", self.bytes),
            why: self.why(),
            classes: vec![class.to_owned()],
            rewrites: vec![Rewrite {
                class: class.to_owned(),
                before: query.clone(),
                after: query,
                differs: if heavy { vec!["options that are switched off are left out; WordPress reads them when asked".to_owned()] } else { Vec::new() },
            }],
            cautions: vec![
                "an option that is read on every request costs a query of its own once it is not loaded: leave those on".to_owned(),
                "a transient without an expiry is loaded again once it is set anew: its code must give it one".to_owned(),
                "an object cache keeps the old list until it is flushed: `wp cache delete alloptions options`".to_owned(),
            ],
            up,
            trial: None,
        })
    }

    /// Notes what was on, switches it off, and can put that back.
    fn switch_off(&self, what: &str, condition: &str) -> [Step; 2] {
        let (table, kept) = (name(&self.table), self.kept(condition));
        let quoted = name(&kept);
        let off = if self.since_6_6 { "off" } else { "no" };
        let loaded = format!("o.autoload IN ({LOADED})");
        let keep = Step::once(
            format!("note which {what} are loaded"),
            format!(
                "CREATE TABLE {quoted} (PRIMARY KEY (option_id)) ENGINE=InnoDB AS SELECT o.option_id, o.autoload FROM {table} o \
                 WHERE {loaded} AND {condition}"
            ),
            crate::derived::table_probe(&kept),
        )
        .undone_by(format!("DROP TABLE IF EXISTS {quoted}"));
        let switch = Step::repeated(
            format!("switch the loading of {what} off, {CHUNK} at a time"),
            format!(
                "UPDATE {table} o SET o.autoload = '{off}' WHERE {loaded} AND o.option_id IN (SELECT k.option_id FROM {quoted} k) \
                 LIMIT {CHUNK}"
            ),
            format!("SELECT NOT EXISTS (SELECT 1 FROM {table} o INNER JOIN {quoted} k ON k.option_id = o.option_id WHERE {loaded})"),
        )
        .undone_by(format!(
            "UPDATE {table} o INNER JOIN {quoted} k ON k.option_id = o.option_id SET o.autoload = k.autoload \
             WHERE o.autoload = '{off}'"
        ));
        [keep, switch]
    }

    fn kept(&self, condition: &str) -> String {
        crate::derived::fresh_name(&format!("{}_were_loaded", self.table), &[condition.to_owned()])
    }

    fn index(&self) -> Step {
        let probe = format!(
            "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
             AND TABLE_NAME = {} AND INDEX_NAME = 'autoload'",
            literal(&self.table)
        );
        let table = name(&self.table);
        Step::once("index `autoload`", format!("ALTER TABLE {table} ADD INDEX autoload (autoload)"), probe)
            .undone_by(format!("ALTER TABLE {table} DROP INDEX autoload"))
    }

    fn why(&self) -> Vec<String> {
        let mut why = vec![format!(
            "{} of {} options are loaded on every request: {} bytes of values; WordPress warns above {TOO_MUCH}",
            self.loaded, self.rows, self.bytes
        )];
        if self.transients.0 > 0 {
            why.push(format!("{} of them are transients, of {} bytes", self.transients.0, self.transients.1));
        }
        let largest = self.largest.iter().take(10).map(|(name, bytes, _)| format!("`{name}` {bytes}"));
        why.push(format!("the largest, in bytes: {}", largest.collect::<Vec<_>>().join(", ")));
        if !self.indexed {
            why.push("no index begins with `autoload`, so that every option is read to find them".to_owned());
        }
        why
    }
}
