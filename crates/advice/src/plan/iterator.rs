//! Plans of iterators: MySQL's JSON with `explain_json_format_version = 2`, of EXPLAIN and of EXPLAIN ANALYZE.

use serde_json::Value;

use super::fields::{Object, count, flag, number, text, texts};
use super::{Access, Actual, Format, Node, NodeKind, Plan};

/// Reads a plan whose nodes have `operation` and `inputs`.
pub(super) fn read(object: &Object) -> Plan {
    let mut notes = Vec::new();
    // Newer servers put the root into `query_plan`, older ones put the query beside the root's members.
    let root = match object.get("query_plan").and_then(Value::as_object) {
        Some(root) => node(root, &mut notes),
        None => node(object, &mut notes),
    };
    let root = match root.kind {
        NodeKind::Nothing if root.children.len() == 1 => root.children.into_iter().next().unwrap_or_default(),
        _ => root,
    };
    let time_ms = root.actual.and_then(|actual| actual.time_ms);
    let analyzed = root.actual.is_some();
    Plan { format: Format::MysqlIterators, analyzed, cost: root.cost, time_ms, root, notes }
}

fn node(object: &Object, notes: &mut Vec<String>) -> Node {
    let mut node = Node {
        kind: kind(object, notes),
        rows: object.get("estimated_rows").and_then(number),
        cost: object.get("estimated_total_cost").and_then(number),
        actual: actual(object),
        condition: object.get("condition").map(text),
        ..Node::default()
    };
    if node.kind == NodeKind::Table {
        node.access = Some(access(object));
    }
    for (name, value) in object {
        match name.as_str() {
            "inputs" | "inputs_from_select_list" => {
                let inputs = value.as_array().into_iter().flatten().filter_map(Value::as_object);
                node.children.extend(inputs.map(|input| self::node(input, notes)));
            }
            "heading" | "subquery_location" => node.facts.push(text(value)),
            "dependent" if value.as_bool() == Some(true) => {
                node.facts.push("runs again for each row around it".to_owned());
            }
            "hash_condition" => {
                let conditions = texts(value).join(" and ");
                node.condition.get_or_insert(conditions);
            }
            _ if KNOWN.contains(&name.as_str()) => {}
            _ if value.is_null() => {}
            _ => node.facts.push(format!("{name}: {}", text(value))),
        }
    }
    node
}

/// Members that are read elsewhere, or that repeat another.
const KNOWN: [&str; 46] = [
    "operation",
    "access_type",
    "estimated_rows",
    "estimated_total_cost",
    "estimated_first_row_cost",
    "actual_rows",
    "actual_loops",
    "actual_first_row_ms",
    "actual_last_row_ms",
    "condition",
    "table_name",
    "schema_name",
    "alias",
    "index_name",
    "index_access_type",
    "covering",
    "used_columns",
    "key_columns",
    "lookup_condition",
    "ranges",
    "filter_columns",
    "query",
    "query_type",
    "json_schema_version",
    "sort_fields",
    "per_chunk_limit",
    "limit",
    "limit_offset",
    "join_type",
    "join_algorithm",
    "join_columns",
    "group_by",
    "functions",
    "deduplication",
    "pushed_index_condition",
    "lookup_references",
    "reverse",
    "semijoin_strategy",
    "temp_table",
    "union",
    "cache_invalidators",
    "row_ids",
    "subquery",
    "dependent",
    "select_list",
    "multi_range_read",
];

fn actual(object: &Object) -> Option<Actual> {
    let of = |name: &str| object.get(name).and_then(number);
    let loops = of("actual_loops")?;
    let time_ms = of("actual_last_row_ms").map(|each| each * loops.max(1.0));
    Some(Actual { loops, rows: of("actual_rows"), filtered: None, time_ms })
}

fn kind(object: &Object, notes: &mut Vec<String>) -> NodeKind {
    let operation = object.get("operation").map(text).unwrap_or_default();
    let string = |name: &str| object.get(name).map(text).unwrap_or_default();
    match string("access_type").as_str() {
        "table" | "index" | "zero_rows_table" | "index_merge" | "rowid_intersection" | "rowid_union" => {
            NodeKind::Table
        }
        _ if object.contains_key("table_name") => NodeKind::Table,
        "join" if string("join_algorithm") == "hash" => NodeKind::HashJoin,
        "join" => NodeKind::Join,
        "filter" => NodeKind::Filter,
        "sort" => {
            let by = object.get("sort_fields").map(texts_joined).unwrap_or_default();
            NodeKind::Sort { by, limit: object.get("per_chunk_limit").and_then(count) }
        }
        "limit" => {
            let (limit, offset) =
                (object.get("limit").and_then(count), object.get("limit_offset").and_then(count));
            let offset = offset.unwrap_or(0);
            // The limit that is written includes the rows that are skipped.
            NodeKind::Limit { limit: limit.map(|limit| limit.saturating_sub(offset)), offset }
        }
        "aggregate" | "count_rows" => NodeKind::Aggregate,
        "materialize" => NodeKind::Materialized,
        "temp_table_aggregate" => NodeKind::Temporary(operation),
        "append" | "union" => NodeKind::Union,
        "" if operation.is_empty() => NodeKind::Nothing,
        other => {
            const PLAIN: [&str; 8] = [
                "stream",
                "rows_fetched_before_execution",
                "zero_rows",
                "window",
                "weedout",
                "remove_duplicates",
                "remove_duplicates_on_index",
                "cache",
            ];
            if !PLAIN.contains(&other) {
                notes.push(format!("a step `{operation}` that is not known"));
            }
            NodeKind::Other(operation)
        }
    }
}

fn texts_joined(value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(other),
    }
}

fn access(object: &Object) -> Access {
    let string = |name: &str| object.get(name).filter(|value| !value.is_null()).map(text);
    let kind = match string("index_access_type").as_deref() {
        Some("index_lookup") => {
            let single = string("operation").is_some_and(|operation| operation.starts_with("Single-row"));
            if single { "eq_ref" } else { "ref" }
        }
        Some("index_range_scan" | "multi_range_read") => "range",
        Some("index_scan") => "index",
        Some(other) => return Access { kind: other.to_owned(), ..access_of(object) },
        None => match string("access_type").as_deref() {
            Some("table") => "ALL",
            Some("rows_fetched_before_execution") => "const",
            _ => "index",
        },
    };
    Access { kind: kind.to_owned(), ..access_of(object) }
}

fn access_of(object: &Object) -> Access {
    let string = |name: &str| object.get(name).filter(|value| !value.is_null()).map(text);
    let range = object.get("ranges").map(texts_joined);
    Access {
        table: string("alias").or_else(|| string("table_name")).unwrap_or_default(),
        key: string("index_name"),
        key_parts: object.get("key_columns").map(texts).unwrap_or_default(),
        compared_with: string("lookup_condition").or(range).into_iter().collect(),
        covering: flag(object, "covering"),
        index_condition: string("pushed_index_condition"),
        ..Access::default()
    }
}
