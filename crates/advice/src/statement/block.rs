//! What a query block asks for: tables, columns by role, order and limits.

use serde::{Deserialize, Serialize};

/// One SELECT, or what an UPDATE or DELETE reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// What it is within the statement.
    pub role: BlockRole,
    /// The block around it.
    pub parent: Option<usize>,
    /// Its tables, in the order they are named.
    pub tables: Vec<TableUse>,
    /// The SELECT list.
    pub select: SelectList,
    /// What rows must satisfy, one entry for each condition on a column.
    pub predicates: Vec<Predicate>,
    /// GROUP BY.
    pub group_by: Vec<Key>,
    /// HAVING as it is written.
    pub having: Option<String>,
    /// ORDER BY.
    pub order_by: Vec<Key>,
    /// DISTINCT.
    pub distinct: bool,
    /// `SQL_CALC_FOUND_ROWS`.
    pub found_rows: bool,
    /// `LIMIT`, where it is a number.
    pub limit: Option<u64>,
    /// `OFFSET`, where it is a number.
    pub offset: Option<u64>,
    /// Every column that the block mentions, once; stars are in [`SelectList`].
    pub columns: Vec<ColumnUse>,
}

/// What a block is within its statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BlockRole {
    /// The statement itself.
    #[default]
    Outer,
    /// A further SELECT of a UNION (or INTERSECT, EXCEPT).
    Union,
    /// `column IN (SELECT …)`, or `NOT IN`.
    In {
        /// NOT IN.
        negated: bool,
    },
    /// `EXISTS (SELECT …)`, or `NOT EXISTS`.
    Exists {
        /// NOT EXISTS.
        negated: bool,
    },
    /// A subquery of one value.
    Scalar,
    /// A table of its own, under this alias.
    Derived(String),
    /// `WITH name AS (…)`.
    Cte(String),
}

/// A table that a block reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableUse {
    /// The schema, where it is named.
    pub schema: Option<String>,
    /// The table; empty for a derived table.
    pub name: String,
    /// The name that columns use: the alias, or the table's name.
    pub alias: String,
    /// How it is joined to those before it.
    pub join: JoinKind,
    /// The block that it is, for derived tables and common table expressions.
    pub derived: Option<usize>,
    /// Indexes that the query forces, advises or forbids, as written.
    pub hints: Vec<String>,
}

/// How a table is joined to those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JoinKind {
    /// It is the first.
    #[default]
    First,
    /// INNER JOIN, or JOIN.
    Inner,
    /// LEFT JOIN.
    Left,
    /// RIGHT JOIN.
    Right,
    /// A comma, or CROSS JOIN.
    Cross,
    /// STRAIGHT_JOIN.
    Straight,
}

/// Where a table stands: the block, and the table within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The block in [`Statement::blocks`](super::Statement::blocks).
    pub block: usize,
    /// The table in [`Block::tables`].
    pub table: usize,
}

/// A column that is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnUse {
    /// The table it belongs to; `None` while that is not known.
    pub place: Option<Place>,
    /// The column.
    pub name: String,
}

/// What a SELECT gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SelectList {
    /// `*`.
    pub star: bool,
    /// `table.*`, by the table's place in the block.
    pub table_stars: Vec<usize>,
    /// Everything else.
    pub items: Vec<SelectItem>,
}

/// One expression of a SELECT list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SelectItem {
    /// As written.
    pub text: String,
    /// The name after AS.
    pub alias: Option<String>,
    /// The column, where it is nothing else.
    pub column: Option<ColumnUse>,
    /// Whether it aggregates rows.
    pub aggregate: bool,
}

/// An element of GROUP BY or ORDER BY.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Key {
    /// As written.
    pub text: String,
    /// The column, where it is one (under whatever alias).
    pub column: Option<ColumnUse>,
    /// Whether it descends.
    pub descending: bool,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// The column.
    pub column: ColumnUse,
    /// What it asks of the column.
    pub role: Role,
    /// Where it is written.
    pub clause: Clause,
    /// Whether rows must satisfy it, whatever else: it is joined to the rest by AND only. An index can serve only such.
    pub required: bool,
    /// As written.
    pub text: String,
}

/// Where a condition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// WHERE, or ON of an inner join, which is the same.
    Where,
    /// ON of an outer join: it narrows what is read of this table of the block, and no other.
    OuterJoin(usize),
    /// HAVING.
    Having,
}

/// What a condition asks of its column.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// `column = constant`.
    Equal(Literal),
    /// `column IN (constants)`, or equalities joined by OR.
    In(Vec<Literal>),
    /// `<`, `<=`, `>`, `>=`, BETWEEN: the operator as written, and the bounds.
    Range(String, Vec<Literal>),
    /// `LIKE 'beginning%'`: the beginning.
    LikePrefix(String),
    /// `LIKE '%…'`: the pattern.
    LikeAnywhere(String),
    /// IS NULL, or `<=> NULL`.
    IsNull,
    /// IS NOT NULL, `<>`, NOT IN, NOT LIKE: no index narrows much by that.
    Not,
    /// `column = column of another table`.
    Join(ColumnUse),
    /// `column IN (SELECT …)`: the block of the subquery.
    InBlock(usize),
    /// A function or arithmetic on the column is compared.
    Wrapped(Wrapped),
    /// Anything else: REGEXP, MATCH, comparison with a column of the same table or with a subquery.
    Other,
}

/// A comparison of something made of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wrapped {
    /// What is made of it: `YEAR(post_date)`, `CAST(meta_value AS SIGNED)`.
    pub expression: String,
    /// The function in upper case, `CAST`, `COLLATE`, or the operator.
    pub function: String,
    /// The type that CAST or CONVERT names, or the collation.
    pub target: Option<String>,
    /// The operator: `=`, `<`, `BETWEEN`, `IN`, `LIKE`.
    pub operator: String,
    /// The constants it is compared with; empty where it is compared with something else.
    pub with: Vec<Literal>,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// A number as written.
    Number(String),
    /// Text, without quotes.
    Text(String),
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// `?`, or a fingerprint's blank.
    Parameter,
    /// An expression without columns, as `NOW() - INTERVAL 1 DAY`.
    Expression(String),
}

impl Role {
    /// Whether an index can look its values up directly: equality with constants.
    pub fn is_equality(&self) -> bool {
        matches!(self, Self::Equal(_) | Self::In(_) | Self::IsNull)
    }

    /// Whether an index can read one stretch for it.
    pub fn is_range(&self) -> bool {
        matches!(self, Self::Range(..) | Self::LikePrefix(_))
    }
}

impl Block {
    /// The conditions that narrow what is read of a table: required ones, and those of its own outer join.
    pub fn narrowing(&self, place: Place) -> impl Iterator<Item = &Predicate> {
        self.predicates.iter().filter(move |predicate| {
            let clause = match predicate.clause {
                Clause::Where => true,
                Clause::OuterJoin(table) => table == place.table,
                Clause::Having => false,
            };
            predicate.column.place == Some(place) && predicate.required && clause
        })
    }

    /// Whether everything of a table is selected: `*` or `table.*`.
    pub fn selects_star_of(&self, table: usize) -> bool {
        self.select.star || self.select.table_stars.contains(&table)
    }

    /// Names of the columns of a table that the block mentions, each once.
    pub fn columns_of(&self, place: Place) -> impl Iterator<Item = &str> {
        self.columns
            .iter()
            .filter(move |column| column.place == Some(place))
            .map(|column| column.name.as_str())
    }
}
