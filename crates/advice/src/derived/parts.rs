//! A query taken apart: tables, conditions, and the rest.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, BinaryOperator, Expr, JoinConstraint, JoinOperator, Query, Select, SetExpr, TableFactor, VisitMut,
    VisitorMut,
};

use crate::Statement;

/// One SELECT over tables that are all joined inwards.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) query: Query,
    /// Table and alias.
    pub(crate) tables: Vec<(String, String)>,
    /// What rows must satisfy: WHERE and the conditions of the joins.
    pub(crate) conditions: Vec<Expr>,
}

impl Parts {
    /// `None` for whatever is not one such SELECT.
    pub(crate) fn of(statement: &Statement) -> Option<Self> {
        let ast::Statement::Query(query) = &statement.ast else { return None };
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        if query.with.is_some() || !query.locks.is_empty() || statement.blocks.len() != 1 {
            return None;
        }
        let mut parts = Self { query: query.as_ref().clone(), tables: Vec::new(), conditions: Vec::new() };
        for from in &select.from {
            parts.table(&from.relation)?;
            for join in &from.joins {
                parts.table(&join.relation)?;
                match &join.join_operator {
                    JoinOperator::Join(JoinConstraint::On(on))
                    | JoinOperator::Inner(JoinConstraint::On(on)) => parts.split(on),
                    JoinOperator::Join(JoinConstraint::None)
                    | JoinOperator::Inner(JoinConstraint::None)
                    | JoinOperator::CrossJoin(JoinConstraint::None) => {}
                    _ => return None,
                }
            }
        }
        if let Some(condition) = &select.selection {
            parts.split(condition);
        }
        Some(parts)
    }

    pub(crate) fn select(&self) -> Option<&Select> {
        match self.query.body.as_ref() {
            SetExpr::Select(select) => Some(select),
            _ => None,
        }
    }

    fn table(&mut self, factor: &TableFactor) -> Option<()> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
        let table = name.0.last()?.as_ident()?.value.clone();
        let alias = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.value.clone());
        self.tables.push((table, alias));
        Some(())
    }

    fn split(&mut self, condition: &Expr) {
        let mut open = vec![condition];
        while let Some(condition) = open.pop() {
            match condition {
                Expr::Nested(inner) => open.push(inner),
                Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                    open.extend([right.as_ref(), left.as_ref()]);
                }
                other => self.conditions.push(other.clone()),
            }
        }
    }

    /// Aliases of the tables that an expression reads, each once. Columns without a table's name are given by `owner`.
    pub(crate) fn aliases(expression: &Expr, owner: &dyn Fn(&str) -> Option<String>) -> Option<Vec<String>> {
        let mut found: Vec<String> = Vec::new();
        let mut unknown = false;
        let mut expression = expression.clone();
        let _ = ast::visit_expressions_mut(&mut expression, |inner| {
            if let Some((table, column)) = column(inner) {
                match table.or_else(|| owner(&column)) {
                    Some(alias) if !found.contains(&alias) => found.push(alias),
                    Some(_) => {}
                    None => unknown = true,
                }
            }
            unknown |= matches!(inner, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. });
            ControlFlow::<()>::Continue(())
        });
        (!unknown).then_some(found)
    }
}

/// The table's name, where it is written, and the column.
pub(crate) fn column(expression: &Expr) -> Option<(Option<String>, String)> {
    match expression {
        Expr::Identifier(column) if !column.value.starts_with('@') => Some((None, column.value.clone())),
        Expr::CompoundIdentifier(parts) => {
            let (column, before) = parts.split_last()?;
            Some((before.last().map(|table| table.value.clone()), column.value.clone()))
        }
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

/// The expression with whatever `with` knows replaced, the largest first.
pub(crate) fn replaced<T: VisitMut + Clone>(tree: &T, with: &dyn Fn(&Expr) -> Option<Expr>) -> T {
    struct Replacer<'a>(&'a dyn Fn(&Expr) -> Option<Expr>);
    impl VisitorMut for Replacer<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            if let Some(new) = (self.0)(expression) {
                *expression = new;
            }
            ControlFlow::Continue(())
        }
    }
    let mut tree = tree.clone();
    let _ = tree.visit(&mut Replacer(with));
    tree
}
