//! What WordPress loads with every page.

use host::{HostError, SqlTable};

use super::ask::Server;
use super::statements;
use crate::mysql::Autoload;

/// More tables of options than these are not looked into.
const MOST_TABLES: usize = 8;

/// Asks for the tables of options, then for what each loads.
pub(super) fn read(server: &Server<'_>) -> Result<Vec<Autoload>, HostError> {
    let tables = server.bounded("autoload-tables", statements::AUTOLOAD_TABLES)?;
    let (schemas, names) = (tables.values("s"), tables.values("t"));
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$-".contains(&byte));
    let wanted = schemas.zip(names).filter(|(schema, name)| plain(schema) && plain(name)).take(MOST_TABLES);
    let selects: Vec<_> = wanted.map(|(schema, name)| statements::autoload(schema, name)).collect();
    if selects.is_empty() {
        return Ok(vec![]);
    }
    Ok(parse(&server.bounded("autoload", &selects.join(" UNION ALL "))?))
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
