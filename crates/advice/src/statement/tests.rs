use proptest::prelude::*;

use super::*;
use crate::{Column, TableDefinition};

fn parse(sql: &str) -> Statement {
    Statement::parse(sql, &Dialect::default()).expect(sql)
}

fn roles(statement: &Statement, block: usize) -> Vec<(String, Role, bool)> {
    let name = |predicate: &Predicate| {
        let table = predicate.column.place.and_then(|place| statement.table(place));
        format!("{}.{}", table.map_or("?", |table| table.alias.as_str()), predicate.column.name)
    };
    let predicates = &statement.blocks[block].predicates;
    predicates.iter().map(|predicate| (name(predicate), predicate.role.clone(), predicate.required)).collect()
}

fn text(value: &str) -> Literal {
    Literal::Text(value.to_owned())
}

fn number(value: &str) -> Literal {
    Literal::Number(value.to_owned())
}

fn schema(tables: &[(&str, &[&str])]) -> Schema {
    let mut schema = Schema::default();
    for (name, columns) in tables {
        let columns = columns.iter().map(|name| Column { name: (*name).to_owned(), ..Column::default() });
        let table = TableDefinition {
            name: (*name).to_owned(),
            columns: columns.collect(),
            ..TableDefinition::default()
        };
        schema.tables.insert((*name).to_owned(), table);
    }
    schema
}

#[test]
fn a_meta_query_of_wordpress_gives_every_role() {
    let statement = parse(
        r#"SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id )
        WHERE 1=1 AND ( wp_postmeta.meta_key = '_layout' AND wp_postmeta.meta_value LIKE '%"type":"breaking"%' )
        AND wp_posts.post_type = 'post' AND ((wp_posts.post_status = 'publish' OR wp_posts.post_status = 'private'))
        GROUP BY wp_posts.ID ORDER BY wp_posts.post_date DESC LIMIT 30, 15;"#,
    );
    let post = ColumnUse { place: Some(Place { block: 0, table: 0 }), name: "ID".to_owned() };
    let meta = ColumnUse { place: Some(Place { block: 0, table: 1 }), name: "post_id".to_owned() };
    assert_eq!(
        roles(&statement, 0),
        [
            ("wp_posts.ID".to_owned(), Role::Join(meta), true),
            ("wp_postmeta.post_id".to_owned(), Role::Join(post.clone()), true),
            ("wp_postmeta.meta_key".to_owned(), Role::Equal(text("_layout")), true),
            (
                "wp_postmeta.meta_value".to_owned(),
                Role::LikeAnywhere(r#"%"type":"breaking"%"#.to_owned()),
                true
            ),
            ("wp_posts.post_type".to_owned(), Role::Equal(text("post")), true),
            ("wp_posts.post_status".to_owned(), Role::In(vec![text("publish"), text("private")]), true),
        ]
    );
    let block = statement.outer().expect("a block");
    assert!(block.found_rows && !block.select.star);
    assert_eq!((block.limit, block.offset), (Some(15), Some(30)));
    assert_eq!(block.group_by[0].column.as_ref(), Some(&post));
    assert!(block.order_by[0].descending);
    assert_eq!(block.order_by[0].column.as_ref().map(|column| column.name.as_str()), Some("post_date"));
}

#[test]
fn a_condition_of_an_outer_join_narrows_its_own_table_only() {
    let statement =
        parse("SELECT a.x FROM a LEFT JOIN b ON b.id = a.id AND b.kind = 'x' AND a.y = 1 WHERE b.id IS NULL");
    let place = |table| Place { block: 0, table };
    let names = |table: usize| -> Vec<&str> {
        let block = statement.outer().expect("a block");
        block.narrowing(place(table)).map(|predicate| predicate.column.name.as_str()).collect()
    };
    assert_eq!(names(0), Vec::<&str>::new());
    assert_eq!(names(1), ["id", "kind", "id"]);
    assert_eq!(statement.blocks[0].tables[1].join, JoinKind::Left);
}

#[test]
fn what_is_made_of_a_column_is_named_with_what_it_is_compared_with() {
    let statement = parse(
        "SELECT 1 FROM t WHERE YEAR(d) = 2024 AND CAST(v AS SIGNED) BETWEEN '1' AND '9' AND 5 < n + 1 AND LOWER(s) LIKE 'a%'
         AND s COLLATE utf8mb4_bin = 'x' AND DATE(d) >= NOW() - INTERVAL 1 DAY",
    );
    let made: Vec<(String, String, String, usize)> = roles(&statement, 0)
        .into_iter()
        .filter_map(|(column, role, _)| match role {
            Role::Wrapped(made) => Some((column, made.function, made.operator, made.with.len())),
            _ => None,
        })
        .collect();
    let expected = [
        ("t.d", "YEAR", "=", 1),
        ("t.v", "CAST", "BETWEEN", 2),
        ("t.n", "+", ">", 1),
        ("t.s", "LOWER", "LIKE", 1),
        ("t.s", "COLLATE", "=", 1),
        ("t.d", "DATE", ">=", 1),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(a, b, c, d)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned(), *d)).collect();
    assert_eq!(made, expected);
}

#[test]
fn alternatives_over_several_columns_are_not_required() {
    let statement = parse("SELECT 1 FROM t WHERE a = 1 AND (b = 2 OR c LIKE '%x%') AND NOT d = 1");
    assert_eq!(
        roles(&statement, 0),
        [
            ("t.a".to_owned(), Role::Equal(number("1")), true),
            ("t.b".to_owned(), Role::Equal(number("2")), false),
            ("t.c".to_owned(), Role::LikeAnywhere("%x%".to_owned()), false),
            ("t.d".to_owned(), Role::Not, true),
        ]
    );
}

#[test]
fn patterns_of_like_keep_what_stands_before_the_first_wildcard() {
    for (pattern, role) in [
        ("'abc%'", Role::LikePrefix("abc".to_owned())),
        (r"'\\_transient\\_%'", Role::LikePrefix("_transient_".to_owned())),
        ("'%abc'", Role::LikeAnywhere("%abc".to_owned())),
        ("'_bc'", Role::LikeAnywhere("_bc".to_owned())),
        ("'abc'", Role::Equal(text("abc"))),
        ("CONCAT('a', b)", Role::Other),
    ] {
        let statement = parse(&format!("SELECT 1 FROM t WHERE c LIKE {pattern}"));
        assert_eq!(statement.blocks[0].predicates[0].role, role, "{pattern}");
    }
}

#[test]
fn subqueries_unions_and_common_tables_are_blocks_of_their_own() {
    let statement = parse(
        "WITH recent AS (SELECT ID FROM wp_posts WHERE post_date > '2024-01-01')
         SELECT r.ID, (SELECT COUNT(*) FROM wp_postmeta m WHERE m.post_id = r.ID) AS c FROM recent r
         JOIN (SELECT object_id FROM rel WHERE kind IN (1, 2)) AS d ON d.object_id = r.ID
         WHERE r.ID IN (SELECT post_id FROM flags WHERE breaking = 1) AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.id = r.ID)
         ORDER BY c DESC, 1",
    );
    let roles: Vec<&BlockRole> = statement.blocks.iter().map(|block| &block.role).collect();
    assert_eq!(
        roles,
        [
            &BlockRole::Outer,
            &BlockRole::Cte("recent".to_owned()),
            &BlockRole::Derived("d".to_owned()),
            &BlockRole::Scalar,
            &BlockRole::In { negated: false },
            &BlockRole::Exists { negated: true },
        ]
    );
    let outer = statement.outer().expect("a block");
    assert_eq!(outer.tables.iter().map(|table| table.derived).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(
        outer.predicates.iter().any(|predicate| predicate.role == Role::InBlock(4) && predicate.required)
    );
    assert_eq!(outer.order_by[1].column.as_ref().map(|column| column.name.as_str()), Some("ID"));
    let inner = &statement.blocks[3].predicates[0];
    assert!(
        matches!(&inner.role, Role::Join(other) if other.place == Some(Place { block: 0, table: 0 })),
        "{inner:?}"
    );

    let union = parse("SELECT a FROM t WHERE b = 1 UNION ALL SELECT a FROM u WHERE b = 2 ORDER BY a LIMIT 3");
    assert!(union.union && union.blocks[1].role == BlockRole::Union && union.blocks[0].limit.is_none());
}

#[test]
fn columns_without_a_table_are_found_in_the_schema() {
    let schema =
        schema(&[("posts", &["ID", "post_date"]), ("meta", &["post_id", "meta_key"]), ("other", &["x"])]);
    let sql = "SELECT ID FROM posts JOIN meta ON ID = post_id WHERE meta_key = 'a' AND post_date > '2024' AND nowhere = 1
               AND EXISTS (SELECT 1 FROM other WHERE x = ID)";
    let statement = Statement::parse_with(sql, &schema).expect("parses");
    let found: Vec<String> = roles(&statement, 0).into_iter().map(|(column, ..)| column).collect();
    assert_eq!(found, ["posts.ID", "meta.post_id", "meta.meta_key", "posts.post_date", "?.nowhere"]);
    let found: Vec<String> = roles(&statement, 1).into_iter().map(|(column, ..)| column).collect();
    assert_eq!(found, ["other.x", "posts.ID"]);
}

#[test]
fn updates_and_deletes_read_too_and_inserts_of_values_do_not() {
    let update = parse(
        "UPDATE a SET claim_id = 5 WHERE claim_id = 0 AND status = 'pending' ORDER BY priority ASC LIMIT 25",
    );
    assert_eq!((update.kind, update.blocks[0].predicates.len()), (StatementKind::Update, 2));
    assert_eq!((update.blocks[0].order_by.len(), update.blocks[0].limit), (1, Some(25)));
    let delete =
        parse("DELETE a, b FROM o a, o b WHERE a.n LIKE 'x%' AND b.n = CONCAT('y', a.n) AND b.v < 5");
    assert_eq!((delete.kind, delete.blocks[0].tables.len()), (StatementKind::Delete, 2));
    let insert = parse("INSERT INTO o (a, b) VALUES (1, 'x') ON DUPLICATE KEY UPDATE b = VALUES(b)");
    assert_eq!((insert.kind, insert.blocks.len()), (StatementKind::Insert, 0));
    assert_eq!(parse("INSERT INTO o SELECT a FROM p WHERE b = 1").blocks.len(), 1);
    assert_eq!(
        parse("SELECT SQL_CACHE a FROM t FORCE INDEX (x) WHERE a = 1").blocks[0].tables[0].hints.len(),
        1
    );
}

#[test]
fn several_statements_and_nonsense_are_refused() {
    let parse = |sql: &str| Statement::parse(sql, &Dialect::default());
    assert_eq!(parse("SELECT 1; SELECT 2"), Err(Unparsed::Several(2)));
    assert_eq!(parse(""), Err(Unparsed::Several(0)));
    assert!(matches!(parse("SELEC 1"), Err(Unparsed::Syntax(_))));
    assert!(matches!(parse("SELECT 'a"), Err(Unparsed::Syntax(_))));
    assert!(matches!(parse(&format!("SELECT {}", "1 ".repeat(1 << 20))), Err(Unparsed::TooLong(_))));
}

#[test]
fn deep_and_endless_expressions_are_refused_before_they_cost_the_stack() {
    let many = 50_000;
    for sql in [
        format!("SELECT {}1{}", "(".repeat(many), ")".repeat(many)),
        format!("SELECT 1 FROM t WHERE a = 1{}", " OR a = 1".repeat(many)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(many)),
        format!("SELECT {}1", "- ".repeat(many)),
        format!("SELECT {}1", "NOT ".repeat(many)),
        format!("SELECT 1{}", " + 1".repeat(many)),
        format!("SELECT {}1", "CASE WHEN ".repeat(many)),
        format!("SELECT a{}", ".b".repeat(many)),
        format!("SELECT 1 FROM t{}", " JOIN t ON 1".repeat(many / 2)),
        format!("SELECT {}1", "f(".repeat(many)),
        format!("SELECT a{}", " IS NULL".repeat(many)),
        format!("SELECT a{}", "::int".repeat(many)),
        format!("SELECT {}1", "BINARY ".repeat(many)),
        "BEGIN ".repeat(many),
        format!("SELECT {}", "@".repeat(many)),
    ] {
        let read = Statement::parse(&sql, &Dialect::default());
        drop(read);
    }
    let longest = format!("SELECT a{0} FROM t WHERE a{0} = 1 ORDER BY a{0}", " + 1".repeat(390));
    assert_eq!(parse(&longest).blocks[0].order_by.len(), 1);
    let deepest = format!("SELECT a FROM t WHERE a{} = 1", " + 1".repeat(1190));
    assert_eq!(parse(&deepest).blocks[0].predicates.len(), 1);
    let terms = format!("SELECT 1 FROM t WHERE a = 1{}", " OR a = 1".repeat(590));
    assert!(matches!(&parse(&terms).blocks[0].predicates[0].role, Role::In(values) if values.len() == 591));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\u{e4}\u{1f600}\n]{0,200}") {
        let _ = Statement::parse(&text, &Dialect::default());
    }

    #[test]
    fn no_order_of_words_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "SELECT", "FROM", "WHERE", "(", ")", "a", "b.c", "=", "IN", "LIKE", "'x%'", "1", ",", "AND", "OR", "NOT", "JOIN", "ON",
        "LEFT", "GROUP BY", "ORDER BY", "LIMIT", "UNION", "WITH", "AS", "EXISTS", "BETWEEN", "NULL", "IS", "*", "USING", "UPDATE",
        "SET", "DELETE", "`t`", "@v", "CASE", "WHEN", "END", "INTERVAL", "DAY", "CAST", "SIGNED", "MATCH", "AGAINST", "COUNT",
    ]), 0..40)) {
        let _ = Statement::parse(&words.join(" "), &Dialect::default());
    }
}
