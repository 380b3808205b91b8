//! Fingerprints and class IDs against those that pt-query-digest made of the same statements.

#![allow(clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use querylog::fingerprint::{Options, fingerprint_with};
use querylog::{ClassId, Rules};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The files hold the bytes of the statements as they are, so they are read as Latin-1.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a code point of Latin-1")).collect()
}

/// A statement and what pt-query-digest 3.5.7 made of it.
#[derive(Deserialize)]
struct Case {
    q: String,
    fp: String,
    id32: String,
    id16: String,
    distill: String,
}

/// What pt-query-digest 3.2.1 made of the same statement; `capture.pl` wrote it.
#[derive(Deserialize)]
struct Old {
    fp: String,
    numbers: Option<String>,
    md5: Option<String>,
}

/// What pt-query-digest 3.2.1 says of a statement that defines, shows, locks or loads; `capture_tables.pl` wrote it.
#[derive(Deserialize)]
struct Distillate {
    q: String,
    distill: String,
    tables: Vec<(String, String)>,
}

fn lines<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!("{}/tests/conformance/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("open {path}: {error}"));
    let lines = BufReader::new(GzDecoder::new(file)).split(b'\n');
    let text = lines.map(|line| line.expect("a line").into_iter().map(char::from).collect::<String>());
    text.map(|line| serde_json::from_str(&line).expect("a case")).collect()
}

fn assert_none(wrong: &[String]) {
    let shown: Vec<&String> = wrong.iter().take(10).collect();
    assert!(wrong.is_empty(), "{} differ:\n{shown:#?}", wrong.len());
}

#[test]
fn all_of_20000_statements_have_the_fingerprint_and_ids_of_pt_query_digest() {
    let cases: Vec<Case> = lines("fingerprints.jsonl.gz");
    assert_eq!(cases.len(), 20_000);
    let wrong = cases.iter().filter_map(|case| {
        let made = querylog::fingerprint(&bytes(&case.q), Rules::Toolkit34);
        let id = ClassId::of(&made);
        let same = made == bytes(&case.fp) && id.to_string() == case.id32 && id.short() == case.id16;
        (!same).then(|| format!("{:?} -> {:?}, not {:?}", case.q, String::from_utf8_lossy(&made), case.fp))
    });
    assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn all_of_20000_statements_have_the_fingerprints_of_version_3_2_whatever_its_options() {
    let cases: Vec<Case> = lines("fingerprints.jsonl.gz");
    let old: Vec<Old> = lines("fingerprints_3.2.jsonl.gz");
    assert_eq!((cases.len(), old.len()), (20_000, 20_000));
    let mut wrong = Vec::new();
    for (case, old) in cases.iter().zip(&old) {
        let plain = Options::from(Rules::Toolkit32);
        let numbers = Options { preserve_embedded_numbers: true, ..plain };
        let md5 = Options { match_md5: true, ..plain };
        for (options, want) in [(plain, None), (numbers, old.numbers.as_ref()), (md5, old.md5.as_ref())] {
            let want = want.unwrap_or(&old.fp);
            let made = fingerprint_with(&bytes(&case.q), &options);
            if made != bytes(want) {
                wrong.push(format!("{:?} -> {:?}, not {want:?}", case.q, String::from_utf8_lossy(&made)));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn all_of_20000_statements_have_the_distillate_of_pt_query_digest() {
    let cases: Vec<Case> = lines("fingerprints.jsonl.gz");
    let wrong = cases.iter().filter_map(|case| {
        let made = querylog::distill(&bytes(&case.q));
        let same = made == bytes(&case.distill);
        (!same)
            .then(|| format!("{:?} -> {:?}, not {:?}", case.q, String::from_utf8_lossy(&made), case.distill))
    });
    assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn all_of_6000_statements_have_the_distillate_and_the_tables_of_pt_query_digest() {
    let cases: Vec<Distillate> = lines("distillates_3.2.jsonl.gz");
    assert_eq!(cases.len(), 6_000);
    let wrong = cases.iter().filter_map(|case| {
        let made = querylog::distill(&bytes(&case.q));
        let tables = querylog::tables(&bytes(&case.q), Some("dd")).into_iter();
        let tables: Vec<_> = tables.map(|table| (table.database.unwrap_or_default(), table.name)).collect();
        let text = |latin: &str| String::from_utf8_lossy(&bytes(latin)).into_owned();
        let want: Vec<_> = case.tables.iter().map(|(database, name)| (text(database), text(name))).collect();
        let same = made == bytes(&case.distill) && tables == want;
        (!same).then(|| {
            format!("{:?} -> {:?} {tables:?}, not {:?} {want:?}", case.q, text(&case.distill), case.distill)
        })
    });
    assert_none(&wrong.collect::<Vec<_>>());
}
