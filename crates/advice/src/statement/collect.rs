//! From the syntax tree to blocks.

use sqlparser::ast::{
    self, Distinct, Expr, FromTable, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, OrderByExpr,
    OrderByKind, OrderBySort, Query, Select, SelectItem as Item, SelectItemQualifiedWildcardKind, SetExpr,
    TableFactor, TableWithJoins,
};

use super::expression::{self, Named, Use, bare, last};
use super::{
    Block, BlockRole, Clause, ColumnUse, JoinKind, Key, Literal, Place, Predicate, Role, SelectItem,
    TableUse, predicates,
};

/// The most columns that are kept for a block; more than a table can have.
const COLUMNS: usize = 4096;

/// The blocks as they are collected.
#[derive(Default)]
pub(super) struct Collector {
    pub(super) blocks: Vec<Block>,
    pub(super) union: bool,
    /// Common table expressions that are in sight, the nearest last.
    named: Vec<(String, usize)>,
}

/// Collects the blocks of a statement.
pub(super) fn collect(statement: &ast::Statement) -> Collector {
    let mut collector = Collector::default();
    match statement {
        ast::Statement::Query(query) => {
            collector.query(query, BlockRole::Outer, None);
        }
        ast::Statement::Insert(insert) => {
            if let Some(source) =
                insert.source.as_deref().filter(|source| !matches!(*source.body, SetExpr::Values(_)))
            {
                collector.query(source, BlockRole::Outer, None);
            }
        }
        ast::Statement::Update(update) => {
            let block = collector.open(BlockRole::Outer, None);
            collector.from(block, &update.table);
            collector.changes(block, update.selection.as_ref(), &update.order_by, update.limit.as_ref());
        }
        ast::Statement::Delete(delete) => {
            let block = collector.open(BlockRole::Outer, None);
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            for tables in delete.using.as_ref().unwrap_or(from) {
                collector.from(block, tables);
            }
            collector.changes(block, delete.selection.as_ref(), &delete.order_by, delete.limit.as_ref());
        }
        _ => {}
    }
    collector
}

impl Collector {
    fn open(&mut self, role: BlockRole, parent: Option<usize>) -> usize {
        self.blocks.push(Block { role, parent, ..Block::default() });
        self.blocks.len() - 1
    }

    /// A query, and the number of its first block.
    fn query(&mut self, query: &Query, role: BlockRole, parent: Option<usize>) -> usize {
        let (first, known) = (self.blocks.len(), self.named.len());
        let has_with = query.with.is_some();
        // The outermost block comes first, also where common table expressions are written before it.
        let place = has_with.then(|| self.open(role.clone(), parent));
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.clone();
            let block = self.blocks.len();
            self.named.push((name.clone(), block));
            self.query(&cte.query, BlockRole::Cte(name), place);
        }
        self.body(&query.body, role, parent, place);
        let single = matches!(*query.body, SetExpr::Select(_));
        if single {
            self.order_and_limit(first, query);
        }
        self.named.truncate(known);
        first
    }

    fn body(&mut self, body: &SetExpr, role: BlockRole, parent: Option<usize>, place: Option<usize>) {
        match body {
            SetExpr::Select(select) => {
                let block = place.unwrap_or_else(|| self.open(role, parent));
                self.select(block, select);
            }
            SetExpr::Query(query) => {
                self.query(query, role, parent);
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.union |= role == BlockRole::Outer;
                self.body(left, role, parent, place);
                self.body(right, BlockRole::Union, parent, None);
            }
            _ => {}
        }
    }

    fn select(&mut self, block: usize, select: &Select) {
        for tables in &select.from {
            self.from(block, tables);
        }
        for item in &select.projection {
            self.item(block, item);
        }
        if let Some(condition) = &select.selection {
            self.condition(block, Clause::Where, condition);
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            for key in keys {
                let key = self.key(block, key, false);
                self.change(block, |block| block.group_by.push(key));
            }
        }
        if let Some(condition) = &select.having {
            self.condition(block, Clause::Having, condition);
            self.change(block, |block| block.having = Some(condition.to_string()));
        }
        let distinct = matches!(select.distinct, Some(Distinct::Distinct));
        let found_rows =
            select.select_modifiers.as_ref().is_some_and(|modifiers| modifiers.sql_calc_found_rows);
        self.change(block, |block| (block.distinct, block.found_rows) = (distinct, found_rows));
    }

    fn change(&mut self, block: usize, with: impl FnOnce(&mut Block)) {
        if let Some(block) = self.blocks.get_mut(block) {
            with(block);
        }
    }

    fn condition(&mut self, block: usize, clause: Clause, condition: &Expr) {
        self.mention(block, condition);
        predicates::add(self, block, clause, condition);
        for (condition, number) in self.subqueries(block, condition) {
            let Some((_, text)) = condition else { continue };
            self.change(block, |block| {
                let mut known = block.predicates.iter_mut();
                if let Some(known) = known.find(|known| known.text == text && known.role == Role::Other) {
                    known.role = Role::InBlock(number);
                }
            });
        }
    }

    /// Opens a block for each subquery of an expression; returns their numbers, and for `column IN (SELECT …)` that condition.
    fn subqueries<T: ast::Visit>(
        &mut self,
        block: usize,
        expression: &T,
    ) -> Vec<(Option<(Named, String)>, usize)> {
        let found = expression::subqueries(expression);
        let opened = found.into_iter().map(|found| {
            let role = match found.used {
                Use::In { negated } => BlockRole::In { negated },
                Use::Exists { negated } => BlockRole::Exists { negated },
                Use::Scalar => BlockRole::Scalar,
            };
            (found.condition, self.query(&found.query, role, Some(block)))
        });
        opened.collect()
    }

    /// Notes the columns of an expression.
    fn mention<T: ast::Visit>(&mut self, block: usize, expression: &T) {
        for named in expression::columns(expression) {
            let column = self.column(block, &named);
            self.change(block, |block| {
                if block.columns.len() < COLUMNS && !block.columns.contains(&column) {
                    block.columns.push(column);
                }
            });
        }
    }

    /// The column that is meant, as far as the statement says it.
    pub(super) fn column(&self, block: usize, named: &Named) -> ColumnUse {
        let place = match &named.table {
            Some(table) => self.place(block, table),
            None => self.only_table(block),
        };
        ColumnUse { place, name: named.column.clone() }
    }

    fn place(&self, block: usize, alias: &str) -> Option<Place> {
        let mut next = Some(block);
        while let Some(number) = next {
            let block = self.blocks.get(number)?;
            if let Some(table) = block.tables.iter().position(|table| table.alias.eq_ignore_ascii_case(alias))
            {
                return Some(Place { block: number, table });
            }
            next = block.parent;
        }
        None
    }

    fn only_table(&self, block: usize) -> Option<Place> {
        let tables = &self.blocks.get(block)?.tables;
        (tables.len() == 1).then_some(Place { block, table: 0 })
    }

    fn from(&mut self, block: usize, tables: &TableWithJoins) {
        let first = self.blocks.get(block).is_none_or(|block| block.tables.is_empty());
        self.table(block, &tables.relation, if first { JoinKind::First } else { JoinKind::Cross });
        for join in &tables.joins {
            let (kind, constraint) = joined(&join.join_operator);
            let before = self.blocks.get(block).map_or(0, |block| block.tables.len());
            self.table(block, &join.relation, kind);
            match constraint {
                Some(JoinConstraint::On(condition)) => {
                    let clause = match kind {
                        JoinKind::Left => Clause::OuterJoin(before),
                        // What a RIGHT JOIN narrows is what stands before it, which may be several tables.
                        JoinKind::Right => Clause::OuterJoin(before.saturating_sub(1)),
                        _ => Clause::Where,
                    };
                    self.condition(block, clause, condition);
                }
                Some(JoinConstraint::Using(columns)) => {
                    for column in columns {
                        self.using(block, before, &last(column));
                    }
                }
                _ => {}
            }
        }
    }

    /// `USING (column)`: the same column of the table before and of this one.
    fn using(&mut self, block: usize, table: usize, name: &str) {
        let at = |table| ColumnUse { place: Some(Place { block, table }), name: name.to_owned() };
        let (left, right) = (at(table.saturating_sub(1)), at(table));
        for (column, other) in [(&left, &right), (&right, &left)] {
            let predicate = Predicate {
                column: column.clone(),
                role: Role::Join(other.clone()),
                clause: Clause::Where,
                required: true,
                text: format!("USING({name})"),
            };
            self.change(block, |block| {
                block.predicates.push(predicate);
                block.columns.push(column.clone());
            });
        }
    }

    fn table(&mut self, block: usize, factor: &TableFactor, join: JoinKind) {
        let used = match factor {
            TableFactor::Table { name, alias, index_hints, .. } => {
                let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
                let table = parts.next().map(|ident| ident.value.clone()).unwrap_or_default();
                let schema = parts.next().map(|ident| ident.value.clone());
                let alias = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.value.clone());
                let derived = match &schema {
                    None => self.named.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(&table)),
                    Some(_) => None,
                };
                let derived = derived.map(|(_, block)| *block);
                let hints = index_hints.iter().map(ToString::to_string).collect();
                TableUse { schema, name: table, alias, join, derived, hints }
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let alias = alias.as_ref().map(|alias| alias.name.value.clone()).unwrap_or_default();
                let derived = self.query(subquery, BlockRole::Derived(alias.clone()), Some(block));
                TableUse { alias, join, derived: Some(derived), ..TableUse::default() }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => return self.from(block, table_with_joins),
            other => {
                TableUse { alias: other.to_string(), join, derived: Some(usize::MAX), ..TableUse::default() }
            }
        };
        self.change(block, |block| block.tables.push(used));
    }

    fn item(&mut self, block: usize, item: &Item) {
        let (expression, alias) = match item {
            Item::UnnamedExpr(expression) => (expression, None),
            Item::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
            Item::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                if let Some(place) = self.place(block, &last(name)) {
                    self.change(block, |block| block.select.table_stars.push(place.table));
                }
                return;
            }
            Item::Wildcard(_) => return self.change(block, |block| block.select.star = true),
            _ => return,
        };
        self.mention(block, expression);
        self.subqueries(block, expression);
        let item = SelectItem {
            text: expression.to_string(),
            alias,
            column: expression::column(expression).map(|named| self.column(block, &named)),
            aggregate: expression::aggregates(expression),
        };
        self.change(block, |block| block.select.items.push(item));
    }

    fn key(&mut self, block: usize, expression: &Expr, descending: bool) -> Key {
        let text = expression.to_string();
        let items = self.blocks.get(block).map(|block| block.select.items.as_slice()).unwrap_or_default();
        let of_alias = match bare(expression) {
            Expr::Identifier(ident) => {
                let alias = |item: &&SelectItem| {
                    item.alias.as_ref().is_some_and(|a| a.eq_ignore_ascii_case(&ident.value))
                };
                items.iter().find(alias)
            }
            Expr::Value(value) => {
                value.to_string().parse::<usize>().ok().and_then(|at| items.get(at.checked_sub(1)?))
            }
            _ => None,
        };
        if let Some(item) = of_alias {
            return Key { text, column: item.column.clone(), descending };
        }
        self.mention(block, expression);
        self.subqueries(block, expression);
        Key {
            text,
            column: expression::column(expression).map(|named| self.column(block, &named)),
            descending,
        }
    }

    fn order_and_limit(&mut self, block: usize, query: &Query) {
        if let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind) {
            self.order(block, keys);
        }
        let (limit, offset) = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref().and_then(number), offset.as_ref().and_then(|offset| number(&offset.value)))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (number(limit), number(offset)),
            None => (None, None),
        };
        self.change(block, |block| (block.limit, block.offset) = (limit, offset));
    }

    fn order(&mut self, block: usize, keys: &[OrderByExpr]) {
        for key in keys {
            let descending = matches!(key.options.sort, Some(OrderBySort::Desc));
            let key = self.key(block, &key.expr, descending);
            self.change(block, |block| block.order_by.push(key));
        }
    }

    fn changes(
        &mut self,
        block: usize,
        selection: Option<&Expr>,
        order: &[OrderByExpr],
        limit: Option<&Expr>,
    ) {
        if let Some(condition) = selection {
            self.condition(block, Clause::Where, condition);
        }
        self.order(block, order);
        self.change(block, |block| block.limit = limit.and_then(number));
    }
}

fn number(expression: &Expr) -> Option<u64> {
    match expression::literal(expression)? {
        Literal::Number(number) => number.parse().ok(),
        _ => None,
    }
}

fn joined(operator: &JoinOperator) -> (JoinKind, Option<&JoinConstraint>) {
    match operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) => (JoinKind::Inner, Some(on)),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinKind::Left, Some(on)),
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinKind::Right, Some(on)),
        JoinOperator::StraightJoin(on) => (JoinKind::Straight, Some(on)),
        JoinOperator::CrossJoin(on) => (JoinKind::Cross, Some(on)),
        _ => (JoinKind::Cross, None),
    }
}
