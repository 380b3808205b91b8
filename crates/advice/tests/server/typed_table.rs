use std::collections::BTreeMap;

use advice::trial::{Limits, Place, Stop, Trial};
use advice::typed_table::{self, KeyStatistics};
use advice::{Advice, Schema, Statement};

use crate::random::Random;
use crate::shop::{Shop, names};

const CLASS: &str = "0123456789ABCDEF0123456789ABCDEF";
/// As a page builder asks.
const BREAKING: &str = r#"SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts
INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id ) WHERE 1=1
AND ( wp_postmeta.meta_key = '_builder_layout_data' AND wp_postmeta.meta_value LIKE '%"layout_type":"breaking_news"%' )
AND wp_posts.post_type = 'post' AND (wp_posts.post_status = 'publish')
GROUP BY wp_posts.ID ORDER BY wp_posts.post_date DESC LIMIT 0, 15;"#;
/// As a shop asks: two keys, a number to compare and to order by.
const PRICES: &str = "SELECT wp_posts.* FROM wp_posts INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id )
INNER JOIN wp_postmeta AS mt1 ON ( wp_posts.ID = mt1.post_id ) WHERE 1=1
AND wp_postmeta.meta_key = 'price' AND CAST(wp_postmeta.meta_value AS DECIMAL(10,2)) BETWEEN '5' AND '20'
AND mt1.meta_key = 'brand' AND mt1.meta_value = 'it\\'s \\\\ é' AND wp_posts.post_status IN ('publish', 'private')
GROUP BY wp_posts.ID ORDER BY wp_postmeta.meta_value+0 ASC, wp_posts.ID ASC LIMIT 10";

fn advise(shop: &mut Shop, query: &str) -> Advice {
    let schema = Schema::read(&mut shop.connection, shop.name, None).unwrap();
    let statement = Statement::parse(query, &schema.dialect).unwrap();
    let found = typed_table::find(&statement).unwrap().expect("attributes in rows");
    let (attributes, link, keys) = found.keys();
    let statistics: BTreeMap<String, KeyStatistics> = keys
        .into_iter()
        .map(|key| {
            (key.to_owned(), KeyStatistics::read(&mut shop.connection, attributes, link, key).unwrap())
        })
        .collect();
    found.advise(CLASS, &schema, &statistics).unwrap()
}

fn apply(shop: &mut Shop, advice: &Advice) {
    for step in &advice.up {
        assert_eq!(shop.value(&step.probe), "0", "{}", step.what);
        while shop.run(&step.sql) > 0 && step.until_no_rows {}
        assert_eq!(shop.value(&step.probe), "1", "{}", step.what);
    }
}

fn undo(shop: &mut Shop, advice: &Advice) {
    let down: Vec<&str> = advice.down().collect();
    for sql in down {
        shop.run(sql);
    }
}

fn check(advice: &Advice) -> &str {
    let caution = advice
        .cautions
        .iter()
        .find_map(|caution| caution.strip_prefix("rows that differ from a fresh computation (must be 0): "));
    caution.expect("a statement that checks")
}

fn news(shop: &mut Shop, posts: u32) {
    shop.fill(posts);
    shop.run(
        "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, '_builder_layout_data', CONCAT('{\"v\":1,\"layout_type\":\"', \
         IF(ID % 37 = 0, 'breaking_news', 'standard'), '\",\"blob\":\"', REPEAT(MD5(ID), 12), '\"}') FROM wp_posts",
    );
    shop.run(
        "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, 'price', ROUND(ID % 97 + 0.5, 2) FROM wp_posts WHERE ID % 2 = 0",
    );
    shop.run(
        "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, 'brand', IF(ID % 5 = 0, 'it''s \\\\ é', 'other') FROM wp_posts",
    );
    shop.run("ANALYZE TABLE wp_posts, wp_postmeta");
}

#[test]
fn a_flag_serves_what_a_pattern_asked_for() {
    let mut shop = Shop::open("flag");
    news(&mut shop, 8_000);
    let advice = advise(&mut shop, BREAKING);
    let limits = Limits { bytes: 64 << 20, ..Limits::default() };
    let tables = names(&["wp_posts", "wp_postmeta"]);
    let mut trial =
        Trial::prepare(&shop.login, shop.name, &tables, Place::ThrowAway, &limits, &Stop::default()).unwrap();
    let outcome = trial.of(&advice, &[]).unwrap();
    assert!(outcome.helps, "{outcome:#?}\n{advice:#?}");
    assert!(outcome.queries.iter().all(|query| query.same_rows == Some(true)), "{outcome:#?}");
    let last = outcome.queries.last().unwrap();
    assert!(last.before_rows_read > 16_000 && last.after_rows_read < 40, "{last:?}");
    let [all, first] = advice.rewrites.as_slice() else { panic!("{advice:#?}") };
    assert!(all.after.contains("SQL_CALC_FOUND_ROWS") && all.differs.is_empty(), "{all:?}");
    assert!(!first.after.contains("SQL_CALC_FOUND_ROWS") && first.differs.len() == 1, "{first:?}");
}

#[test]
fn columns_of_the_right_type_serve_comparisons_and_order() {
    let mut shop = Shop::open("prices");
    news(&mut shop, 8_000);
    let advice = advise(&mut shop, PRICES);
    let before = shop.connection.query(PRICES).unwrap();
    assert_eq!(before.rows.len(), 10);
    apply(&mut shop, &advice);
    let after = shop.connection.query(&advice.rewrites[0].after).unwrap();
    assert_eq!(before, after, "{advice:#?}");
    assert_eq!(shop.value(check(&advice)), "0");
    undo(&mut shop, &advice);
    assert_eq!(shop.column("SHOW TABLES"), ["wp_postmeta", "wp_posts"]);
    assert_eq!(shop.column("SHOW TRIGGERS"), Vec::<String>::new());
}

/// One change, of any kind that an application makes.
fn change(shop: &mut Shop, random: &mut Random) -> String {
    let post = random.below(40);
    let key = *random.of(&["_builder_layout_data", "price", "brand", "else", "PRICE"]);
    let value = *random.of(&[
        r#"'x"layout_type":"breaking_news"y'"#,
        "'12.50'",
        "'abc'",
        "NULL",
        "''",
        "'7'",
        "'it''s \\\\ é'",
        "'-3e2'",
        "'99999999999999'",
    ]);
    let status = *random.of(&["publish", "draft", "private", "PUBLISH"]);
    let date = format!("'2021-01-{:02} 00:00:00'", random.below(28) + 1);
    let meta = random.below(80);
    let statement = match random.below(12) {
        0 | 1 => format!(
            "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES ({post}, '{key}', {value})"
        ),
        2 => format!(
            "REPLACE INTO wp_postmeta (meta_id, post_id, meta_key, meta_value) VALUES ({}, {post}, '{key}', {value})",
            meta + 1
        ),
        3 => format!("UPDATE wp_postmeta SET meta_value = {value} WHERE post_id = {post}"),
        4 => format!("UPDATE wp_postmeta SET meta_key = '{key}' WHERE post_id = {post}"),
        5 => format!("UPDATE wp_postmeta SET post_id = {post} WHERE meta_id % 80 = {meta}"),
        6 => format!("DELETE FROM wp_postmeta WHERE meta_id % 80 = {meta}"),
        7 => format!("DELETE FROM wp_posts WHERE ID = {post}"),
        8 => format!(
            "INSERT IGNORE INTO wp_posts (ID, post_date, post_status) VALUES ({}, {date}, '{status}')",
            post + 1
        ),
        9 => format!("UPDATE wp_posts SET post_status = '{status}', post_date = {date} WHERE ID = {post}"),
        10 => format!("UPDATE IGNORE wp_posts SET ID = {} WHERE ID = {post}", random.below(40) + 1),
        _ => format!(
            "INSERT INTO wp_postmeta (meta_id, post_id, meta_key) VALUES ({}, {post}, '{key}') ON DUPLICATE KEY UPDATE meta_value = {value}",
            meta + 1
        ),
    };
    shop.run(&statement);
    statement
}

#[test]
fn whatever_the_application_changes_the_typed_table_equals_a_fresh_computation() {
    let mut shop = Shop::open("random_changes");
    for id in 1..=40 {
        shop.run(&format!(
            "INSERT INTO wp_posts (ID, post_date) VALUES ({id}, '2021-01-{:02}')",
            id % 28 + 1
        ));
    }
    for key in ["_builder_layout_data", "price", "brand"] {
        shop.run(&format!("INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, '{key}', ID FROM wp_posts WHERE ID % 3 > 0"));
    }
    let strict =
        "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO";
    let pieces = [BREAKING, PRICES].map(|query| (query, advise(&mut shop, query)));
    for (query, advice) in pieces {
        shop.run(&format!("SET SESSION sql_mode = '{strict}'"));
        let (last, steps) = advice.up.split_last().unwrap();
        let mut early = advice.clone();
        early.up = steps.to_vec();
        apply(&mut shop, &early);
        let mut random = Random::new(query.len() as u64);
        for _ in 0..20 {
            change(&mut shop, &mut random);
        }
        while shop.run(&last.sql) > 0 {}
        assert_eq!(shop.value(&last.probe), "1");
        let check = check(&advice);
        assert_eq!(shop.value(check), "0", "after a backfill among changes");
        let before = "SET SESSION sql_mode = ''";
        for round in 0..250 {
            shop.run(&format!("SET SESSION sql_mode = '{strict}'"));
            let statement = change(&mut shop, &mut random);
            shop.run(before);
            assert_eq!(shop.value(check), "0", "round {round}: {statement}");
            if query == BREAKING {
                let all = |text: &str| text.split(" LIMIT ").next().unwrap_or_default().to_owned();
                let (mut old, mut new) =
                    (shop.column(&all(query)), shop.column(&all(&advice.rewrites[0].after)));
                old.sort();
                new.sort();
                assert_eq!(old, new, "round {round}");
            }
        }
        undo(&mut shop, &advice);
    }
}

#[test]
fn a_backfill_that_was_cut_short_goes_on_where_it_stopped() {
    let mut shop = Shop::open("cut_short");
    news(&mut shop, 3_500);
    let advice = advise(&mut shop, BREAKING);
    let (fill, steps) = advice.up.split_last().unwrap();
    for step in steps {
        shop.run(&step.sql);
    }
    assert_eq!(shop.run(&fill.sql), 1_000, "a chunk is bounded");
    shop.run("UPDATE wp_postmeta SET meta_value = 'x' WHERE meta_key = '_builder_layout_data' AND post_id IN (9, 3000, 9999)");
    let mut chunks = 0;
    while shop.run(&fill.sql) > 0 {
        chunks += 1;
        assert!(chunks < 6);
    }
    assert_eq!(shop.value(check(&advice)), "0");
    assert_eq!(shop.run(&fill.sql), 0, "done is done");
}

#[test]
fn queries_that_a_typed_table_would_change_are_declined() {
    for (query, reason) in [
        (
            "SELECT COUNT(*) FROM wp_posts p JOIN wp_postmeta m ON p.ID = m.post_id WHERE m.meta_key = 'a' AND m.meta_value > 1",
            "aggregates",
        ),
        (
            "SELECT * FROM wp_posts p JOIN wp_postmeta m ON p.ID = m.post_id WHERE m.meta_key = 'a'",
            "selects the attributes",
        ),
        (
            "SELECT p.ID FROM wp_posts p JOIN wp_postmeta m ON p.ID = m.post_id WHERE m.meta_key LIKE 'a%'",
            "more than one key",
        ),
        (
            "SELECT p.ID FROM wp_posts p JOIN wp_postmeta m ON p.ID = m.post_id JOIN wp_users u ON u.ID = p.post_author WHERE m.meta_key = 'a'",
            "further tables",
        ),
        (
            "SELECT p.ID FROM wp_posts p JOIN wp_postmeta m ON p.ID = m.post_id WHERE m.meta_key = 'a' AND m.meta_value = p.post_title",
            "several rows",
        ),
    ] {
        let statement = Statement::parse(query, &Default::default()).unwrap();
        let error = typed_table::find(&statement).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason), "{query}: {error}");
    }
    let other = Statement::parse("SELECT ID FROM wp_posts WHERE ID = 1", &Default::default()).unwrap();
    assert!(typed_table::find(&other).unwrap().is_none());
}

#[test]
fn one_call_finds_what_a_query_should_have() {
    let mut shop = Shop::open("one_call");
    news(&mut shop, 500);
    let schema = Schema::read(&mut shop.connection, shop.name, None).unwrap();
    let statement = Statement::parse(BREAKING, &schema.dialect).unwrap();
    let found = advice::restructure(&statement, &schema, CLASS, Some(&mut shop.connection));
    assert_eq!(
        found.advice.iter().map(|advice| advice.id.as_str()).collect::<Vec<_>>(),
        ["schema.attributes-as-rows"]
    );
    assert!(
        found.advice[0].why.iter().any(|why| why.contains("500 rows, text of up to")),
        "{:?}",
        found.advice[0].why
    );
    let without = advice::restructure(&statement, &schema, CLASS, None);
    assert_eq!(without.advice[0].rewrites, found.advice[0].rewrites);
    let ordered = Statement::parse(PRICES, &schema.dialect).unwrap();
    let declined = advice::restructure(&ordered, &schema, CLASS, None);
    assert!(declined.advice.is_empty() && declined.notes[0].contains("several rows"), "{declined:?}");
}
