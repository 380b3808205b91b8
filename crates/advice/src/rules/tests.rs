use super::*;
use crate::{Counted, Index};

const SHOP: &str = "
CREATE TABLE orders (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, customer varchar(40) NOT NULL, status varchar(20) NOT NULL, created datetime NOT NULL,
  total decimal(10,2) NOT NULL, note text, code varchar(64) NOT NULL, KEY customer (customer), KEY created (created), KEY code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE lines (
  id int NOT NULL PRIMARY KEY, order_id int NOT NULL, sku varchar(40) NOT NULL, amount int NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE wp_postmeta (
  meta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT, post_id bigint(20) unsigned NOT NULL, meta_key varchar(255) DEFAULT NULL,
  meta_value longtext, PRIMARY KEY (meta_id), KEY post_id (post_id), KEY meta_key (meta_key(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE small (id int PRIMARY KEY, name varchar(20)) ENGINE=InnoDB;
";

fn shop() -> Schema {
    let dialect = Dialect { mariadb: true, version: (10, 11, 6) };
    let mut schema = Schema::from_dump(SHOP.as_bytes(), dialect).expect("reads");
    for table in schema.tables.values_mut() {
        table.rows = Some(if table.name == "small" { 50 } else { 500_000 });
    }
    let distinct = [
        ("orders", "customer", 20_000),
        ("orders", "created", 480_000),
        ("wp_postmeta", "post_id", 40_000),
        ("wp_postmeta", "meta_key", 12),
    ];
    for (table, index, distinct) in distinct {
        let indexes = &mut schema.tables.get_mut(table).expect(table).indexes;
        let part = indexes.iter_mut().find(|known| known.name == index).expect(index);
        part.parts[0].distinct = Some(distinct);
    }
    schema
}

fn advised_with(sql: &str, schema: &Schema, figures: Figures) -> Vec<Advice> {
    let queries = [Query::new("C", sql, schema, figures)];
    assert!(queries[0].statement.is_ok(), "{sql}: {:?}", queries[0].statement);
    advise(&Case { queries: &queries, schema }, RULES)
}

fn advised(sql: &str) -> Vec<Advice> {
    advised_with(sql, &shop(), Figures::default())
}

fn ids(advice: &[Advice]) -> Vec<&str> {
    advice.iter().map(|one| one.id.as_str()).collect()
}

fn ups(advice: &[Advice]) -> Vec<&str> {
    advice.iter().flat_map(|one| one.up.iter().map(|step| step.sql.as_str())).collect()
}

#[test]
fn equality_comes_before_order_and_the_limit_ends_the_reading() {
    let advice = advised("SELECT note FROM orders WHERE status = 'paid' ORDER BY total DESC LIMIT 10");
    assert_eq!(ids(&advice), ["index.missing"]);
    assert_eq!(
        ups(&advice),
        ["ALTER TABLE `orders` ADD INDEX `idx_orders` (`status`, `total`), ALGORITHM=INPLACE, LOCK=NONE"
            .replace("idx_orders", "idx_status_total")]
    );
    assert_eq!(
        advice[0].down().collect::<Vec<_>>(),
        ["ALTER TABLE `orders` DROP INDEX `idx_status_total`, ALGORITHM=INPLACE, LOCK=NONE"]
    );
    assert!(
        advice[0].why.iter().any(|why| why.contains("LIMIT 10")) && advice[0].cautions[0].contains("on disk")
    );
    assert_eq!(advice[0].classes, ["C"]);
}

#[test]
fn equality_comes_before_a_range_and_small_columns_cover() {
    let advice = advised("SELECT id, total FROM orders WHERE created > '2024-01-01' AND status = 'paid'");
    assert_eq!(
        ups(&advice),
        [
            "ALTER TABLE `orders` ADD INDEX `idx_status_created_total` (`status`, `created`, `total`), ALGORITHM=INPLACE, LOCK=NONE"
        ]
    );
    assert!(advice[0].why.iter().any(|why| why.contains("every column")));
}

#[test]
fn an_index_that_is_the_beginning_is_replaced() {
    let advice = advised("SELECT note FROM orders WHERE customer IN ('a') AND status = 'x' AND total > 5");
    assert_eq!(ids(&advice), Vec::<&str>::new(), "25 rows for each customer are few");
    let mut schema = shop();
    let orders = schema.tables.get_mut("orders").expect("orders");
    orders
        .indexes
        .iter_mut()
        .for_each(|index| index.parts.iter_mut().for_each(|part| part.distinct = Some(10)));
    let advice = advised_with(
        "SELECT note FROM orders WHERE customer = 'a' AND status = 'x'",
        &schema,
        Figures::default(),
    );
    assert_eq!(
        ups(&advice),
        [
            "ALTER TABLE `orders` ADD INDEX `idx_customer_status` (`customer`, `status`), ALGORITHM=INPLACE, LOCK=NONE",
            "ALTER TABLE `orders` DROP INDEX `customer`, ALGORITHM=INPLACE, LOCK=NONE",
        ]
    );
    assert_eq!(
        advice[0].down().next(),
        Some("ALTER TABLE `orders` ADD INDEX `customer` (`customer`), ALGORITHM=INPLACE, LOCK=NONE")
    );
}

#[test]
fn no_index_is_advised_where_one_serves_or_nothing_is_gained() {
    for sql in [
        "SELECT note FROM orders WHERE id = 5",
        "SELECT note FROM orders WHERE customer = 'a' AND status = 'x'",
        "SELECT note FROM orders WHERE created > '2024-01-01'",
        "SELECT note FROM orders ORDER BY created DESC LIMIT 5",
        "SELECT note FROM orders ORDER BY id DESC LIMIT 5",
        "SELECT name FROM small WHERE name = 'x'",
        "SELECT meta_value FROM wp_postmeta WHERE post_id = 5 AND meta_key = '_price'",
        "SELECT note FROM orders",
        "SELECT note FROM orders FORCE INDEX (created) WHERE status = 'x'",
        "INSERT INTO orders (customer) VALUES ('x')",
        "SELECT note FROM orders WHERE status = 'x' OR total = 5",
        "SELECT x FROM elsewhere WHERE x = 5",
    ] {
        assert_eq!(ups(&advised(sql)), Vec::<&str>::new(), "{sql}");
    }
    let few = Figures { rows_examined: Some(40.0), rows_sent: Some(4.0), ..Figures::default() };
    assert!(advised_with("SELECT note FROM orders WHERE status = 'paid'", &shop(), few).is_empty());
    let all_sent = Figures { rows_examined: Some(90_000.0), rows_sent: Some(80_000.0), ..Figures::default() };
    assert!(advised_with("SELECT note FROM orders WHERE status = 'paid'", &shop(), all_sent).is_empty());
}

#[test]
fn a_joined_table_is_looked_up_by_an_index() {
    let advice = advised(
        "SELECT o.note, l.sku FROM orders o LEFT JOIN lines l ON l.order_id = o.id WHERE o.customer = 'a'",
    );
    assert_eq!(
        ups(&advice),
        ["ALTER TABLE `lines` ADD INDEX `idx_order_id` (`order_id`), ALGORITHM=INPLACE, LOCK=NONE"]
    );
    let advice = advised(
        "SELECT o.note, l.sku FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.customer = 'a'",
    );
    assert_eq!(ups(&advice).len(), 1);
    // Read from the side of `lines`, each order is found by its primary key.
    assert!(
        ups(&advised("SELECT o.note FROM orders o JOIN lines l ON l.order_id = o.id WHERE l.sku = 'a'"))
            .is_empty()
    );
}

#[test]
fn nothing_is_said_of_tables_that_are_not_known() {
    let empty = Schema::default();
    for sql in [
        "SELECT note FROM orders WHERE status = 'paid' ORDER BY total LIMIT 10",
        "SELECT * FROM orders WHERE YEAR(created) = 2024",
        "SELECT * FROM orders WHERE code = 5 AND note LIKE '%x%'",
        "SELECT SQL_CALC_FOUND_ROWS id FROM orders LIMIT 10",
        "DELETE FROM orders WHERE id IN (SELECT order_id FROM lines)",
    ] {
        assert_eq!(ids(&advised_with(sql, &empty, Figures::default())), Vec::<&str>::new(), "{sql}");
    }
}

#[test]
fn superfluous_indexes_go_and_unique_ones_stay() {
    let dump = "CREATE TABLE t (id int NOT NULL, a int, b int, c varchar(300), PRIMARY KEY (id), KEY a (a), KEY ab (a,b), UNIQUE KEY ua (a),
        KEY c10 (c(10)), KEY c (c), KEY ab2 (a,b), KEY pk (id), FULLTEXT KEY f (c), KEY ad (a DESC), UNIQUE KEY uab (a,b)) ENGINE=InnoDB;";
    let schema = Schema::from_dump(dump.as_bytes(), Dialect::default()).expect("reads");
    let advice = advise(&Case { queries: &[], schema: &schema }, RULES);
    let titles: Vec<&str> = advice.iter().map(|one| one.title.as_str()).collect();
    let gone = |name: &str| titles.iter().any(|title| title.contains(&format!("`{name}`")));
    for name in ["a", "ab", "ab2", "c10", "pk"] {
        assert!(gone(name), "{name} of {titles:?}");
    }
    for name in ["ua", "c", "f", "ad", "uab", "PRIMARY"] {
        assert!(!gone(name), "{name} of {titles:?}");
    }
    assert!(ids(&advice).iter().all(|id| *id == "index.redundant"));
    let query = Query::new("C", "SELECT b FROM t USE INDEX (c10) WHERE c = 'x'", &schema, Figures::default());
    let advice = advise(&Case { queries: &[query], schema: &schema }, RULES);
    assert!(!advice.iter().any(|one| one.title.contains("`c10`")), "a hint names it");
}

#[test]
fn unused_indexes_are_hidden_once_the_server_has_counted_for_long() {
    let mut schema = shop();
    let set = |schema: &mut Schema, uptime_s: u64| {
        schema.counted = Some(Counted { source: "userstat".to_owned(), uptime_s });
        let indexes = schema.tables.get_mut("orders").map(|table| &mut table.indexes).expect("orders");
        indexes.iter_mut().for_each(|index: &mut Index| index.used = Some(index.name != "created"));
        schema.tables.get_mut("orders").expect("orders").indexes.iter_mut().for_each(|index| {
            if index.name == "code" {
                index.used = Some(false);
            }
        });
    };
    set(&mut schema, 3600);
    assert!(advise(&Case { queries: &[], schema: &schema }, RULES).is_empty(), "an hour is no proof");
    set(&mut schema, 30 * 86_400);
    let query = Query::new("C", "SELECT id FROM orders WHERE code = 'x'", &schema, Figures::default());
    let advice = advise(&Case { queries: &[query], schema: &schema }, RULES);
    assert_eq!(ups(&advice), ["ALTER TABLE `orders` ALTER INDEX `created` IGNORED"], "`code` is asked for");
    assert_eq!(advice[0].down().next(), Some("ALTER TABLE `orders` ALTER INDEX `created` NOT IGNORED"));
    schema.dialect = Dialect { mariadb: false, version: (5, 7, 40) };
    let advice = advise(&Case { queries: &[], schema: &schema }, RULES);
    assert!(ups(&advice).iter().all(|sql| sql.contains("DROP INDEX")) && advice.len() == 2);
}

#[test]
fn found_rows_become_a_second_statement() {
    let advice = advised(
        "SELECT SQL_CALC_FOUND_ROWS o.id FROM orders o WHERE o.customer = 'a' GROUP BY o.id ORDER BY o.created LIMIT 0, 10",
    );
    let found = advice.iter().find(|one| one.id == "query.found-rows").expect("advice");
    let rewrite = &found.rewrites[0];
    assert_eq!(
        rewrite.after,
        "SELECT o.id FROM orders o WHERE o.customer = 'a' GROUP BY o.id ORDER BY o.created LIMIT 0, 10"
    );
    assert!(
        rewrite.differs[0].ends_with("SELECT COUNT(DISTINCT o.id) FROM orders o WHERE o.customer = 'a'"),
        "{:?}",
        rewrite.differs
    );
    assert!(found.cautions[0].contains("no_found_rows"));
    assert!(
        !ids(&advised("SELECT SQL_CALC_FOUND_ROWS id FROM small LIMIT 10")).contains(&"query.found-rows")
    );
    assert!(
        !ids(&advised("SELECT SQL_CALC_FOUND_ROWS id FROM orders")).contains(&"query.found-rows"),
        "without LIMIT it is free"
    );
}

#[test]
fn deep_pages_go_on_from_the_last_row() {
    let advice = advised(
        "SELECT id, note FROM orders WHERE customer = 'a' ORDER BY created DESC LIMIT 20 OFFSET 40000",
    );
    let deep = advice.iter().find(|one| one.id == "query.deep-offset").expect("advice");
    assert_eq!(
        deep.rewrites[0].after,
        "SELECT id, note FROM orders WHERE (customer = 'a') AND (orders.created, orders.id) < (:last_created, :last_id) \
         ORDER BY orders.created DESC, orders.id DESC LIMIT 20"
    );
    let unordered = advised("SELECT id FROM orders LIMIT 5000, 10");
    assert!(
        unordered[0].rewrites.is_empty()
            && unordered[0].why.iter().any(|why| why.contains("not even defined"))
    );
    assert!(
        !ids(&advised("SELECT id FROM orders ORDER BY id LIMIT 20 OFFSET 100"))
            .contains(&"query.deep-offset")
    );
}

#[test]
fn a_search_for_words_gets_an_index_of_words() {
    let advice = advised("SELECT id FROM orders WHERE note LIKE '%shirt%'");
    assert_eq!(ids(&advice), ["query.leading-wildcard"]);
    assert_eq!(
        ups(&advice),
        ["ALTER TABLE `orders` ADD FULLTEXT INDEX `idx_note` (`note`), ALGORITHM=INPLACE, LOCK=SHARED"]
    );
    let advice = advised(
        r#"SELECT post_id FROM wp_postmeta WHERE meta_key = '_layout' AND meta_value LIKE '%"type":"x"%'"#,
    );
    assert_eq!(ids(&advice), ["query.leading-wildcard"]);
    assert!(ups(&advice).is_empty(), "what is serialized holds no words");
    for sql in [
        "SELECT id FROM orders WHERE code LIKE 'abc%'",
        "SELECT id FROM orders WHERE customer = 'a' AND note LIKE '%x%'",
        "SELECT id FROM small WHERE name LIKE '%x%'",
    ] {
        assert!(!ids(&advised(sql)).contains(&"query.leading-wildcard"), "{sql}");
    }
}

#[test]
fn functions_that_hide_a_column_become_ranges_of_it() {
    let after = |sql: &str| {
        let advice = advised(sql);
        let found = advice.into_iter().find(|one| one.id == "query.function-on-column");
        found.map(|one| (one.rewrites[0].after.clone(), one.up.len()))
    };
    let of = |condition: &str| after(&format!("SELECT note FROM orders WHERE {condition}"));
    let sql = |condition: &str, up: usize| Some((format!("SELECT note FROM orders WHERE {condition}"), up));
    assert_eq!(of("YEAR(created) = 2024"), sql("(created >= '2024-01-01' AND created < '2025-01-01')", 0));
    assert_eq!(
        of("DATE(created) = '2024-02-03'"),
        sql("(created >= '2024-02-03' AND created < '2024-02-03' + INTERVAL 1 DAY)", 0)
    );
    assert_eq!(of("LOWER(status) = 'paid'"), sql("status = 'paid'", 1), "and an index, for there is none");
    for none in [
        "MONTH(created) = 5",
        "YEAR(created) > 2024",
        "LOWER(status) = 'Paid'",
        "created + INTERVAL 1 DAY > NOW()",
        "YEAR(note) = 2024",
    ] {
        assert_eq!(of(none), None, "{none}");
    }
    let mut newer = shop();
    newer.dialect.version = (11, 4, 2);
    let advice =
        advised_with("SELECT note FROM orders WHERE YEAR(created) = 2024", &newer, Figures::default());
    assert!(!ids(&advice).contains(&"query.function-on-column"), "this server does it by itself");
}

#[test]
fn text_compared_with_numbers_is_quoted() {
    let advice = advised("SELECT note FROM orders WHERE code = 1234");
    let cast = advice.iter().find(|one| one.id == "query.cast-on-column").expect("advice");
    assert_eq!(cast.rewrites[0].after, "SELECT note FROM orders WHERE code = '1234'");
    assert!(!cast.rewrites[0].differs.is_empty());
    for sql in [
        "SELECT note FROM orders WHERE code = '1234'",
        "SELECT note FROM orders WHERE id = '12'",
        "SELECT id FROM orders WHERE status = 5",
    ] {
        assert!(!ids(&advised(sql)).contains(&"query.cast-on-column"), "{sql}");
    }
    let advice = advised("SELECT l.sku FROM lines l JOIN orders o ON o.code = l.order_id");
    assert!(
        advice
            .iter()
            .any(|one| one.id == "query.cast-on-column" && one.why[0].contains("compared as numbers"))
    );
}

#[test]
fn a_star_over_many_rows_that_an_index_covers_is_named() {
    let many = Figures { rows_sent: Some(50_000.0), rows_examined: Some(60_000.0), ..Figures::default() };
    let sql = "SELECT * FROM orders WHERE created > '2024-01-01'";
    assert!(ids(&advised_with(sql, &shop(), many)).contains(&"query.star-breaks-covering"));
    assert!(!ids(&advised(sql)).contains(&"query.star-breaks-covering"), "nobody counted the rows");
    let named = "SELECT id FROM orders WHERE created > '2024-01-01'";
    assert!(!ids(&advised_with(named, &shop(), many)).contains(&"query.star-breaks-covering"));
}

#[test]
fn deletes_by_a_subquery_are_joined_where_the_server_does_not() {
    let sql = "DELETE FROM orders WHERE id IN (SELECT order_id FROM lines WHERE sku = 'x')";
    let advice = advised(sql);
    let found = advice.iter().find(|one| one.id == "query.in-subquery").expect("advice");
    assert_eq!(
        found.rewrites[0].after,
        "DELETE orders FROM orders JOIN (SELECT DISTINCT order_id FROM (SELECT order_id FROM lines WHERE sku = 'x') AS listed) AS found \
         ON found.order_id = orders.id"
    );
    let mut newer = shop();
    newer.dialect = Dialect { mariadb: false, version: (8, 0, 36) };
    assert!(!ids(&advised_with(sql, &newer, Figures::default())).contains(&"query.in-subquery"));
    assert!(
        !ids(&advised("SELECT note FROM orders WHERE id IN (SELECT order_id FROM lines)"))
            .contains(&"query.in-subquery")
    );
}

#[test]
fn the_same_index_for_several_queries_is_said_once_and_by_time() {
    let schema = shop();
    let figures = |time_s: f64| Figures { time_s, count: 3, ..Figures::default() };
    let queries = [
        Query::new("A", "SELECT note FROM orders WHERE status = 'paid'", &schema, figures(1.0)),
        Query::new("B", "SELECT note FROM lines WHERE sku = 'x'", &schema, figures(5.0)),
        Query::new("D", "SELECT note FROM orders WHERE status = 'open'", &schema, figures(2.0)),
    ];
    let advice = advise(&Case { queries: &queries, schema: &schema }, RULES);
    let classes: Vec<&[String]> = advice.iter().map(|one| one.classes.as_slice()).collect();
    assert_eq!(classes, [&["B".to_owned()][..], &["A".to_owned(), "D".to_owned()][..]]);
}
