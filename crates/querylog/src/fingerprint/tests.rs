use proptest::prelude::*;

use super::*;

fn of(query: &str) -> String {
    String::from_utf8_lossy(&fingerprint(query.as_bytes(), Rules::Toolkit34)).into_owned()
}

#[test]
fn literals_lists_and_spacing_are_abstracted() {
    let query = "SELECT  a,\n b FROM t_2009 WHERE c IN (1, 2,3) AND d = 'it\\'s' LIMIT 5, 10";
    assert_eq!(of(query), "select a, b from t_? where c in(?+) and d = ? limit ?");
}

#[test]
fn what_is_known_as_a_whole_is_named_as_a_whole() {
    assert_eq!(of("SELECT /*!40001 SQL_NO_CACHE */ * FROM `wp_posts`"), "mysqldump");
    assert_eq!(of("REPLACE /*db.tbl:1/8*/ INTO checksums VALUES (1)"), "percona-toolkit");
    assert_eq!(of("administrator command: Quit"), "administrator command: Quit");
    assert_eq!(of("CALL  db.foo(1,(2))"), "call  db.foo(1,");
    assert_eq!(of("use shop\n"), "use ?\n");
}

#[test]
fn an_insert_of_several_rows_is_that_of_one() {
    assert_eq!(
        of("insert into t values (1, 'a'), (2, 'b') on duplicate key update a = 1"),
        "insert into t values(?+)"
    );
    assert_eq!(
        of("insert into t values (1)  on duplicate key update a = 1"),
        "insert into t values(?+) on duplicate key update a = ?"
    );
}

#[test]
fn equal_branches_of_a_union_are_one() {
    assert_eq!(of("select 1 union all select 2 union select 3"), "select ? /*repeat union*/");
    assert_eq!(
        of("select a from t union select b from t union select a from t union select b from t"),
        "select a from t union select b from t /*repeat union*/"
    );
}

#[test]
fn old_rules_know_no_escaped_backslash() {
    let query = br"select 'a\\' from t where b = 'c'";
    assert_eq!(fingerprint(query, Rules::Toolkit34), b"select ? from t where b = ?");
    assert_ne!(fingerprint(query, Rules::Toolkit32), fingerprint(query, Rules::Toolkit34));
}

#[test]
fn numbers_within_names_can_be_kept() {
    let keep = Options { preserve_embedded_numbers: true, ..Options::default() };
    assert_eq!(
        fingerprint_with(b"select a1 from users_2009 where b=5", &keep),
        b"select a1 from users_2009 where b=?"
    );
    let md5 = Options { match_md5: true, ..Options::default() };
    assert_eq!(
        fingerprint_with(b"select 1 from t_fbc5e685a5d3d45aa1d0347fdb7c4d35", &md5),
        b"select ? from t_?"
    );
}

#[test]
fn branches_that_never_repeat_cost_no_square() {
    // A word without squares over three letters: every branch recurs, none side by side.
    let mut letters = vec![b'a'];
    while letters.len() < 40_000 {
        let images = letters.iter().map(|letter| match letter {
            b'a' => b"abc".as_slice(),
            b'b' => b"ac",
            _ => b"b",
        });
        letters = images.collect::<Vec<_>>().concat();
    }
    let branches: Vec<String> =
        letters.iter().map(|letter| format!("select {}", char::from(*letter))).collect();
    let query = branches.join(" union ");
    assert_eq!(of(&query), query, "nothing repeats, and the end is reached");
}

#[test]
fn hostile_runs_are_read_once() {
    for unit in [
        "#",
        "--",
        "/*",
        "/*a.",
        "in (",
        "select ",
        "\\'",
        "'\"",
        "values(",
        "insert into values(1),",
        "limit ?",
        " asc",
        "union select ",
        "\u{b}",
    ] {
        let query = format!("select {}' order by {}", unit.repeat(20_000), unit.repeat(20_000));
        assert!(!of(&query).is_empty());
        crate::distill(query.as_bytes());
        crate::tables(query.as_bytes(), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_have_a_fingerprint(query in proptest::collection::vec(any::<u8>(), 0..400), new in any::<bool>(), numbers in any::<bool>(), md5 in any::<bool>()) {
        let rules = if new { Rules::Toolkit34 } else { Rules::Toolkit32 };
        let made = fingerprint_with(&query, &Options { rules, preserve_embedded_numbers: numbers, match_md5: md5 });
        prop_assert!(made.len() <= query.len() * 4 + 16);
    }

    #[test]
    fn any_bytes_that_look_like_sql_have_one(parts in proptest::collection::vec(proptest::sample::select(vec![
        "select ", "union ", "all ", "in (", "values", "(", ")", "?", ",", "'", "\"", "\\", "/*", "*/", "--", "#", "\n", "limit ", "order by ", "asc", "null", "1", "x", ".", "call ", "use ", "insert into ", "\u{b}",
    ]), 0..80)) {
        fingerprint(parts.concat().as_bytes(), Rules::Toolkit34);
        fingerprint(parts.concat().as_bytes(), Rules::Toolkit32);
        crate::distill(parts.concat().as_bytes());
        crate::tables(parts.concat().as_bytes(), None);
    }
}

#[test]
fn long_statements_that_define_or_show_are_read_once() {
    for start in ["SHOW ", "create ", "lock tables ", "drop table ", "insert ", "SHOW /*!1"] {
        for unit in
            [" ", "count(", "create ", "if ", "a as ", "from ", "read ", "/*", ",", "`", "select ", "a,"]
        {
            let query = format!("{start}{}", unit.repeat(10_000));
            crate::distill(query.as_bytes());
            crate::tables(query.as_bytes(), None);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_have_a_distillate_and_tables(query in proptest::collection::vec(any::<u8>(), 0..200)) {
        crate::distill(&query);
        crate::tables(&query, Some("shop"));
    }
}
