//! Plans of blocks and tables: MariaDB's JSON, and MySQL's of before 8.3 (which later ones still write on request).

use serde_json::Value;

use super::fields::{Object, count, flag, number, text, texts};
use super::{Access, Actual, Format, Node, NodeKind, Plan};

/// Reads a plan whose root is `query_block`.
pub(super) fn read(object: &Object) -> Plan {
    let mut reader = Reader::default();
    let mut root = reader.object(NodeKind::Nothing, object);
    // What stands around the outermost block, as MariaDB's time of optimization, is no step.
    while root.kind == NodeKind::Nothing && root.children.len() == 1 {
        let facts = std::mem::take(&mut root.facts);
        root = root.children.swap_remove(0);
        root.facts.splice(0..0, facts);
    }
    let format = if reader.mariadb { Format::Mariadb } else { Format::MysqlBlocks };
    let time_ms = root.actual.and_then(|actual| actual.time_ms);
    Plan { format, analyzed: reader.analyzed, cost: root.cost, time_ms, root, notes: reader.notes }
}

#[derive(Default)]
struct Reader {
    analyzed: bool,
    mariadb: bool,
    notes: Vec<String>,
}

impl Reader {
    /// The node of a member that holds steps; `None` where the member holds values.
    fn member(&mut self, name: &str, value: &Value) -> Option<Node> {
        let kind = match name {
            "query_block" => NodeKind::Block(None),
            "table" => NodeKind::Table,
            "nested_loop" => NodeKind::Join,
            "filesort" => NodeKind::Sort { by: String::new(), limit: None },
            "ordering_operation" => NodeKind::Other("ORDER BY".to_owned()),
            "grouping_operation" => NodeKind::Other("GROUP BY".to_owned()),
            "duplicates_removal" | "duplicate_removal" => NodeKind::Other("remove duplicates".to_owned()),
            "windowing" | "window_functions_computation" => NodeKind::Other("window functions".to_owned()),
            "temporary_table" => NodeKind::Temporary(String::new()),
            "buffer_result" => NodeKind::Temporary("the result".to_owned()),
            "materialized_from_subquery" | "materialized" | "materialization" => NodeKind::Materialized,
            "union_result" | "intersect_result" | "except_result" | "unary_result" | "recursive_union" => {
                NodeKind::Union
            }
            "block-nl-join" | "read_sorted_file" | "query_specifications" | "sorts" | "expression_cache" => {
                NodeKind::Nothing
            }
            "subqueries" => NodeKind::Subquery(String::new()),
            name if name.ends_with("_subqueries") => {
                NodeKind::Subquery(name.trim_end_matches("_subqueries").replace('_', " "))
            }
            _ if holds_steps(value) => {
                self.notes.push(format!("a step `{name}` that is not known"));
                NodeKind::Other(name.to_owned())
            }
            _ => return None,
        };
        Some(match value {
            Value::Array(values) => self.list(kind, values),
            Value::Object(object) => self.object(kind, object),
            _ => return None,
        })
    }

    fn list(&mut self, kind: NodeKind, values: &[Value]) -> Node {
        let objects = values.iter().filter_map(Value::as_object);
        let children = objects.map(|object| self.object(NodeKind::Nothing, object));
        let children: Vec<Node> = children.flat_map(unfolded).collect();
        match kind {
            // A join of one table is none.
            NodeKind::Join if children.len() == 1 => children.into_iter().next().unwrap_or_default(),
            kind => Node { kind, children, ..Node::default() },
        }
    }

    fn object(&mut self, kind: NodeKind, object: &Object) -> Node {
        let mut node = Node::of(kind);
        if node.kind == NodeKind::Table {
            node.access = Some(access(object));
        }
        for (name, value) in object {
            if let Some(child) = self.member(name, value) {
                node.children.extend(unfolded(child));
            } else if !self.scalar(&mut node, name, value) {
                node.facts.push(format!("{name}: {}", text(value)));
            }
        }
        // Members come in the order of their names.
        node.children.sort_by_key(|child| matches!(child.kind, NodeKind::Subquery(_)));
        self.finish(node, object)
    }

    /// Takes a value that is known; false where it is not.
    fn scalar(&mut self, node: &mut Node, name: &str, value: &Value) -> bool {
        let actual = |node: &mut Node| *node.actual.get_or_insert_default();
        match name {
            "select_id" => {
                if let NodeKind::Block(number) = &mut node.kind {
                    *number = count(value);
                }
            }
            "rows" => (self.mariadb, node.rows) = (true, number(value)),
            "rows_examined_per_scan" => node.rows = number(value),
            "filtered" => node.filtered = number(value),
            "cost" => (self.mariadb, node.cost) = (true, number(value)),
            "cost_info" => {
                let cost = |name: &str| value.get(name).and_then(number);
                node.cost = cost("query_cost").or_else(|| cost("prefix_cost")).or_else(|| cost("sort_cost"));
                node.bytes = value.get("data_read_per_join").and_then(count);
            }
            "attached_condition" | "having_condition" | "const_condition" | "outer_ref_condition" => {
                node.condition = Some(text(value));
            }
            "r_loops" => {
                (self.analyzed, self.mariadb) = (true, true);
                node.actual = Some(Actual { loops: number(value).unwrap_or(0.0), ..actual(node) });
            }
            "r_rows" | "r_output_rows" => node.actual = Some(Actual { rows: number(value), ..actual(node) }),
            "r_filtered" => node.actual = Some(Actual { filtered: number(value), ..actual(node) }),
            "r_total_time_ms" | "r_table_time_ms" | "r_other_time_ms" => {
                let time_ms = actual(node).time_ms.unwrap_or(0.0) + number(value).unwrap_or(0.0);
                node.actual = Some(Actual { time_ms: Some(time_ms), ..actual(node) });
            }
            "sort_key" | "sort_fields" => {
                if let NodeKind::Sort { by, .. } = &mut node.kind {
                    *by = texts(value).join(", ");
                }
            }
            "r_limit" => {
                if let NodeKind::Sort { limit, .. } = &mut node.kind {
                    *limit = count(value);
                }
            }
            "r_used_priority_queue" if value.as_bool() == Some(true) => {
                node.facts.push("keeps only the first rows while it reads (priority queue)".to_owned());
            }
            "r_sort_passes" if number(value).unwrap_or(0.0) > 0.0 => {
                node.facts.push(format!("merges files on disk in {} passes", text(value)));
            }
            "r_buffer_size" => node.bytes = count(value),
            "message" => node.facts.push(text(value)),
            "dependent" if value.as_bool() == Some(true) => {
                node.facts.push("runs again for each row around it".to_owned());
            }
            "operation" => node.facts.push(text(value)),
            "using_filesort"
            | "using_temporary_table"
            | "dependent"
            | "cacheable"
            | "r_used_priority_queue"
            | "r_sort_passes"
            | "r_sort_mode"
            | "rows_produced_per_join"
            | "used_columns"
            | "r_engine_stats"
            | "query_optimization"
            | "r_icp_filtered"
            | "r_total_filtered"
            | "r_index_rows"
            | "loops"
            | "table_name"
            | "access_type"
            | "possible_keys"
            | "key"
            | "key_length"
            | "used_key_parts"
            | "ref"
            | "using_index"
            | "using_index_for_group_by"
            | "index_condition"
            | "using_join_buffer"
            | "buffer_type"
            | "buffer_size"
            | "join_type"
            | "r_query_time_in_progress_ms"
            | "r_unpack_time_ms"
            | "r_unpack_ops"
            | "r_effective_rows" => {}
            _ => return value.is_null(),
        }
        true
    }

    /// What the members mean together.
    fn finish(&mut self, mut node: Node, object: &Object) -> Node {
        match &node.kind {
            NodeKind::Nothing
                if object.contains_key("buffer_type") || object.contains_key("block-nl-join") =>
            {
                buffered(&mut node, object);
            }
            NodeKind::Other(by) => {
                let by = by.clone();
                return operation(windowed(node), by, object);
            }
            NodeKind::Union if flag(object, "using_temporary_table") => {
                node.facts.push("in a temporary table".to_owned());
            }
            _ => {}
        }
        node
    }
}

/// A node that is only a wrapping gives its children, with what it says itself.
fn unfolded(mut node: Node) -> Vec<Node> {
    if node.kind != NodeKind::Nothing {
        return vec![node];
    }
    if let Some(first) = node.children.first_mut() {
        first.facts.append(&mut node.facts);
        // What is joined by a buffer is filtered after the join.
        let filtered = node.actual.and_then(|actual| actual.filtered);
        if let (Some(actual), Some(filtered)) = (&mut first.actual, filtered) {
            actual.filtered = Some(filtered);
        }
        if let Some(condition) = node.condition.take() {
            match &mut first.condition {
                Some(known) => *known = format!("{known} and {condition}"),
                none => *none = Some(condition),
            }
        }
    } else if !node.facts.is_empty() {
        return vec![node];
    }
    node.children
}

/// MariaDB's buffered join: what it says belongs to the table within.
fn buffered(node: &mut Node, object: &Object) {
    let words: Vec<String> =
        ["join_type", "buffer_size"].iter().filter_map(|name| object.get(*name)).map(text).collect();
    let access = node.children.first_mut().and_then(|table| table.access.as_mut());
    if let Some(access) = access.filter(|_| !words.is_empty()) {
        access.join_buffer = Some(words.join(", "));
    }
}

/// MariaDB names the sorts of window functions beside the rows that are sorted: each takes what stands below it.
fn windowed(mut node: Node) -> Node {
    let is_bare = |child: &Node| matches!(child.kind, NodeKind::Sort { .. }) && child.children.is_empty();
    let (sorts, mut rest): (Vec<Node>, Vec<Node>) =
        std::mem::take(&mut node.children).into_iter().partition(is_bare);
    for mut sort in sorts {
        sort.children = std::mem::take(&mut rest);
        rest = vec![sort];
    }
    node.children = rest;
    node
}

/// MySQL's ordering, grouping and removal of duplicates: a sort, a temporary table, both or neither.
fn operation(mut node: Node, by: String, object: &Object) -> Node {
    let (sorts, writes) = (flag(object, "using_filesort"), flag(object, "using_temporary_table"));
    if !object.contains_key("using_filesort") && !object.contains_key("using_temporary_table") {
        return node;
    }
    node.kind = match (sorts, writes) {
        (true, false) => NodeKind::Sort { by, limit: None },
        (false, true) => NodeKind::Temporary(by),
        (true, true) => {
            let children = std::mem::take(&mut node.children);
            let inner = Node { kind: NodeKind::Temporary(by.clone()), children, ..Node::default() };
            node.children = vec![inner];
            NodeKind::Sort { by, limit: None }
        }
        (false, false) => {
            node.facts.push(format!("{by} comes from the order of an index, or needs none"));
            NodeKind::Nothing
        }
    };
    node
}

fn access(object: &Object) -> Access {
    let list = |name: &str| object.get(name).map(texts).unwrap_or_default();
    let string = |name: &str| object.get(name).filter(|value| !value.is_null()).map(text);
    Access {
        table: string("table_name").unwrap_or_default(),
        kind: string("access_type").unwrap_or_default(),
        possible_keys: list("possible_keys"),
        key: string("key"),
        key_length: object.get("key_length").and_then(count),
        key_parts: list("used_key_parts"),
        compared_with: list("ref"),
        covering: flag(object, "using_index") || object.contains_key("using_index_for_group_by"),
        index_condition: string("index_condition"),
        join_buffer: string("using_join_buffer"),
    }
}

/// Whether a member that is not known holds steps.
fn holds_steps(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let known = ["table", "nested_loop", "query_block", "filesort", "temporary_table", "table_name"];
            known.iter().any(|name| object.contains_key(*name)) || object.values().any(holds_steps)
        }
        Value::Array(values) => values.iter().any(|value| value.is_object() && holds_steps(value)),
        _ => false,
    }
}
