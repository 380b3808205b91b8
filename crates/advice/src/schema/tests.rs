use proptest::prelude::*;

use super::*;

const DUMP: &str = "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB
-- Server version\t10.11.6-MariaDB-0+deb12u1
USE `shop`;
DROP TABLE IF EXISTS `wp_postmeta`;
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `wp_postmeta` (
  `meta_id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `post_id` bigint(20) unsigned NOT NULL DEFAULT 0,
  `meta_key` varchar(255) COLLATE utf8mb4_unicode_520_ci DEFAULT NULL COMMENT 'a; (b), ''c''',
  `meta_value` longtext DEFAULT NULL,
  `raw` varbinary(16) NOT NULL,
  `kind` enum('a','B') CHARACTER SET latin1 NOT NULL,
  PRIMARY KEY (`meta_id`),
  UNIQUE KEY `one` (`post_id`,`meta_key`(100) DESC),
  KEY `meta_key` (`meta_key`(191)),
  KEY `quick` (`post_id`) USING HASH,
  FULLTEXT KEY `words` (`meta_value`),
  CONSTRAINT `parent` FOREIGN KEY (`post_id`) REFERENCES `wp_posts` (`ID`)
) ENGINE=InnoDB AUTO_INCREMENT=99 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `wp_postmeta` VALUES (1,2,'x','CREATE TABLE `no` (`a` int);');
CREATE TABLE other.places (id int primary key, code char(3) unique, at point not null, index by_code (code, id), spatial index at (at));
CREATE TABLE `broken` (`a` int;
";

fn read(text: &str) -> Schema {
    Schema::from_dump(text.as_bytes(), Dialect::default()).expect("reads")
}

fn parts(index: &Index) -> Vec<(&str, Option<u64>, bool)> {
    index.parts.iter().map(|part| (part.column.as_str(), part.prefix, part.descending)).collect()
}

#[test]
fn a_dump_gives_columns_indexes_and_the_version() {
    let schema = read(DUMP);
    assert_eq!(schema.dialect, Dialect { mariadb: true, version: (10, 11, 6) });
    assert_eq!(schema.current.as_deref(), Some("shop"));
    let meta = schema.table(None, "WP_postmeta").expect("the table");
    assert_eq!((meta.schema.as_str(), meta.engine.as_str()), ("shop", "InnoDB"));
    assert_eq!(meta.collation.as_deref(), Some("utf8mb4_unicode_ci"));
    let columns: Vec<_> = meta
        .columns
        .iter()
        .map(|column| {
            (column.name.as_str(), column.kind.as_str(), column.nullable, column.collation.as_deref())
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("meta_id", "bigint(20) unsigned", false, None),
            ("post_id", "bigint(20) unsigned", false, None),
            ("meta_key", "varchar(255)", true, Some("utf8mb4_unicode_520_ci")),
            // The options of a table stand behind its columns, yet hold for them.
            ("meta_value", "longtext", true, Some("utf8mb4_unicode_ci")),
            ("raw", "varbinary(16)", false, None),
            ("kind", "enum('a','B')", false, Some("latin1_swedish_ci")),
        ]
    );
    let index = |name: &str| meta.index(name).expect(name);
    assert_eq!(meta.primary_key(), ["meta_id"]);
    assert_eq!(parts(index("one")), [("post_id", None, false), ("meta_key", Some(100), true)]);
    assert_eq!(parts(index("meta_key")), [("meta_key", Some(191), false)]);
    assert!(index("one").unique && !index("meta_key").unique);
    assert_eq!((index("quick").kind, index("words").kind), (IndexKind::Hash, IndexKind::Fulltext));
    assert_eq!(meta.indexes.len(), 5);
}

#[test]
fn definitions_of_people_are_read_too() {
    let schema = read(DUMP);
    let places = schema.table(Some("other"), "places").expect("the table");
    let names: Vec<_> =
        places.indexes.iter().map(|index| (index.name.as_str(), index.unique, index.kind)).collect();
    assert_eq!(
        names,
        [
            ("PRIMARY", true, IndexKind::Btree),
            ("code", true, IndexKind::Btree),
            ("by_code", false, IndexKind::Btree),
            ("at", false, IndexKind::Spatial),
        ]
    );
    assert!(!places.columns[0].nullable && places.columns[1].nullable && !places.columns[2].nullable);
}

#[test]
fn what_cannot_be_read_is_noted() {
    let schema = read(DUMP);
    assert_eq!(schema.tables.len(), 2);
    assert!(schema.notes.len() == 1 && schema.notes[0].contains("broken"), "{:?}", schema.notes);
}

#[test]
fn what_the_client_prints_is_read() {
    let batch = "Table\tCreate Table\nt\tCREATE TABLE `t` (\\n  `a` int(11) NOT NULL,\\n  KEY `a` (`a`)\\n) ENGINE=MyISAM\n";
    let vertical = "*** 1. row ***\n       Table: t\nCreate Table: CREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  KEY `a` (`a`)\n) ENGINE=MyISAM\n";
    for text in [batch, vertical] {
        let schema = read(text);
        let table = schema.table(None, "t").expect(text);
        assert_eq!((table.engine.as_str(), table.indexes.len(), table.columns.len()), ("MyISAM", 1, 1));
    }
}

#[test]
fn a_name_that_several_schemas_have_is_not_guessed() {
    let mut schema = read(DUMP);
    let mut second = schema.table(None, "wp_postmeta").expect("the table").clone();
    second.schema = "blog".to_owned();
    schema.insert(second);
    assert_eq!(schema.table(None, "wp_postmeta").map(|table| table.schema.as_str()), Some("shop"));
    schema.current = None;
    assert_eq!(schema.table(None, "wp_postmeta"), None);
    assert_eq!(schema.table(Some("blog"), "wp_postmeta").map(|table| table.schema.as_str()), Some("blog"));
}

#[test]
fn versions_tell_the_dialect() {
    for (text, mariadb, version) in [
        ("10.11.6-MariaDB-0+deb12u1-log", true, (10, 11, 6)),
        ("5.5.5-10.3.39-MariaDB", true, (10, 3, 39)),
        ("8.0.36-28", false, (8, 0, 36)),
        ("5.7.44", false, (5, 7, 44)),
        ("", false, (0, 0, 0)),
    ] {
        assert_eq!(Dialect::of_version(text), Dialect { mariadb, version }, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(CREATE TABLE |`a`|\\(|\\)|,|;|'|\n|KEY|PRIMARY| int|ENGINE=|[ -~\u{e4}])*") {
        let _ = read(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Schema::from_dump(bytes.as_slice(), Dialect::default());
    }
}
