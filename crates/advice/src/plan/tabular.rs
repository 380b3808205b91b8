//! Plans as tables: EXPLAIN without a format, as the client prints it with tabs or bars.

use super::{Access, Actual, Format, NoPlan, Node, NodeKind, Plan};

/// Reads a table of EXPLAIN, or of MariaDB's ANALYZE.
pub(super) fn read(text: &str) -> Result<Plan, NoPlan> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('+'));
    let mut rows = lines.filter(|line| !line.trim_matches(['|', '-', ' ']).is_empty()).map(cells);
    let head: Vec<String> =
        rows.next().unwrap_or_default().iter().map(|cell| cell.to_ascii_lowercase()).collect();
    if !["table", "type", "key", "rows"].iter().all(|name| head.iter().any(|cell| cell == name)) {
        return Err(NoPlan::Syntax("it is neither JSON nor a table with the columns of EXPLAIN".to_owned()));
    }
    let analyzed = head.iter().any(|cell| cell == "r_rows");
    let mut blocks: Vec<(String, String, Vec<Node>)> = Vec::new();
    for row in rows {
        let row = Row { head: &head, cells: &row };
        let (id, select) = (row.text("id").unwrap_or_default(), row.text("select_type").unwrap_or_default());
        match blocks.last_mut() {
            Some((known, _, nodes)) if *known == id => nodes.push(table(&row)),
            _ => blocks.push((id, select, vec![table(&row)])),
        }
    }
    let mut blocks = blocks.into_iter().map(|(id, select, nodes)| block(&id, &select, nodes));
    let Some(mut root) = blocks.next() else {
        return Err(NoPlan::Syntax("the table has no rows".to_owned()));
    };
    root.children.extend(blocks);
    Ok(Plan { format: Format::Tabular, analyzed, root, ..Plan::default() })
}

fn cells(line: &str) -> Vec<String> {
    let parts: Vec<&str> = match line.trim_start().starts_with('|') {
        true => line.trim().trim_start_matches('|').trim_end_matches('|').split('|').collect(),
        false => line.split('\t').collect(),
    };
    parts.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

struct Row<'a> {
    head: &'a [String],
    cells: &'a [String],
}

impl Row<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let at = self.head.iter().position(|cell| cell == name)?;
        self.cells.get(at).filter(|cell| !cell.is_empty() && *cell != "NULL").cloned()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.text(name).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// One block: its tables joined, and what their notes say of sorting.
fn block(id: &str, select: &str, mut tables: Vec<Node>) -> Node {
    let mut says = |word: &str| {
        let mut said = false;
        for table in &mut tables {
            let before = table.facts.len();
            table.facts.retain(|fact| fact != word);
            said |= table.facts.len() != before;
        }
        said
    };
    let (sorts, writes) = (says("Using filesort"), says("Using temporary"));
    let mut node = match tables.len() {
        1 => tables.swap_remove(0),
        _ => Node { kind: NodeKind::Join, children: tables, ..Node::default() },
    };
    if writes {
        node = Node { kind: NodeKind::Temporary(String::new()), children: vec![node], ..Node::default() };
    }
    if sorts {
        node = Node {
            kind: NodeKind::Sort { by: String::new(), limit: None },
            children: vec![node],
            ..Node::default()
        };
    }
    let kind = match select.to_ascii_uppercase().as_str() {
        "SUBQUERY" | "DEPENDENT SUBQUERY" | "UNCACHEABLE SUBQUERY" => {
            NodeKind::Subquery(select.to_ascii_lowercase())
        }
        "DERIVED" | "MATERIALIZED" | "LATERAL DERIVED" => NodeKind::Materialized,
        "UNION RESULT" => NodeKind::Union,
        _ => NodeKind::Block(id.parse().ok()),
    };
    Node { kind, children: vec![node], ..Node::default() }
}

fn table(row: &Row) -> Node {
    let extra = row.text("extra").unwrap_or_default();
    let mut access = Access {
        table: row.text("table").unwrap_or_default(),
        kind: row.text("type").unwrap_or_default(),
        possible_keys: row.list("possible_keys"),
        key: row.text("key"),
        key_length: row.text("key_len").and_then(|length| length.parse().ok()),
        compared_with: row.list("ref"),
        ..Access::default()
    };
    let (mut facts, mut condition) = (Vec::new(), None);
    for word in extra.split(';').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "Using index" | "Using index for group-by" => access.covering = true,
            "Using where" => condition = Some("(the table does not say which)".to_owned()),
            "Using index condition" => {
                access.index_condition = Some("(the table does not say which)".to_owned());
            }
            _ => match word.strip_prefix("Using join buffer") {
                Some(buffer) => access.join_buffer = Some(buffer.trim_matches([' ', '(', ')']).to_owned()),
                None => facts.push(word.to_owned()),
            },
        }
    }
    let r_rows = row.number("r_rows");
    let actual = r_rows.map(|rows| Actual {
        loops: 0.0,
        rows: Some(rows),
        filtered: row.number("r_filtered"),
        time_ms: None,
    });
    Node {
        kind: NodeKind::Table,
        access: Some(access),
        rows: row.number("rows"),
        filtered: row.number("filtered"),
        actual,
        condition,
        facts,
        ..Node::default()
    }
}
