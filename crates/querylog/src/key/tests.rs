use super::*;
use crate::fingerprint::fingerprint_with;
use proptest::prelude::*;
use std::io::Read;

fn all_options() -> Vec<Options> {
    let mut all = vec![Options { match_md5: true, ..Options::default() }];
    for rules in [Rules::Toolkit34, Rules::Toolkit32] {
        for preserve_embedded_numbers in [false, true] {
            all.push(Options { rules, preserve_embedded_numbers, match_md5: false });
        }
    }
    all
}

fn check(query: &[u8]) {
    for options in all_options() {
        let mut shortener = Shortener::new(options);
        let short = shortener.shorten(query).to_vec();
        let (left, right) = (fingerprint_with(&short, &options), fingerprint_with(query, &options));
        assert!(
            left == right,
            "{options:?}\nstatement {}\nshort     {}\nits fingerprint {}\nexpected        {}",
            query.escape_ascii(),
            short.escape_ascii(),
            left.escape_ascii(),
            right.escape_ascii()
        );
    }
}

fn short(query: &str) -> String {
    String::from_utf8(Shortener::new(Options::default()).shorten(query.as_bytes()).to_vec()).unwrap()
}

#[test]
fn literals_lists_comments_and_rows_are_shortened() {
    for (query, expected) in [
        ("select * from t where a=12 and b='x y' limit 5", "select * from t where a=1 and b='' limit 1"),
        (
            "select a from t where id in (1, 2,3) and n in ('a','b\\'c')",
            "select a from t where id in (1) and n in ('')",
        ),
        ("insert into t (a) values (1,'x'),(2,'y')", "insert into t (a) values (''),("),
        ("select /* id 5 */ 1 -- trace\n from t # x", "select /*c*/ 1 --\n from t #"),
        ("select 'a\"b', 5", "select 'a\"b', 5"),
        ("call db.proc(1, 2)", "call db.proc("),
        ("select 0xab12 from users_2009", "select 1 from users_1"),
    ] {
        assert_eq!(short(query), expected);
        check(query.as_bytes());
    }
}

#[test]
fn all_statements_of_the_conformance_cases_keep_their_fingerprint_when_shortened() {
    let packed = include_bytes!("../../tests/conformance/fingerprints.jsonl.gz");
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
    let text: String = text.into_iter().map(char::from).collect();
    let mut cases = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let query: Vec<u8> = case["q"].as_str().unwrap().chars().map(|c| c as u32 as u8).collect();
        check(&query);
        cases += 1;
    }
    assert_eq!(cases, 20_000);
}

/// Pieces of which statements are made that are likely to break the rules' reading of quotes, comments, numbers and lists.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\'",
    "\\\"",
    "\\\\",
    "''",
    "\"\"",
    "/*",
    "*/",
    "/*!",
    "--",
    "#",
    "\n",
    " ",
    "\t",
    ",",
    "(",
    ")",
    "),(",
    ") , (",
    "1",
    "23",
    "-",
    "+",
    ".",
    "0xaf",
    "1e5",
    "a",
    "x",
    "b",
    "false",
    "true",
    "null",
    "in",
    "in (",
    " in (1,2)",
    "values",
    " values (",
    "VALUES(1,'a')",
    "insert into t ",
    "INSERT IGNORE INTO `a1`",
    "replace into",
    "select ",
    " from t5",
    "union all ",
    "limit 5",
    " order by a asc",
    "use ",
    "call ",
    "call f(",
    "`",
    "é",
    "\0",
    "\r",
    "\x0b",
    "'abc'",
    "\"def\"",
    "'a\\'b'",
    "'{\\\"a\\\":1}'",
    "-- c\n",
    "/* c */",
    "/*a.b:1/2*/",
    "administrator command: ",
    "SELECT /*!40001 SQL_NO_CACHE */ * FROM `",
    "0123456789abcdef0123456789abcdef",
    "_",
    ";",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture_of_pieces_keeps_its_fingerprint_when_shortened(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
    ) {
        check(pieces.concat().as_bytes());
    }

    #[test]
    fn long_statements_keep_their_fingerprint_across_the_borders_of_blocks(
        pieces in prop::collection::vec((prop::sample::select(PIECES), "[a-z ]{0,30}"), 0..24),
    ) {
        let text: String = pieces.iter().map(|(piece, filler)| format!("{piece}{filler}")).collect();
        check(text.as_bytes());
    }

    #[test]
    fn any_bytes_have_a_short_form_with_their_fingerprint(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }
}
