//! WordPress's own tables, filled by the server itself from its SEQUENCE engine.

use std::fmt::Write;

use super::{Database, SCHEMA};
use crate::faults::Result;

/// `wp_posts`, `wp_postmeta` and `wp_options` as WordPress 6.1 makes them (`wp-admin/includes/schema.php`).
const TABLES: &str = "
CREATE TABLE wp_posts (
  ID bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  post_author bigint(20) unsigned NOT NULL DEFAULT 0,
  post_date datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_date_gmt datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_content longtext NOT NULL,
  post_title text NOT NULL,
  post_excerpt text NOT NULL,
  post_status varchar(20) NOT NULL DEFAULT 'publish',
  comment_status varchar(20) NOT NULL DEFAULT 'open',
  ping_status varchar(20) NOT NULL DEFAULT 'open',
  post_password varchar(255) NOT NULL DEFAULT '',
  post_name varchar(200) NOT NULL DEFAULT '',
  to_ping text NOT NULL,
  pinged text NOT NULL,
  post_modified datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_modified_gmt datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_content_filtered longtext NOT NULL,
  post_parent bigint(20) unsigned NOT NULL DEFAULT 0,
  guid varchar(255) NOT NULL DEFAULT '',
  menu_order int(11) NOT NULL DEFAULT 0,
  post_type varchar(20) NOT NULL DEFAULT 'post',
  post_mime_type varchar(100) NOT NULL DEFAULT '',
  comment_count bigint(20) NOT NULL DEFAULT 0,
  PRIMARY KEY (ID),
  KEY post_name (post_name(191)),
  KEY type_status_date (post_type, post_status, post_date, ID),
  KEY post_parent (post_parent),
  KEY post_author (post_author)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
CREATE TABLE wp_postmeta (
  meta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  post_id bigint(20) unsigned NOT NULL DEFAULT 0,
  meta_key varchar(255) DEFAULT NULL,
  meta_value longtext DEFAULT NULL,
  PRIMARY KEY (meta_id),
  KEY post_id (post_id),
  KEY meta_key (meta_key(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
CREATE TABLE wp_options (
  option_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  option_name varchar(191) NOT NULL DEFAULT '',
  option_value longtext NOT NULL,
  autoload varchar(20) NOT NULL DEFAULT 'yes',
  PRIMARY KEY (option_id),
  UNIQUE KEY option_name (option_name),
  KEY autoload (autoload)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
INSERT INTO wp_options (option_name, option_value, autoload)
  SELECT CONCAT('option_', seq), REPEAT('x', 20 + seq % 200), IF(seq % 3 = 0, 'no', 'yes') FROM seq_1_to_400;
";

/// An empty table is filled in bulk, its indexes built once, where nothing has to be looked up meanwhile.
const IN_BULK: &str = "SET unique_checks = 0, foreign_key_checks = 0";

/// Every so many posts are breaking news.
const BREAKING: u32 = 37;

/// The tables of a site, but for [`TABLES`] empty.
pub fn tables(database: &Database) -> Result<()> {
    within(database, TABLES)
}

/// Statements in the schema of the site.
pub fn within(database: &Database, statements: &str) -> Result<()> {
    database.run(&format!("USE {SCHEMA}; {statements}")).map(drop)
}

fn analyze(database: &Database) -> Result<()> {
    within(database, "ANALYZE TABLE wp_posts, wp_postmeta")
}

/// A newspaper: so many posts, each with the layout that a page builder keeps as JSON in `wp_postmeta`, and five rows of
/// `wp_postmeta` besides. Every 20th is a draft, every 37th breaking news; no two have the same date.
pub fn newspaper(database: &Database, posts: u32) -> Result<()> {
    tables(database)?;
    let layout = format!(
        "CONCAT('{{\"v\":1,\"layout_type\":\"', IF(p.seq % {BREAKING} = 0, 'breaking_news', 'standard'), \
         '\",\"blob\":\"', REPEAT(MD5(p.seq), 16), '\"}}')"
    );
    within(
        database,
        &format!(
            "{IN_BULK}; INSERT INTO wp_posts (ID, post_date, post_content, post_title, post_excerpt, post_status, post_name, \
             to_ping, pinged, post_content_filtered, post_type) \
             SELECT seq, '2020-01-01' + INTERVAL (seq * 7919 % {posts}) * 13 MINUTE, REPEAT(MD5(seq), 4), \
             CONCAT('Story ', seq), '', IF(seq % 20 = 0, 'draft', 'publish'), CONCAT('story-', seq), '', '', '', 'post' \
             FROM seq_1_to_{posts}"
        ),
    )?;
    within(
        database,
        &format!(
            "{IN_BULK}; INSERT INTO wp_postmeta (post_id, meta_key, meta_value) \
             SELECT p.seq, CASE k.seq WHEN 1 THEN '_builder_layout_data' WHEN 2 THEN '_edit_lock' WHEN 3 THEN '_edit_last' \
             WHEN 4 THEN '_thumbnail_id' WHEN 5 THEN '_wp_page_template' ELSE '_views' END, \
             CASE k.seq WHEN 1 THEN {layout} ELSE MD5(p.seq + k.seq) END \
             FROM seq_1_to_{posts} p, seq_1_to_6 k"
        ),
    )?;
    analyze(database)
}

/// The editors' front page, as a page builder asks for it.
pub fn breaking_news() -> String {
    "SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id ) \
     WHERE 1=1 AND ( ( wp_postmeta.meta_key = '_builder_layout_data' \
     AND wp_postmeta.meta_value LIKE '%\"layout_type\":\"breaking_news\"%' ) ) AND wp_posts.post_type = 'post' \
     AND ((wp_posts.post_status = 'publish')) GROUP BY wp_posts.ID ORDER BY wp_posts.post_date DESC LIMIT 0, 15"
        .to_owned()
}

/// A place on Earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// Where travellers look for tours.
pub const PARIS: Place = Place { latitude: 48.8566, longitude: 2.3522 };
/// The radius of Earth that the formula of many plugins uses, in miles.
const RADIUS: f64 = 3959.0;

impl Place {
    /// The place that lies so far from here, in miles, in a direction in degrees from north.
    fn away(self, miles: f64, direction: f64) -> Self {
        let (latitude, angle, direction) =
            (self.latitude.to_radians(), miles / RADIUS, direction.to_radians());
        let to = (latitude.sin() * angle.cos() + latitude.cos() * angle.sin() * direction.cos()).asin();
        let east =
            (direction.sin() * angle.sin() * latitude.cos()).atan2(angle.cos() - latitude.sin() * to.sin());
        Self { latitude: to.to_degrees(), longitude: self.longitude + east.to_degrees() }
    }

    /// The easternmost place of a circle of so many miles around here: it lies north of due east, and a box around the circle
    /// that is as wide as the parallel through its centre leaves it out.
    fn easternmost(self, miles: f64) -> Self {
        let (latitude, angle) = (self.latitude.to_radians(), miles / RADIUS);
        let east = (angle.sin() / latitude.cos()).asin();
        let to = (latitude.sin() / angle.cos()).asin();
        Self { latitude: to.to_degrees(), longitude: self.longitude + east.to_degrees() }
    }
}

/// How far the search goes, in miles.
pub const WITHIN: f64 = 25.0;
/// Tours around Paris within [`WITHIN`], and those just outside.
const NEAR: [u32; 2] = [40, 12];

/// Tours around Paris: some within the circle in all directions, some just within and just outside its edge.
fn near() -> Vec<Place> {
    let inside = (0..NEAR[0] - 8).map(|index| {
        let index = f64::from(index);
        PARIS.away(2.0 + 0.7 * index, 47.0 * index)
    });
    let edge = |miles: f64| (0..8).map(move |index| PARIS.away(miles, 45.0 * f64::from(index)));
    let just_inside = edge(WITHIN - 0.01).take(7).chain([PARIS.easternmost(WITHIN - 0.002)]);
    let just_outside =
        edge(WITHIN + 0.01).chain((1..5).map(|index| PARIS.away(WITHIN + f64::from(index), 20.0)));
    inside.chain(just_inside).chain(just_outside).collect()
}

/// A travel agency: so many tours all over Earth, some of them around Paris, each with its latitude, longitude and price as text
/// in `wp_postmeta`. Every 20th is a draft.
pub fn tours(database: &Database, tours: u32) -> Result<()> {
    tables(database)?;
    let share = |letter: char| format!("CONV(LEFT(MD5(CONCAT('{letter}', p.seq)), 8), 16, 10) / 4294967296");
    let (latitude, longitude) = (share('a'), share('o'));
    let post = "INSERT INTO wp_posts (ID, post_date, post_content, post_title, post_excerpt, post_status, post_name, to_ping, \
                pinged, post_content_filtered, post_type) SELECT seq, '2020-01-01' + INTERVAL seq MINUTE, \
                REPEAT(MD5(seq), 4), CONCAT('Tour ', seq), '', IF(seq % 20 = 0, 'draft', 'publish'), CONCAT('tour-', seq), \
                '', '', '', 'unitravel_tour'";
    within(database, &format!("{IN_BULK}; {post} FROM seq_1_to_{tours}"))?;
    within(
        database,
        &format!(
            "{IN_BULK}; INSERT INTO wp_postmeta (post_id, meta_key, meta_value) \
             SELECT p.seq, CASE k.seq WHEN 1 THEN '_tour_latitude' WHEN 2 THEN '_tour_longitude' ELSE '_tour_price' END, \
             CASE k.seq WHEN 1 THEN ROUND(-60 + 120 * {latitude}, 6) WHEN 2 THEN ROUND(-180 + 360 * {longitude}, 6) \
             ELSE 100 + p.seq % 900 END FROM seq_1_to_{tours} p, seq_1_to_3 k"
        ),
    )?;
    let (first, near) = (tours + 1, near());
    let last = tours + u32::try_from(near.len()).unwrap_or(0);
    let mut rows = String::new();
    for (id, place) in (first..).zip(near) {
        let comma = if rows.is_empty() { "" } else { ", " };
        let Place { latitude, longitude } = place;
        let _ = write!(
            rows,
            "{comma}({id}, '_tour_latitude', '{latitude:.6}'), ({id}, '_tour_longitude', '{longitude:.6}'), \
             ({id}, '_tour_price', '250')"
        );
    }
    let post = post.replace("IF(seq % 20 = 0, 'draft', 'publish')", "'publish'");
    within(
        database,
        &format!(
            "{post} FROM seq_{first}_to_{last}; INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES {rows}"
        ),
    )?;
    analyze(database)
}

/// The tours around a place, as a plugin asks for them.
pub fn tours_around(place: Place) -> String {
    let Place { latitude, longitude } = place;
    format!(
        "SELECT SQL_CALC_FOUND_ROWS wp_posts.ID, ( 3959 * acos( cos( radians({latitude}) ) * \
         cos( radians( CAST(mt1.meta_value AS DECIMAL(10,6)) ) ) * cos( radians( CAST(mt2.meta_value AS DECIMAL(10,6)) ) - \
         radians({longitude}) ) + sin( radians({latitude}) ) * sin( radians( CAST(mt1.meta_value AS DECIMAL(10,6)) ) ) ) ) \
         AS distance FROM wp_posts INNER JOIN wp_postmeta AS mt1 ON ( wp_posts.ID = mt1.post_id \
         AND mt1.meta_key = '_tour_latitude' ) INNER JOIN wp_postmeta AS mt2 ON ( wp_posts.ID = mt2.post_id \
         AND mt2.meta_key = '_tour_longitude' ) WHERE wp_posts.post_type = 'unitravel_tour' \
         AND wp_posts.post_status = 'publish' HAVING distance < {WITHIN} ORDER BY distance ASC LIMIT 0, 12"
    )
}

/// The published tours in a table of their own with a spatial index, as a plugin that is made for the search keeps them.
pub fn places(database: &Database) -> Result<()> {
    let value = |alias: &str| format!("CAST({alias}.meta_value AS DECIMAL(10,6))");
    within(
        database,
        &format!(
            "CREATE TABLE tour_places (post_id bigint unsigned NOT NULL PRIMARY KEY, place point NOT NULL, \
             SPATIAL KEY place (place)) ENGINE=InnoDB; \
             INSERT INTO tour_places SELECT p.ID, POINT({east}, {north}) FROM wp_posts p \
             JOIN wp_postmeta a ON a.post_id = p.ID AND a.meta_key = '_tour_latitude' \
             JOIN wp_postmeta o ON o.post_id = p.ID AND o.meta_key = '_tour_longitude' WHERE p.post_status = 'publish'; \
             ANALYZE TABLE tour_places",
            east = value("o"),
            north = value("a"),
        ),
    )
}

/// The tours around a place, from [`places`].
pub fn places_around(place: Place) -> String {
    let Place { latitude, longitude } = place;
    let north = (WITHIN / RADIUS).to_degrees() * 1.0001;
    let east = (place.easternmost(WITHIN).longitude - longitude) * 1.0001;
    let [west, south, east, north] = [longitude - east, latitude - north, longitude + east, latitude + north];
    format!(
        "SELECT post_id, ST_Distance_Sphere(place, POINT({longitude}, {latitude}), 3959 * 1609.344) / 1609.344 AS distance FROM tour_places \
         WHERE MBRContains(ST_GeomFromText('LINESTRING({west} {south}, {east} {north})'), place) \
         HAVING distance < {WITHIN} ORDER BY distance LIMIT 12"
    )
}

/// A small table that pages ask all the time: flags of so many posts, with an index for the question.
pub fn flags(database: &Database, posts: u32) -> Result<()> {
    within(
        database,
        &format!(
            "CREATE TABLE sys_editorial_flags (post_id bigint unsigned NOT NULL PRIMARY KEY, is_breaking tinyint unsigned \
             NOT NULL DEFAULT 0, published_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             KEY idx_breaking_date (is_breaking, published_at)) ENGINE=InnoDB; \
             INSERT INTO sys_editorial_flags SELECT seq, seq % {BREAKING} = 0, '2020-01-01' + INTERVAL seq MINUTE \
             FROM seq_1_to_{posts}"
        ),
    )
}

/// The latest flags.
pub fn latest_flags() -> String {
    format!(
        "SELECT post_id FROM {SCHEMA}.sys_editorial_flags WHERE is_breaking = 1 ORDER BY published_at DESC LIMIT 15"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miles(from: Place, to: Place) -> f64 {
        let [a, b] = [from, to].map(|place| place.latitude.to_radians());
        let east = (to.longitude - from.longitude).to_radians();
        RADIUS * (a.cos() * b.cos() * east.cos() + a.sin() * b.sin()).acos()
    }

    #[test]
    fn tours_lie_as_far_from_paris_as_they_are_meant_to() {
        let near = near();
        let inside = near.iter().filter(|place| miles(PARIS, **place) < WITHIN).count();
        assert_eq!([inside, near.len() - inside], NEAR.map(|number| number as usize));
        let east = PARIS.easternmost(WITHIN);
        assert!((miles(PARIS, east) - WITHIN).abs() < 1e-6);
        assert!(east.longitude > PARIS.away(WITHIN, 90.0).longitude);
    }
}
