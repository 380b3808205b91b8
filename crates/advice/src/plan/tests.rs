use proptest::prelude::*;

use super::*;

macro_rules! plan {
    ($name:literal) => {
        Plan::read(include_str!(concat!("../../tests/plans/", $name))).expect($name)
    };
}

fn tables(plan: &Plan) -> Vec<(&str, &str)> {
    let accesses = plan.nodes().filter_map(|node| node.access.as_ref());
    accesses.map(|access| (access.table.as_str(), access.kind.as_str())).collect()
}

fn shape(node: &Node) -> String {
    let own = match &node.kind {
        NodeKind::Block(_) => "block".to_owned(),
        NodeKind::Table => node.access.as_ref().map(|access| access.table.clone()).unwrap_or_default(),
        NodeKind::Sort { .. } => "sort".to_owned(),
        NodeKind::Temporary(_) => "temporary".to_owned(),
        NodeKind::Subquery(_) => "subquery".to_owned(),
        NodeKind::Limit { .. } => "limit".to_owned(),
        NodeKind::Other(name) => name.clone(),
        other => format!("{other:?}").to_lowercase(),
    };
    match node.children.is_empty() {
        true => own,
        false => format!("{own}({})", node.children.iter().map(shape).collect::<Vec<_>>().join(" ")),
    }
}

#[test]
fn an_analyzed_plan_of_mariadb_counts_what_was_read() {
    let plan = plan!("mariadb-10.11-analyze-meta-query.json");
    assert_eq!((plan.format, plan.analyzed), (Format::Mariadb, true));
    assert_eq!(shape(&plan.root), "block(sort(temporary(join(wp_posts wp_postmeta))))");
    let judged = plan.judge();
    assert_eq!(judged.rows_read, 12857.0 + 12857.0 * 2.0);
    assert!(judged.counted && judged.rows_given > 0.0 && judged.rows_given < 300.0, "{}", judged.rows_given);
    assert!(
        matches!(&judged.reason, Reason::LittleKept { table, index, kept, .. } if table == "wp_postmeta" && index == "post_id" && *kept < 1.0),
        "{:?}",
        judged.reason
    );
    let surprise = judged.surprises.first().expect("the filter was misjudged");
    assert_eq!(surprise.at, "wp_postmeta");
    assert_eq!(judged.sorted.len(), 2);
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn conditions_that_mariadb_does_not_escape_are_read() {
    let plan = plan!("mariadb-10.11-broken-json.txt");
    let table = plan.nodes().find(|node| node.kind == NodeKind::Table).expect("the table");
    assert_eq!(table.condition.as_deref(), Some(r#"orders.note = 'it\'s "x\\ny"\nsecond line'"#));
    let plan = Plan::read(
        "EXPLAIN: {\n \"query_block\": {\n  \"table\": {\n   \"table_name\": \"t\",\n   \"attached_condition\": \"a = 'x\ny\"z'\",\n   \"rows\": 5\n  }\n }\n}",
    );
    let condition = plan.expect("reads").nodes().find_map(|node| node.condition.clone());
    assert_eq!(condition.as_deref(), Some("a = 'x\ny\"z'"));
}

#[test]
fn subqueries_and_derived_tables_hang_where_they_run() {
    let plan = plan!("mariadb-10.11-analyze-subqueries.json");
    assert_eq!(
        shape(&plan.root),
        "block(sort(temporary(join(<derived3>(materialized(block(sort(temporary(wp_postmeta))))) p) \
         subquery(materialized(block(wp_posts)) block(m)))))"
    );
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    let judged = plan.judge();
    assert!(judged.steps.iter().any(|step| step.table == "m" && step.loops > 1000.0), "{:?}", judged.steps);
    assert!(!judged.steps.iter().any(|step| step.table == "<derived3>"));
}

#[test]
fn a_join_buffer_is_read_once_and_filters_after_the_join() {
    let judged = plan!("mariadb-10.11-analyze-join-buffer.json").judge();
    assert_eq!(judged.rows_read, 4000.0);
    assert!((judged.rows_given - 4458.0).abs() < 1.0, "{}", judged.rows_given);
    let plan = plan!("mysql-5.7-block-nested-loop.json");
    assert_eq!(shape(&plan.root), "block(sort(temporary(join(refs accounts))))");
    let judged = plan.judge();
    assert_eq!((judged.rows_read, judged.counted), (6426.0, false));
    assert!(matches!(judged.reason, Reason::TableScan { .. }));
    assert_eq!(plan.cost, Some(21198.05));
    let bytes: Vec<_> = plan.nodes().filter_map(|node| node.bytes).collect();
    assert_eq!(bytes, [14 << 20, 14 << 20]);
}

#[test]
fn a_sort_for_ten_rows_of_many_says_so() {
    let judged = plan!("mariadb-10.11-analyze-top.json").judge();
    assert_eq!((judged.rows_read, judged.sorted[0].rows), (60_000.0, 60_000.0));
    assert_eq!((judged.sorted[0].what.as_str(), judged.rows_given), ("sort by orders.total desc", 10.0));
    assert!(matches!(&judged.reason, Reason::TableScan { table, .. } if table == "orders"));
}

#[test]
fn unions_and_windows_are_read() {
    let plan = plan!("mariadb-10.11-union.json");
    assert_eq!(shape(&plan.root), "block(union(block(orders) block(join(w o))))");
    let plan = plan!("mysql-8.0-union.json");
    assert_eq!(shape(&plan.root), "block(union(block(temporary(join(t1 t0))) block(t2)))");
    assert_eq!(plan.format, Format::MysqlBlocks);
    let plan = plan!("mariadb-10.11-window.json");
    assert_eq!(
        shape(&plan.root),
        "block(remove duplicates(window functions(sort(temporary(join(orders <subquery2>(materialized(block(wp_postmeta)))))))))"
    );
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn plans_of_iterators_are_read() {
    let plan = plan!("mysql-8.4-analyze-range.json");
    assert_eq!((plan.format, plan.analyzed), (Format::MysqlIterators, true));
    assert_eq!(tables(&plan), [("country", "range")]);
    assert_eq!(plan.judge().rows_given, 17.0);

    let plan = plan!("mysql-8.4-analyze-semijoin.json");
    assert_eq!(tables(&plan), [("u", "ALL"), ("<subquery2>", "eq_ref"), ("o", "ALL")]);
    let judged = plan.judge();
    assert_eq!((judged.rows_read, judged.rows_given), (15_000.0, 3000.0));
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);

    let plan = plan!("mysql-8.4-analyze-offset.json");
    assert_eq!(plan.root.kind, NodeKind::Limit { limit: Some(20), offset: 100 });
    assert_eq!(plan.judge().rows_given, 20.0);
}

#[test]
fn tables_of_explain_are_read_with_tabs_and_with_bars() {
    for plan in [plan!("mariadb-10.11-table.txt"), plan!("mariadb-10.11-analyze-tabs.txt")] {
        assert_eq!(shape(&plan.root), "block(sort(temporary(join(wp_posts wp_postmeta))))");
        assert_eq!(tables(&plan), [("wp_posts", "ref"), ("wp_postmeta", "ref")]);
        assert!(plan.nodes().any(|node| node.access.as_ref().is_some_and(|access| access.covering)));
    }
    assert_eq!(plan!("mariadb-10.11-analyze-tabs.txt").judge().rows_read, 38_571.0);
}

#[test]
fn batch_output_of_the_client_is_unwrapped() {
    let plan = plan!("mariadb-10.11-explain-batch.txt");
    assert_eq!(shape(&plan.root), "block(sort(temporary(join(wp_posts wp_postmeta))))");
}

#[test]
fn what_is_not_known_is_kept() {
    let plan = Plan::read(
        r#"{"query_block": {"select_id": 1, "hovering": {"nested_loop": [{"table": {"table_name": "t", "access_type": "ALL",
            "rows": 7, "warp_factor": 9}}]}}}"#,
    )
    .expect("reads");
    assert_eq!(plan.notes, ["a step `hovering` that is not known"]);
    assert_eq!(tables(&plan), [("t", "ALL")]);
    assert!(plan.nodes().any(|node| node.facts == ["warp_factor: 9"]));
}

#[test]
fn what_is_no_plan_is_refused() {
    for text in ["", "{}", "[]", "{\"a\": 1}", "SELECT 1", "id\tname\n1\tx\n", "{\"query_block\": "] {
        assert!(Plan::read(text).is_err(), "{text}");
    }
    let deep = format!("{}1{}", "{\"query_block\":".repeat(100_000), "}".repeat(100_000));
    assert!(Plan::read(&deep).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]:,\"a-z_0-9 |\t\n.]{0,300}") {
        if let Ok(plan) = Plan::read(&text) {
            plan.judge();
        }
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in 0usize..2200, byte in any::<u8>()) {
        for text in [include_str!("../../tests/plans/mariadb-10.11-analyze-meta-query.json"), include_str!("../../tests/plans/mysql-8.4-analyze-offset.json")] {
            let mut bytes = text.as_bytes().to_vec();
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            if let Ok(plan) = Plan::read(&String::from_utf8_lossy(&bytes)) {
                plan.judge();
            }
        }
    }
}
