//! `query.cast-on-column`: a comparison converts the column, row by row, and no index on it is searched.

use super::{Case, FEW_ROWS, Query, index};
use crate::schema::is_text;
use crate::{Advice, Column, Literal, Place, Predicate, Rewrite, Role, Statement, TableDefinition};

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    let places = case
        .read()
        .flat_map(|(query, statement)| statement.places().map(move |place| (query, statement, place)));
    places.flat_map(|(query, statement, place)| of_table(case, query, statement, place)).collect()
}

fn of_table(case: &Case, query: &Query, statement: &Statement, place: Place) -> Vec<Advice> {
    let table = statement.definition(case.schema, place);
    let (Some(table), Some(block)) = (table, statement.blocks.get(place.block)) else { return Vec::new() };
    if table.rows.is_some_and(|rows| rows < FEW_ROWS) {
        return Vec::new();
    }
    let of = |predicate: &Predicate| {
        let column = table.column(&predicate.column.name)?;
        // Without an index on the column nothing is lost by the conversion.
        if !is_indexed(table, column) {
            return None;
        }
        numbers(query, table, column, predicate)
            .or_else(|| collations(case, query, statement, table, column, predicate))
    };
    block.narrowing(place).filter_map(of).collect()
}

fn is_indexed(table: &TableDefinition, column: &Column) -> bool {
    let names = [column.name.as_str()];
    table.indexes.iter().any(|known| index::served(table, known, &names, &[]).bound > 0)
}

/// Text compared with numbers.
fn numbers(query: &Query, table: &TableDefinition, column: &Column, predicate: &Predicate) -> Option<Advice> {
    let values = match &predicate.role {
        Role::Equal(value) => std::slice::from_ref(value),
        Role::In(values) => values.as_slice(),
        _ => return None,
    };
    let numbers: Option<Vec<&str>> = values
        .iter()
        .map(|value| match value {
            Literal::Number(number) => Some(number.as_str()),
            _ => None,
        })
        .collect();
    let numbers = numbers.filter(|numbers| !numbers.is_empty() && is_text(&column.kind))?;
    let list: Vec<String> = numbers.iter().map(|number| format!("'{number}'")).collect();
    let name = predicate.text.split([' ', '=', '(']).find(|word| !word.is_empty()).unwrap_or(&column.name);
    let plain = match &predicate.role {
        Role::In(_) => format!("{name} IN ({})", list.join(", ")),
        _ => format!("{name} = {}", list.join(", ")),
    };
    let after = query.sql.replace(&predicate.text, &plain);
    let after =
        if after == query.sql { format!("… {plain} … (in place of {})", predicate.text) } else { after };
    let first = numbers.first().copied().unwrap_or_default();
    Some(Advice {
        id: "query.cast-on-column".to_owned(),
        title: format!("compare `{}` of `{}` with text: quote the number", column.name, table.name),
        why: vec![format!(
            "`{}` is {}, compared with a number: each row's text is turned into a number first, since '{first}', ' {first}' and '{first}.0' \
             are equal as numbers; the index on it is of no use",
            column.name, column.kind
        )],
        classes: vec![query.class.clone()],
        rewrites: vec![Rewrite {
            class: query.class.clone(),
            before: query.sql.clone(),
            after,
            differs: vec![format!(
                "texts that are only equal as numbers ('{first}.0', '0{first}') no longer match"
            )],
        }],
        ..Advice::default()
    })
}

/// Joins of text with other collations, or with numbers.
fn collations(
    case: &Case,
    query: &Query,
    statement: &Statement,
    table: &TableDefinition,
    column: &Column,
    predicate: &Predicate,
) -> Option<Advice> {
    let Role::Join(other) = &predicate.role else { return None };
    let place = other.place?;
    let their = statement.definition(case.schema, place)?;
    let theirs = their.column(&other.name)?;
    let (own_text, their_text) = (is_text(&column.kind), is_text(&theirs.kind));
    let number = |kind: &str| {
        ["int", "decimal", "float", "double"].iter().any(|name| kind.to_ascii_lowercase().contains(name))
    };
    let why = if own_text && number(&theirs.kind) {
        format!(
            "`{}`.`{}` is {} and `{}`.`{}` is {}: they are compared as numbers, for which each text is converted, so that the \
             index on `{}` is not searched",
            table.name, column.name, column.kind, their.name, theirs.name, theirs.kind, column.name
        )
    } else if own_text && their_text {
        let (own, foreign) = (column.collation.as_deref()?, theirs.collation.as_deref()?);
        let charset = |collation: &str| collation.split('_').next().unwrap_or_default().to_owned();
        // Of two character sets the smaller one is converted to the larger, and with it that column's index is lost.
        let narrower = charset(own) != charset(foreign) && charset(foreign) == "utf8mb4";
        if !narrower {
            return None;
        }
        format!(
            "`{}`.`{}` is {own} and `{}`.`{}` is {foreign}: each value of the former is converted to be compared, so that its index \
             is not searched",
            table.name, column.name, their.name, theirs.name
        )
    } else {
        return None;
    };
    Some(Advice {
        id: "query.cast-on-column".to_owned(),
        title: format!(
            "give `{}`.`{}` the type of `{}`.`{}`",
            table.name, column.name, their.name, theirs.name
        ),
        why: vec![why],
        classes: vec![query.class.clone()],
        cautions: vec![format!(
            "ALTER TABLE {} MODIFY rewrites the table, and must repeat all that the column is (default, comment); values that do not \
             fit the new type must be found first",
            table.quoted()
        )],
        ..Advice::default()
    })
}
