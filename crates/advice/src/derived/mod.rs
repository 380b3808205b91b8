//! Tables derived from a table of entities and its table of attributes, kept by triggers.
//!
//! A derived table has one row for each entity that has one of some attributes. Every value in it is an expression over the
//! base tables; triggers compute the whole row anew whenever the attributes of an entity change, so that no order of changes
//! can leave it different from what computing it from nothing gives.

mod parts;
mod text;
mod triggers;

pub(crate) use parts::{Parts, column, replaced};
pub(crate) use text::{fresh_name, literal, name, named, sql, word};

use crate::Step;

/// How many entities a step of the backfill computes; they are locked against changes meanwhile.
const CHUNK: u32 = 1_000;

/// Tables of entities, the ends of their names, the keys; and of their attributes, with the column that refers.
const PAIRS: [Pair; 5] = [
    Pair { attributes: "postmeta", link: "post_id", entities: "posts", key: "ID", row: "meta_id" },
    Pair { attributes: "usermeta", link: "user_id", entities: "users", key: "ID", row: "umeta_id" },
    Pair { attributes: "termmeta", link: "term_id", entities: "terms", key: "term_id", row: "meta_id" },
    Pair {
        attributes: "commentmeta",
        link: "comment_id",
        entities: "comments",
        key: "comment_ID",
        row: "meta_id",
    },
    Pair { attributes: "wc_orders_meta", link: "order_id", entities: "wc_orders", key: "id", row: "id" },
];

/// A table of entities and the table of their attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) attributes: &'static str,
    pub(crate) link: &'static str,
    pub(crate) entities: &'static str,
    pub(crate) key: &'static str,
    /// The key of a row of attributes.
    pub(crate) row: &'static str,
}

impl Pair {
    /// By the two tables' names, whatever their prefix.
    pub(crate) fn of(entities: &str, attributes: &str) -> Option<Self> {
        PAIRS.into_iter().find(|pair| {
            match (entities.strip_suffix(pair.entities), attributes.strip_suffix(pair.attributes)) {
                (Some(one), Some(other)) => one == other && (one.is_empty() || one.ends_with('_')),
                _ => false,
            }
        })
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DerivedColumn {
    pub(crate) name: String,
    /// Its type and what else `CREATE TABLE` takes.
    pub(crate) definition: String,
    pub(crate) source: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A column of the entity.
    Copied(String),
    /// An expression over the entity `e`.
    Computed(String),
}

/// A derived table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DerivedTable {
    pub(crate) name: String,
    pub(crate) pair: Pair,
    pub(crate) entities: String,
    pub(crate) attributes: String,
    /// Values of `meta_key`, as literals.
    pub(crate) keys: Vec<String>,
    pub(crate) columns: Vec<DerivedColumn>,
    /// What the attributes of an entity `e` must satisfy besides for it to have a row.
    pub(crate) condition: Option<String>,
    /// Indexes as `CREATE TABLE` takes them.
    pub(crate) indexes: Vec<String>,
}

impl DerivedTable {
    /// The column that refers to the entity.
    pub(crate) fn id(&self) -> &'static str {
        self.pair.link
    }

    /// What is sent to make it, fill it and keep it.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let create =
            Step::once(format!("create the table `{}`", self.name), self.create(), table_probe(&self.name))
                .undone_by(format!("DROP TABLE IF EXISTS {}", name(&self.name)));
        let mut steps = vec![create];
        steps.extend(self.triggers());
        steps.push(Step::repeated(format!("fill it, {CHUNK} rows at a time"), self.fill(), self.filled()));
        steps
    }

    fn create(&self) -> String {
        let mut lines = vec![format!("{} bigint(20) unsigned NOT NULL", name(self.id()))];
        lines.extend(
            self.columns.iter().map(|column| format!("{} {}", name(&column.name), column.definition)),
        );
        lines.push("backfilled tinyint(1) NOT NULL DEFAULT 0".to_owned());
        lines.push(format!("PRIMARY KEY ({})", name(self.id())));
        lines.extend(self.indexes.iter().cloned());
        lines.push("KEY backfilled (backfilled)".to_owned());
        format!("CREATE TABLE {} (\n  {}\n) ENGINE=InnoDB", name(&self.name), lines.join(",\n  "))
    }

    /// The rows of entities that satisfy `which`, computed from the base tables.
    fn rows(&self, which: &str, backfilled: u8) -> String {
        self.rows_from("", which, backfilled)
    }

    fn rows_from(&self, before: &str, which: &str, backfilled: u8) -> String {
        let values = self.columns.iter().map(|column| match &column.source {
            Origin::Copied(copied) => format!("e.{}", name(copied)),
            Origin::Computed(expression) => expression.clone(),
        });
        let values = values.map(|value| format!(", {value}")).collect::<String>();
        let key = name(self.pair.key);
        let condition = self.condition.as_ref().map(|more| format!(" AND ({more})")).unwrap_or_default();
        format!(
            "SELECT e.{key}{values}, {backfilled} FROM {before}{} e WHERE {which} AND {}{condition}",
            name(&self.entities),
            self.has_any()
        )
    }

    fn head(&self) -> String {
        let columns =
            self.columns.iter().map(|column| format!(", {}", name(&column.name))).collect::<String>();
        format!("INSERT IGNORE INTO {} ({}{columns}, backfilled)", name(&self.name), name(self.id()))
    }

    /// Whether the entity `e` has an attribute of any key. `EXISTS` would have MariaDB read the attributes of all entities
    /// first, once for each chunk of a backfill.
    fn has_any(&self) -> String {
        format!(
            "(SELECT 1 FROM {} m WHERE m.{} = e.{} AND m.meta_key IN ({}) LIMIT 1) = 1",
            name(&self.attributes),
            name(self.id()),
            name(self.pair.key),
            self.keys.join(", ")
        )
    }

    /// Whether the entity `e` has an attribute: of one key or of any, whose `meta_value` satisfies a condition or any.
    pub(crate) fn has(&self, key: Option<&str>, condition: Option<&str>) -> String {
        let keys = key.map_or_else(|| self.keys.join(", "), str::to_owned);
        let condition = condition.map(|condition| format!(" AND ({condition})")).unwrap_or_default();
        format!(
            "EXISTS (SELECT 1 FROM {} m WHERE m.{} = e.{} AND m.meta_key IN ({keys}){condition})",
            name(&self.attributes),
            name(self.id()),
            name(self.pair.key)
        )
    }

    /// The value made of the entity's first attribute of a key, as an expression over `m`.
    pub(crate) fn first(&self, key: &str, value: &str) -> String {
        format!(
            "(SELECT {value} FROM {} m WHERE m.{} = e.{} AND m.meta_key = {key} ORDER BY m.{} LIMIT 1)",
            name(&self.attributes),
            name(self.id()),
            name(self.pair.key),
            name(self.pair.row)
        )
    }

    /// Statements that compute the row of one entity anew.
    pub(crate) fn refresh(&self, id: &str) -> [String; 2] {
        let rows = self.rows(&format!("e.{} = {id}", name(self.pair.key)), 0);
        [
            format!("DELETE FROM {} WHERE {} = {id}", name(&self.name), name(self.id())),
            format!("{} {rows}", self.head()),
        ]
    }

    /// The next rows. A row that a trigger made meanwhile is newer and stays.
    fn fill(&self) -> String {
        let key = name(self.pair.key);
        let rows = self.rest();
        format!(
            "{} {rows} ORDER BY e.{key} LIMIT {CHUNK} ON DUPLICATE KEY UPDATE backfilled = 1",
            self.head()
        )
    }

    /// Rows beyond those that are filled. How far that is comes as a derived table of one row: as a subquery, the server
    /// would read the keys from the first in every chunk, or all of the rest before it takes the chunk.
    fn rest(&self) -> String {
        let done = format!(
            "(SELECT COALESCE(MAX({}), 0) AS id FROM {} WHERE backfilled = 1) done INNER JOIN ",
            name(self.id()),
            name(&self.name)
        );
        self.rows_from(&done, &format!("e.{} > done.id", name(self.pair.key)), 1)
    }

    fn filled(&self) -> String {
        format!("SELECT NOT EXISTS ({})", self.rest())
    }

    /// How many rows differ from what computing them from nothing gives; 0 while the triggers keep up.
    pub(crate) fn check(&self) -> String {
        let list = |columns: &str| format!("SELECT {columns} FROM");
        let names = self.columns.iter().map(|column| name(&column.name));
        let names = std::iter::once(name(self.id())).chain(names).collect::<Vec<_>>().join(", ");
        let table = name(&self.name);
        let computed = self.rows("1 = 1", 0);
        let columns = self.columns.iter().enumerate().map(|(at, _)| format!("c{at}"));
        let computed_names = std::iter::once("id".to_owned()).chain(columns).collect::<Vec<_>>().join(", ");
        format!(
            "WITH computed (id, {}backfilled) AS ({computed}), differing AS (({} {table} EXCEPT {} computed) UNION ALL \
             ({} computed EXCEPT {} {table})) SELECT COUNT(*) FROM differing",
            (0..self.columns.len()).map(|at| format!("c{at}, ")).collect::<String>(),
            list(&names),
            list(&computed_names),
            list(&computed_names),
            list(&names),
        )
    }
}

/// 1 once the table is there.
pub(crate) fn table_probe(table: &str) -> String {
    format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {}",
        literal(table)
    )
}
