//! Columns without a table's name, by the schema.

use super::{Block, ColumnUse, Place, Role};
use crate::Schema;

/// Gives each column its table, where the schema tells.
pub(super) fn resolve(blocks: &mut [Block], schema: &Schema) {
    let known = Known::of(blocks, schema);
    for (number, block) in blocks.iter_mut().enumerate() {
        let fix = |column: &mut ColumnUse| known.fix(number, column);
        block.columns.iter_mut().for_each(fix);
        for predicate in &mut block.predicates {
            fix(&mut predicate.column);
            if let Role::Join(other) = &mut predicate.role {
                fix(other);
            }
        }
        block
            .group_by
            .iter_mut()
            .chain(&mut block.order_by)
            .filter_map(|key| key.column.as_mut())
            .for_each(fix);
        block.select.items.iter_mut().filter_map(|item| item.column.as_mut()).for_each(fix);
        let mut seen: Vec<ColumnUse> = Vec::new();
        block.columns.retain(|column| {
            let new = !seen.contains(column);
            seen.push(column.clone());
            new
        });
    }
}

/// What each table of each block holds, as far as that is known.
struct Known {
    parents: Vec<Option<usize>>,
    /// Lower-case columns by block and table.
    columns: Vec<Vec<Option<Vec<String>>>>,
}

impl Known {
    fn of(blocks: &[Block], schema: &Schema) -> Self {
        let columns = blocks.iter().map(|block| {
            let tables = block.tables.iter().map(|table| match table.derived {
                Some(derived) => blocks.get(derived).and_then(given),
                None => {
                    let definition = schema.table(table.schema.as_deref(), &table.name)?;
                    Some(definition.columns.iter().map(|column| column.name.to_ascii_lowercase()).collect())
                }
            });
            tables.collect()
        });
        Self { parents: blocks.iter().map(|block| block.parent).collect(), columns: columns.collect() }
    }

    fn fix(&self, block: usize, column: &mut ColumnUse) {
        let name = column.name.to_ascii_lowercase();
        let holds = |place: Place| {
            let columns = self.columns.get(place.block)?.get(place.table)?.as_ref()?;
            Some(columns.contains(&name))
        };
        if column.place.is_some_and(|place| holds(place) != Some(false)) {
            return;
        }
        let mut next = Some(block);
        while let Some(number) = next {
            let tables = self.columns.get(number).map_or(0, Vec::len);
            let places = || (0..tables).map(|table| Place { block: number, table });
            let mut holders = places().filter(|place| holds(*place) == Some(true));
            match (holders.next(), holders.next()) {
                (Some(only), None) => return column.place = Some(only),
                (Some(_), Some(_)) => return,
                _ => {}
            }
            let mut unknown = places().filter(|place| holds(*place).is_none());
            match (unknown.next(), unknown.next()) {
                (Some(only), None) => return column.place = Some(only),
                (Some(_), Some(_)) => return,
                _ => {}
            }
            next = self.parents.get(number).copied().flatten();
        }
    }
}

/// The columns that a derived table gives; `None` where a star hides them.
fn given(block: &Block) -> Option<Vec<String>> {
    if block.select.star || !block.select.table_stars.is_empty() {
        return None;
    }
    let name = |item: &super::SelectItem| {
        let plain = || item.column.as_ref().map(|column| column.name.clone());
        item.alias.clone().or_else(plain).unwrap_or_else(|| item.text.clone()).to_ascii_lowercase()
    };
    Some(block.select.items.iter().map(name).collect())
}
