//! `query.leading-wildcard`: `LIKE '%…'`, which no B-tree serves.

use super::{Case, FEW_ROWS, Query, index};
use crate::schema::is_text;
use crate::wording::number;
use crate::{Advice, Index, IndexKind, IndexPart, Place, Role, Statement, TableDefinition};

/// Where other conditions leave so few rows, comparing them all costs little.
const FEW_LEFT: u64 = 1000;

pub(super) fn advise(case: &Case) -> Vec<Advice> {
    let places = case
        .read()
        .flat_map(|(query, statement)| statement.places().map(move |place| (query, statement, place)));
    places.filter_map(|(query, statement, place)| of_table(case, query, statement, place)).collect()
}

fn of_table(case: &Case, query: &Query, statement: &Statement, place: Place) -> Option<Advice> {
    let table = statement.definition(case.schema, place)?;
    let block = statement.blocks.get(place.block)?;
    if table.rows.is_some_and(|rows| rows < FEW_ROWS)
        || query.figures.rows_examined.is_some_and(|rows| rows < FEW_ROWS as f64)
    {
        return None;
    }
    let mut found: Vec<(&str, &str)> = Vec::new();
    for predicate in block.predicates.iter().filter(|predicate| predicate.column.place == Some(place)) {
        let Role::LikeAnywhere(pattern) = &predicate.role else { continue };
        if !found.iter().any(|(column, _)| *column == predicate.column.name) {
            found.push((&predicate.column.name, pattern));
        }
    }
    let (_, pattern) = *found.first()?;
    let is_text = |name: &str| table.column(name).is_some_and(|column| is_text(&column.kind));
    if !found.iter().all(|(column, _)| is_text(column)) {
        return None;
    }
    let (equal, several, ranged) = index::bound(block, place);
    let narrow = table.indexes.iter().any(|index| {
        let served = index::served(table, index, &equal, &[]);
        served.single || (served.bound > 0 && served.rows.is_some_and(|rows| rows <= FEW_LEFT))
    });
    if narrow {
        return None;
    }
    let columns: Vec<&str> = found.iter().map(|(column, _)| *column).collect();
    let rows = table.rows.map(|rows| format!(" of up to {} rows", number(rows as f64))).unwrap_or_default();
    let mut why = vec![format!(
        "{} begins with a wildcard: an index is sorted by beginnings, so the texts in {}{rows} are compared one by one",
        shown(pattern),
        columns.join(", ")
    )];
    if equal.len() + several.len() + ranged.len() == 0 {
        why.push(format!("no other condition on `{}` narrows that", table.name));
    }
    let words = found.iter().all(|(_, pattern)| is_words(pattern));
    let mut advice = Advice {
        id: "query.leading-wildcard".to_owned(),
        title: format!("`LIKE '%…'` on {} of `{}`", columns.join(", "), table.name),
        why,
        classes: vec![query.class.clone()],
        ..Advice::default()
    };
    if words {
        with_words(&mut advice, table, &columns);
    } else {
        with_flag(&mut advice, &columns);
    }
    Some(advice)
}

fn shown(pattern: &str) -> String {
    let beginning: String = pattern.chars().take(24).collect();
    let more = if pattern.chars().count() > 24 { "…" } else { "" };
    format!("'{beginning}{more}'")
}

/// Whether a pattern looks for words, as a search does, and not for a piece of something serialized.
fn is_words(pattern: &str) -> bool {
    let inner = pattern.trim_matches('%');
    !inner.is_empty()
        && inner.chars().all(|letter| letter.is_alphanumeric() || letter == ' ' || letter == '-')
}

fn with_words(advice: &mut Advice, table: &TableDefinition, columns: &[&str]) {
    let same = |index: &&Index| {
        index.kind == IndexKind::Fulltext
            && index.parts.len() == columns.len()
            && columns
                .iter()
                .all(|column| index.parts.iter().any(|part| part.column.eq_ignore_ascii_case(column)))
    };
    let list = columns.join(", ");
    match table.indexes.iter().find(same) {
        Some(known) => {
            advice.why.push(format!("the FULLTEXT index `{}` holds these columns already", known.name));
        }
        None => {
            let parts = columns
                .iter()
                .map(|column| IndexPart { column: (*column).to_owned(), ..IndexPart::default() });
            let parts: Vec<IndexPart> = parts.collect();
            let name = index::name(table, &parts);
            let added = Index { name, kind: IndexKind::Fulltext, parts, ..Index::default() };
            advice.up.push(index::add(table, &added));
            advice.cautions.push(
                "the index of words takes about as much room as the text, and slows writes of these columns"
                    .to_owned(),
            );
        }
    }
    advice.title =
        format!("search {list} of `{}` by words: MATCH ({list}) AGAINST ('…' IN BOOLEAN MODE)", table.name);
    advice.cautions.push(
        "MATCH finds whole words (or their beginnings, `word*`), not any piece of one; words shorter than innodb_ft_min_token_size (3) \
         and stop words are not found; the application must send the other condition"
            .to_owned(),
    );
}

fn with_flag(advice: &mut Advice, columns: &[&str]) {
    advice.title = format!("keep what is sought in {} in a column of its own", columns.join(", "));
    advice.why.push("the pattern looks for a piece of something serialized: a value that the application knew when it wrote it".to_owned());
    advice.cautions.push(
        "only the application can write the value to a column of its own (with an index), or to a table beside it; no index helps \
         the query as it is"
            .to_owned(),
    );
}
