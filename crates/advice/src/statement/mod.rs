//! Statements: which tables a query reads, and what it asks of each column.

mod block;
mod collect;
mod expression;
mod predicates;
mod prepare;
mod resolve;
#[cfg(test)]
mod tests;

use sqlparser::ast;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};

pub use block::{
    Block, BlockRole, Clause, ColumnUse, JoinKind, Key, Literal, Place, Predicate, Role, SelectItem,
    SelectList, TableUse, Wrapped,
};

use crate::{Dialect, Schema, TableDefinition};

/// How deep the parser may call itself. `prepare` bounds what it cannot see.
const RECURSION: usize = 120;

/// One statement, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// As it came.
    pub text: String,
    /// Whose SQL it was read as.
    pub dialect: Dialect,
    /// What it does.
    pub kind: StatementKind,
    /// The query blocks, the outermost first. Statements that read nothing have none.
    pub blocks: Vec<Block>,
    /// Whether the outermost blocks are a UNION, INTERSECT or EXCEPT.
    pub union: bool,
    /// The syntax tree, for those who rewrite it.
    pub ast: ast::Statement,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// SELECT, or WITH … SELECT.
    Select,
    /// INSERT.
    Insert,
    /// REPLACE.
    Replace,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// Definitions, settings, transactions.
    Other,
}

/// Why a statement could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unparsed {
    /// The parser does not know it, or it is none.
    #[error("could not parse the statement: {0}")]
    Syntax(String),
    /// It is longer than what is looked at.
    #[error("did not parse the statement: it is {0} bytes long")]
    TooLong(usize),
    /// It nests, or chains operators, deeper than what is looked at.
    #[error("did not parse the statement: its expressions nest too deep")]
    TooDeep,
    /// Several statements came where one was expected.
    #[error("expected one statement, got {0}")]
    Several(usize),
}

impl Statement {
    /// Reads one statement. Columns without a table's name are given to the only table there is;
    /// [`Statement::resolve`] knows better where the schema is known.
    ///
    /// # Errors
    /// Where it cannot be read; the caller goes by its fingerprint then, and says so.
    pub fn parse(sql: &str, dialect: &Dialect) -> Result<Self, Unparsed> {
        let tokens = prepare::tokens(sql)?;
        let mysql = MySqlDialect {};
        let mut parser =
            Parser::new(&mysql).with_recursion_limit(RECURSION).with_tokens_with_locations(tokens);
        let mut statements = parser.parse_statements().map_err(unparsed)?;
        let count = statements.len();
        let (1, Some(statement)) = (count, statements.pop()) else { return Err(Unparsed::Several(count)) };
        let collected = collect::collect(&statement);
        Ok(Self {
            text: sql.to_owned(),
            dialect: *dialect,
            kind: StatementKind::of(&statement),
            blocks: collected.blocks,
            union: collected.union,
            ast: statement,
        })
    }

    /// Reads one statement and finds the table of each column.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub fn parse_with(sql: &str, schema: &Schema) -> Result<Self, Unparsed> {
        let mut statement = Self::parse(sql, &schema.dialect)?;
        statement.resolve(schema);
        Ok(statement)
    }

    /// Finds the table of each column that is named without one, and corrects guesses.
    pub fn resolve(&mut self, schema: &Schema) {
        resolve::resolve(&mut self.blocks, schema);
    }

    /// Whether a query locks what it reads, or writes what it finds to a file or variable.
    pub fn locks(&self) -> bool {
        struct Finds(bool);
        impl ast::Visitor for Finds {
            type Break = ();
            fn pre_visit_query(&mut self, query: &ast::Query) -> std::ops::ControlFlow<()> {
                self.0 |= !query.locks.is_empty();
                std::ops::ControlFlow::Continue(())
            }
            fn pre_visit_select(&mut self, select: &ast::Select) -> std::ops::ControlFlow<()> {
                self.0 |= select.into.is_some();
                std::ops::ControlFlow::Continue(())
            }
        }
        let mut finds = Finds(false);
        let _ = ast::Visit::visit(&self.ast, &mut finds);
        finds.0
    }

    /// The outermost block.
    pub fn outer(&self) -> Option<&Block> {
        self.blocks.first()
    }

    /// A table that a block reads.
    pub fn table(&self, place: Place) -> Option<&TableUse> {
        self.blocks.get(place.block)?.tables.get(place.table)
    }

    /// The definition of a table that a block reads; `None` for derived tables and those that the schema lacks.
    pub fn definition<'a>(&self, schema: &'a Schema, place: Place) -> Option<&'a TableDefinition> {
        let table = self.table(place)?;
        match table.derived {
            Some(_) => None,
            None => schema.table(table.schema.as_deref(), &table.name),
        }
    }

    /// Every place of a table of the schema, derived tables left out.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.blocks.iter().enumerate().flat_map(|(block, read)| {
            let tables = read.tables.iter().enumerate();
            tables.filter(|(_, table)| table.derived.is_none()).map(move |(table, _)| Place { block, table })
        })
    }
}

impl StatementKind {
    fn of(statement: &ast::Statement) -> Self {
        match statement {
            ast::Statement::Query(_) => Self::Select,
            ast::Statement::Insert(insert) if insert.replace_into => Self::Replace,
            ast::Statement::Insert(_) => Self::Insert,
            ast::Statement::Update(_) => Self::Update,
            ast::Statement::Delete(_) => Self::Delete,
            _ => Self::Other,
        }
    }
}

fn unparsed(error: ParserError) -> Unparsed {
    match error {
        ParserError::RecursionLimitExceeded => Unparsed::TooDeep,
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => Unparsed::Syntax(text),
    }
}
