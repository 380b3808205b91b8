//! Logs that a real server wrote.

#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "a test")]

use std::path::PathBuf;

use querylog::{All, Attribute, Digest, Problem, Settings};

fn digest(name: &str) -> Digest {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    querylog::source::digest(&[path], &Settings::default(), &All).expect("a digest")
}

fn sum(digest: &Digest, name: &str) -> u128 {
    let attribute = Attribute::find(name).expect("an attribute");
    digest.total().metric(attribute).map_or(0, querylog::Metric::exact_sum)
}

#[test]
fn a_plain_slow_log_of_mariadb_is_digested() {
    let digest = digest("mariadb-10.11/plain.log");
    assert_eq!((digest.events, digest.classes().len()), (16, 16));
    assert_eq!(sum(&digest, "Query_time"), 23_516);
    assert_eq!((sum(&digest, "Rows_sent"), sum(&digest, "Bytes_sent")), (12, 768));
    assert_eq!(digest.problems.of(Problem::ServerHeader).times, 1);
    assert_eq!(digest.event_bytes + digest.problems.skipped_bytes(), digest.files[0].log_bytes);
    let class = digest.class(b"select * from t where a > ? and b <> ?").expect("the prepared statement");
    assert_eq!(class.text(Attribute::DB).expect("a schema").ranked(), [(&b"shop"[..], 1)]);
    assert_eq!(class.first().expect("a time").to_string(), "2026-11-22 01:25:55");
}

#[test]
fn a_verbose_slow_log_of_mariadb_with_plans_and_a_header_in_the_middle_is_digested() {
    let digest = digest("mariadb-10.11/verbose.log");
    assert_eq!((digest.events, digest.classes().len()), (19, 18));
    assert_eq!(sum(&digest, "Pages_accessed"), 23);
    assert_eq!(sum(&digest, "Engine_time"), 148);
    let full_scan = digest.total().flags().into_iter().find(|(attribute, _)| attribute.name() == "Full_scan");
    assert_eq!(full_scan.expect("the flag").1.yes, 5);
    assert_eq!(digest.problems.skipped_bytes(), digest.problems.of(Problem::ServerHeader).bytes);
}

#[test]
fn a_general_log_of_mariadb_is_counted() {
    let digest = digest("mariadb-10.11/general.log");
    assert_eq!((digest.events, digest.classes().len()), (78, 26));
    let class = digest.class(b"select * from t where a > ? and b <> ?").expect("the prepared statement");
    assert_eq!(class.count(), 2);
    assert_eq!(class.metric(Attribute::QUERY_TIME), None);
}
