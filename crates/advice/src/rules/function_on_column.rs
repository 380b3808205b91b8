//! `query.function-on-column`: a function hides a column from its index.

use super::{Case, FEW_ROWS, Query, index};
use crate::{Advice, Index, Literal, Place, Predicate, Rewrite, Role, Statement, TableDefinition, Wrapped};

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
    let predicates = block.narrowing(place);
    predicates
        .filter_map(|predicate| of_predicate(case, query, table, predicate, block.narrowing(place).count()))
        .collect()
}

fn of_predicate(
    case: &Case,
    query: &Query,
    table: &TableDefinition,
    predicate: &Predicate,
    conditions: usize,
) -> Option<Advice> {
    let Role::Wrapped(made) = &predicate.role else { return None };
    let column = table.column(&predicate.column.name)?;
    let (plain, differs) = bare(case, made, &qualified(predicate, made), column)?;
    let leads = |index: &&Index| {
        index.parts.first().is_some_and(|part| part.column.eq_ignore_ascii_case(&column.name))
    };
    let indexed = table.indexes.iter().find(leads).or_else(|| {
        let holds =
            |index: &&Index| index.parts.iter().any(|part| part.column.eq_ignore_ascii_case(&column.name));
        table.indexes.iter().find(holds).filter(|_| conditions > 1)
    });
    let mut why = vec![format!(
        "`{}` must be computed for each row before it is compared, so that no index on `{}` is searched",
        made.expression, column.name
    )];
    let mut advice = Advice {
        id: "query.function-on-column".to_owned(),
        classes: vec![query.class.clone()],
        ..Advice::default()
    };
    match indexed {
        Some(index) => why.push(format!("the index `{}` could serve the bare column", index.name)),
        None => {
            let part = index::part(table, &column.name, false).filter(|part| part.prefix.is_none())?;
            let parts = vec![part];
            let added = Index { name: index::name(table, &parts), parts, ..Index::default() };
            advice.cautions.push(index::upkeep(table, &added.parts));
            advice.up.push(index::add(table, &added));
        }
    }
    let after = query.sql.replace(&predicate.text, &plain);
    let after =
        if after == query.sql { format!("… {plain} … (in place of {})", predicate.text) } else { after };
    advice.rewrites.push(Rewrite { class: query.class.clone(), before: query.sql.clone(), after, differs });
    advice.title = format!("compare `{}` itself: {plain}", column.name);
    advice.why = why;
    Some(advice)
}

/// The column as the expression names it, with its table where it is named.
fn qualified(predicate: &Predicate, made: &Wrapped) -> String {
    let name = &predicate.column.name;
    let words = made.expression.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '`' | '$')));
    let found = words.into_iter().find(|word| {
        let last = word.rsplit('.').next().unwrap_or_default();
        last.trim_matches('`').eq_ignore_ascii_case(name)
    });
    found.unwrap_or(name).to_owned()
}

/// The same condition on the bare column, and where it differs; `None` where none is known.
fn bare(case: &Case, made: &Wrapped, name: &str, column: &crate::Column) -> Option<(String, Vec<String>)> {
    let kind = column.kind.to_ascii_lowercase();
    let is_time = ["datetime", "timestamp", "date"].iter().any(|name| kind.starts_with(name));
    // From 11.1 on MariaDB turns YEAR() and DATE() into ranges itself.
    let by_itself = case.dialect().is_mariadb((11, 1, 0));
    let [value] = made.with.as_slice() else { return None };
    let operator = made.operator.as_str();
    let only = |expression: &str| {
        made.expression
            .to_ascii_uppercase()
            .starts_with(&format!("{expression}({})", name.to_ascii_uppercase()))
    };
    match (made.function.as_str(), value) {
        ("YEAR", Literal::Number(year)) if is_time && !by_itself && only("YEAR") && operator == "=" => {
            let year: u32 = year.parse().ok().filter(|year| (1000..9999).contains(year))?;
            Some((format!("({name} >= '{year}-01-01' AND {name} < '{}-01-01')", year + 1), vec![]))
        }
        ("DATE", value)
            if is_time && !kind.starts_with("date(") && kind != "date" && !by_itself && only("DATE") =>
        {
            let day = match value {
                Literal::Text(day) if is_day(day) => format!("'{day}'"),
                Literal::Expression(text)
                    if text.to_ascii_uppercase().starts_with("CURDATE")
                        || text.to_ascii_uppercase().starts_with("CURRENT_DATE") =>
                {
                    text.clone()
                }
                _ => return None,
            };
            let plain = match operator {
                "=" => format!("({name} >= {day} AND {name} < {day} + INTERVAL 1 DAY)"),
                ">=" => format!("{name} >= {day}"),
                "<" => format!("{name} < {day}"),
                ">" => format!("{name} >= {day} + INTERVAL 1 DAY"),
                "<=" => format!("{name} < {day} + INTERVAL 1 DAY"),
                _ => return None,
            };
            Some((plain, vec![]))
        }
        ("LOWER" | "LCASE" | "UPPER" | "UCASE", Literal::Text(text)) if operator == "=" => {
            let collation = column.collation.as_deref()?;
            let folded =
                if made.function.starts_with('L') { text.to_lowercase() } else { text.to_uppercase() };
            let blind = collation.contains("_ci") && folded == *text && only(&made.function);
            blind.then(|| {
                let why = format!("none: `{collation}` compares without regard to case already");
                (format!("{name} = {}", crate::schema::text(text)), vec![why])
            })
        }
        ("LEFT", _) | ("SUBSTRING", _) => None,
        _ => None,
    }
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
}
