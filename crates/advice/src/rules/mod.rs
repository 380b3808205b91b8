//! The rules, one problem each. A rule that lacks what it must know says nothing: false advice is worse than none.

mod cast_on_column;
mod deep_offset;
mod found_rows;
mod function_on_column;
mod in_subquery;
mod index;
mod leading_wildcard;
mod missing_index;
mod redundant_index;
mod star_breaks_covering;
#[cfg(test)]
mod tests;
mod unused_index;

use crate::{Advice, Dialect, Schema, Statement, Unparsed};

/// Tables with fewer rows are read fast enough whatever the index.
const FEW_ROWS: u64 = 1000;

/// A class of queries, or one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its class ID, 32 hexadecimal digits.
    pub class: String,
    /// The statement: of a class, its worst.
    pub sql: String,
    /// The statement, read.
    pub statement: Result<Statement, Unparsed>,
    /// What the log says of it.
    pub figures: Figures,
}

/// What a log says of a class of queries.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// How often it came.
    pub count: u64,
    /// Seconds, all together.
    pub time_s: f64,
    /// Rows examined each time, on average.
    pub rows_examined: Option<f64>,
    /// Rows sent each time, on average.
    pub rows_sent: Option<f64>,
}

/// What rules go by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The queries.
    pub queries: &'a [Query],
    /// The tables, as far as they are known.
    pub schema: &'a Schema,
}

/// A rule: advice on a case.
pub type Rule = fn(&Case) -> Vec<Advice>;

/// The rules with their identities.
pub const RULES: &[(&str, Rule)] = &[
    ("index.missing", missing_index::advise),
    ("index.redundant", redundant_index::advise),
    ("index.unused", unused_index::advise),
    ("query.found-rows", found_rows::advise),
    ("query.deep-offset", deep_offset::advise),
    ("query.leading-wildcard", leading_wildcard::advise),
    ("query.function-on-column", function_on_column::advise),
    ("query.cast-on-column", cast_on_column::advise),
    ("query.star-breaks-covering", star_breaks_covering::advise),
    ("query.in-subquery", in_subquery::advise),
];

impl Query {
    /// Reads a query, with the schema where it is known.
    pub fn new(class: impl Into<String>, sql: impl Into<String>, schema: &Schema, figures: Figures) -> Self {
        let sql = sql.into();
        let statement = Statement::parse_with(&sql, schema);
        Self { class: class.into(), sql, statement, figures }
    }
}

impl<'a> Case<'a> {
    /// The queries that could be read, with what they say.
    pub fn read(&self) -> impl Iterator<Item = (&'a Query, &'a Statement)> {
        self.queries.iter().filter_map(|query| Some((query, query.statement.as_ref().ok()?)))
    }

    /// Whose SQL it is.
    pub fn dialect(&self) -> Dialect {
        self.schema.dialect
    }

    /// Seconds that the queries of a piece of advice took.
    pub fn time_at_stake(&self, advice: &Advice) -> f64 {
        let of = |class: &String| self.queries.iter().find(|query| query.class == *class);
        advice.classes.iter().filter_map(of).map(|query| query.figures.time_s).sum()
    }
}

/// Applies rules, joins what says the same, and puts first what most time is at stake for.
pub fn advise(case: &Case, rules: &[(&str, Rule)]) -> Vec<Advice> {
    let mut all: Vec<Advice> = Vec::new();
    for advice in rules.iter().flat_map(|(_, rule)| rule(case)) {
        let same = |known: &&mut Advice| {
            known.id == advice.id
                && known.up == advice.up
                && (!known.up.is_empty() || known.title == advice.title)
        };
        match all.iter_mut().find(same) {
            Some(known) => join(known, advice),
            None => all.push(advice),
        }
    }
    all.sort_by(|a, b| case.time_at_stake(b).total_cmp(&case.time_at_stake(a)));
    all
}

fn join(known: &mut Advice, mut other: Advice) {
    fn add<T: PartialEq>(known: &mut Vec<T>, other: &mut Vec<T>) {
        for one in other.drain(..) {
            if !known.contains(&one) {
                known.push(one);
            }
        }
    }
    add(&mut known.classes, &mut other.classes);
    add(&mut known.why, &mut other.why);
    add(&mut known.rewrites, &mut other.rewrites);
    add(&mut known.cautions, &mut other.cautions);
}
