//! What WordPress loads with every page.

use host::{HostError, SqlTable};

use super::ask::Server;
use super::statements;
use crate::mysql::Autoload;

/// More tables of options than these are not looked into.
const MOST_TABLES: usize = 8;

/// Asks for the tables of options, then for what each loads.
pub(super) fn read(server: &Server<'_>) -> Result<Vec<Autoload>, HostError> {
    let named = server.bounded("option-tables", statements::OPTION_TABLES)?;
    let looked = |(schema, table): (&str, &str)| statements::has_autoload(schema, table);
    let looked: Vec<_> = places(&named).map(looked).collect();
    if looked.is_empty() {
        return Ok(vec![]);
    }
    let tables = server.bounded("autoload-tables", &looked.join(" UNION ALL "))?;
    let asked = |(schema, table): (&str, &str)| statements::autoload(schema, table);
    let asked: Vec<_> = places(&tables).take(MOST_TABLES).map(asked).collect();
    if asked.is_empty() {
        return Ok(vec![]);
    }
    Ok(parse(&server.bounded("autoload", &asked.join(" UNION ALL "))?))
}

/// Schemas and tables whose names can stand in a statement as they are.
fn places(table: &SqlTable) -> impl Iterator<Item = (&str, &str)> {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$-".contains(&byte));
    table.values("s").zip(table.values("t")).filter(move |(schema, name)| plain(schema) && plain(name))
}

fn parse(table: &SqlTable) -> Vec<Autoload> {
    let mut found: Vec<Autoload> = vec![];
    for row in &table.rows {
        let [Some(name), option, options, bytes] = row.as_slice() else { continue };
        let number =
            |cell: &Option<String>| cell.as_deref().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let index = found.iter().position(|known| known.table == *name).unwrap_or_else(|| {
            found.push(Autoload { table: name.clone(), ..Autoload::default() });
            found.len() - 1
        });
        let Some(known) = found.get_mut(index) else { continue };
        match option.as_deref() {
            None | Some("") => (known.options, known.bytes) = (number(options), number(bytes)),
            Some(option) => known.largest.push((option.to_owned(), number(bytes))),
        }
    }
    found
}
