use advice::spatial::{self, Coordinates};
use advice::trial::{Limits, Place, Stop, Trial};
use advice::{Advice, Schema, Statement};

use crate::random::Random;
use crate::shop::{Shop, names};

const CLASS: &str = "0123456789ABCDEF0123456789ABCDEF";

/// As a travel site asks; with `LEAST`, for a sum that rounds to more than 1 has no arc cosine.
fn query(latitude: f64, longitude: f64, reach: f64, radius: f64) -> String {
    let (north, east) = ("CAST(mt1.meta_value AS DECIMAL(10,6))", "CAST(mt2.meta_value AS DECIMAL(10,6))");
    format!(
        "SELECT SQL_CALC_FOUND_ROWS wp_posts.ID, ( {radius} * acos( LEAST(1, cos( radians({latitude}) ) * cos( radians( {north} ) ) \
         * cos( radians( {east} ) - radians({longitude}) ) + sin( radians({latitude}) ) * sin( radians( {north} ) ) ) ) ) AS distance \
         FROM wp_posts INNER JOIN wp_postmeta AS mt1 ON ( wp_posts.ID = mt1.post_id AND mt1.meta_key = '_tour_latitude' ) \
         INNER JOIN wp_postmeta AS mt2 ON ( wp_posts.ID = mt2.post_id AND mt2.meta_key = '_tour_longitude' ) \
         WHERE wp_posts.post_type = 'unitravel_tour' AND wp_posts.post_status = 'publish' \
         HAVING distance <= {reach} ORDER BY distance ASC, wp_posts.ID ASC LIMIT 0, 100000"
    )
}

fn advise(shop: &mut Shop, query: &str) -> Advice {
    let schema = Schema::read(&mut shop.connection, shop.name, None).unwrap();
    let statement = Statement::parse(query, &schema.dialect).unwrap();
    let nearby = spatial::find(&statement).unwrap().expect("a distance");
    let coordinates = Coordinates::read(&mut shop.connection, &nearby).unwrap();
    nearby.advise(CLASS, &schema, Some(coordinates)).unwrap()
}

/// Tours all over the globe, some of them where formulas break down.
fn tours(shop: &mut Shop, count: u32) {
    shop.run(&format!(
        "INSERT INTO wp_posts (ID, post_date, post_status, post_type) SELECT seq, '2020-01-01', IF(seq % 20 = 0, 'draft', 'publish'), \
         'unitravel_tour' FROM seq_1_to_{count}"
    ));
    let edge = "CASE ID % 16 WHEN 1 THEN 90 WHEN 2 THEN -90 WHEN 3 THEN 89.9 WHEN 4 THEN 0 ELSE";
    shop.run(&format!(
        "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, '_tour_latitude', {edge} \
         ROUND(DEGREES(ASIN(2 * CONV(LEFT(MD5(CONCAT('a', ID)), 8), 16, 10) / 4294967296 - 1)), 7) END FROM wp_posts"
    ));
    let edge = "CASE ID % 13 WHEN 1 THEN 180 WHEN 2 THEN -180 WHEN 3 THEN 179.99 WHEN 4 THEN -179.99 ELSE";
    shop.run(&format!(
        "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, '_tour_longitude', {edge} \
         ROUND(-180 + 360 * CONV(LEFT(MD5(CONCAT('o', ID)), 8), 16, 10) / 4294967296, 7) END FROM wp_posts"
    ));
    shop.run("ANALYZE TABLE wp_posts, wp_postmeta");
}

fn fill(shop: &mut Shop, advice: &Advice) {
    for step in &advice.up {
        assert_eq!(shop.value(&step.probe), "0", "{}", step.what);
        while shop.run(&step.sql) > 0 && step.until_no_rows {}
        assert_eq!(shop.value(&step.probe), "1", "{}", step.what);
    }
}

#[test]
fn a_box_gives_the_same_tours_wherever_the_centre_lies() {
    let mut shop = Shop::open("globe");
    tours(&mut shop, 3_000);
    let first = advise(&mut shop, &query(48.8566, 2.3522, 25.0, 3959.0));
    fill(&mut shop, &first);
    assert!(first.rewrites.iter().all(|rewrite| rewrite.after.contains("MBRIntersects")));
    let mut random = Random::new(7);
    let mut met = 0;
    for round in 0..120 {
        let latitude = *random.of(&[90.0, -90.0, 89.95, 0.0, -33.45, 48.8566, 71.2]);
        let longitude = *random.of(&[180.0, -180.0, 179.999, -179.9, 0.0, 2.3522, -77.03, 400.0]);
        let reach = *random.of(&[0.0, 0.001, 12.5, 300.0, 2_000.0, 6_000.0]);
        let radius = *random.of(&[3959.0, 6371.0, 6_371_000.0]);
        let sql = query(latitude, longitude, reach, radius);
        let advice = advise_again(&mut shop, &sql);
        assert_eq!(advice.up[0], first.up[0], "one table serves all centres");
        let old = shop.connection.query(&sql).unwrap();
        let after = &advice.rewrites[0].after;
        let new =
            shop.connection.query(after).unwrap_or_else(|error| panic!("round {round}: {error}\n{after}"));
        met += old.rows.len();
        assert_eq!(old.rows, new.rows, "round {round}: {sql}\n{}", advice.rewrites[0].after);
    }
    assert!(met > 5_000, "{met}");
}

fn advise_again(shop: &mut Shop, query: &str) -> Advice {
    let schema = Schema::read(&mut shop.connection, shop.name, None).unwrap();
    let statement = Statement::parse(query, &schema.dialect).unwrap();
    let nearby = spatial::find(&statement).unwrap().expect("a distance");
    nearby.advise(CLASS, &schema, Some(Coordinates { entities: 1, ..Coordinates::default() })).unwrap()
}

#[test]
fn points_follow_what_the_application_changes_and_leave_out_what_is_no_coordinate() {
    let mut shop = Shop::open("moving");
    tours(&mut shop, 60);
    let advice = advise(&mut shop, &query(0.0, 0.0, 500.0, 6371.0));
    fill(&mut shop, &advice);
    let check = advice
        .cautions
        .iter()
        .find_map(|text| text.strip_prefix("rows that differ from a fresh computation (must be 0): "));
    let check = check.unwrap().to_owned();
    let mut random = Random::new(11);
    let strict = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES";
    for round in 0..150 {
        shop.run(&format!("SET SESSION sql_mode = '{strict}'"));
        let key = *random.of(&["_tour_latitude", "_tour_longitude"]);
        let value = *random
            .of(&["'1.5'", "'north'", "''", "NULL", "'-0.25'", "'90'", "'181'", "' 12 '", "'1e1'", "'12,5'"]);
        let post = random.below(60) + 1;
        shop.run(&match random.below(5) {
            0 | 1 => format!("UPDATE wp_postmeta SET meta_value = {value} WHERE post_id = {post} AND meta_key = '{key}'"),
            2 => format!("DELETE FROM wp_postmeta WHERE post_id = {post} AND meta_key = '{key}'"),
            3 => format!(
                "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT {post}, '{key}', {value} FROM DUAL WHERE NOT EXISTS \
                 (SELECT 1 FROM wp_postmeta w WHERE w.post_id = {post} AND w.meta_key = '{key}')"
            ),
            _ => format!("UPDATE wp_posts SET post_status = IF(post_status = 'draft', 'publish', 'draft') WHERE ID = {post}"),
        });
        shop.run("SET SESSION sql_mode = ''");
        assert_eq!(shop.value(&check), "0", "round {round}");
    }
    let again = advise(&mut shop, &query(0.0, 0.0, 500.0, 6371.0));
    assert!(
        again.rewrites[0].differs.iter().any(|text| text.contains("no numbers")),
        "{:?}",
        again.rewrites[0].differs
    );
}

#[test]
fn a_spatial_index_helps_and_the_unit_is_said() {
    let mut shop = Shop::open("miles");
    tours(&mut shop, 12_000);
    let advice =
        advise(&mut shop, &query(48.8566, 2.3522, 150.0, 3959.0).replace("LIMIT 0, 100000", "LIMIT 0, 12"));
    assert!(advice.why.iter().any(|why| why.contains("150 miles, which are 241.4 km")), "{:?}", advice.why);
    let tables = names(&["wp_posts", "wp_postmeta"]);
    let limits = Limits { bytes: 64 << 20, ..Limits::default() };
    let mut trial =
        Trial::prepare(&shop.login, shop.name, &tables, Place::ThrowAway, &limits, &Stop::default()).unwrap();
    let outcome = trial.of(&advice, &[]).unwrap();
    assert!(outcome.helps, "{outcome:#?}\n{advice:#?}");
    assert!(outcome.queries.iter().all(|query| query.same_rows == Some(true)), "{outcome:#?}");
    assert!(outcome.queries[0].after_rows_read * 50 < outcome.queries[0].before_rows_read, "{outcome:#?}");
}

#[test]
fn distances_that_points_cannot_serve_are_declined() {
    let whole = query(10.0, 10.0, 11_000.0, 6371.0);
    let statement = Statement::parse(&whole, &Default::default()).unwrap();
    let nearby = spatial::find(&statement).unwrap().unwrap();
    assert!(
        nearby
            .advise(CLASS, &Schema::default(), None)
            .unwrap_err()
            .to_string()
            .contains("quarter of the globe")
    );
    let unbounded = query(10.0, 10.0, 5.0, 6371.0).replace("HAVING distance <= 5", "");
    let statement = Statement::parse(&unbounded, &Default::default()).unwrap();
    assert!(spatial::find(&statement).unwrap_err().to_string().contains("no limit"));
}
