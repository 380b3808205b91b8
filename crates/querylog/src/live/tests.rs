use super::*;
use crate::report::{self, human, json, markdown, toolkit};

fn row(text: &str, sample: Option<&str>, count: u64, time_ps: u64) -> Row {
    let mut sums = [count; SUMS.len()];
    sums[0] = time_ps;
    sums[1] = 0;
    Row {
        schema: b"shop".to_vec(),
        digest: Some(text.as_bytes().to_vec()),
        text: text.as_bytes().to_vec(),
        sample: sample.map(|sample| sample.as_bytes().to_vec()),
        first_seen: b"2026-01-01 00:00:00".to_vec(),
        count,
        sums,
    }
}

fn digest(before: Vec<Row>, after: Vec<Row>) -> Digest {
    let before = Reading { rows: before, at_us: 1_700_000_000_400_000 };
    let after = Reading { rows: after, at_us: 1_700_000_010_420_000 };
    between(&before, &after, "db1", &Options::default(), &|schema| schema == b"shop")
}

#[test]
fn only_what_was_added_counts_and_times_are_exact_microseconds() {
    let text = "SELECT `a` FROM `t` WHERE `b` = ?";
    let idle = row("SELECT ?", None, 7, 7);
    let digest = digest(
        vec![row(text, None, 5, u64::MAX - 1_000_000), idle.clone()],
        vec![row(text, None, 8, 1_999_999), idle, row("DELETE FROM `t`", None, 2, 2_400_000)],
    );
    assert_eq!((digest.events, digest.classes().len()), (5, 2));
    let class = digest.class(b"select `a` from `t` where `b` = ?").unwrap();
    let time = class.metric(Attribute::QUERY_TIME).unwrap();
    assert_eq!((class.count(), time.count(), time.exact_sum(), time.has_spread()), (3, 3, 3, false));
    assert_eq!(class.metric(Attribute::ROWS_SENT).unwrap().exact_sum(), 3);
    assert_eq!(class.last().unwrap().civil_s() - class.first().unwrap().civil_s(), 10);
    assert!(
        digest.notes.iter().any(|note| note.contains("2 of 2 normalized statements")),
        "{:?}",
        digest.notes
    );
}

#[test]
fn a_whole_sample_makes_the_fingerprint_and_statements_of_one_fingerprint_are_one_class() {
    let digest = digest(
        vec![],
        vec![
            row("SELECT a", Some("SELECT a FROM t WHERE b = 'x'"), 1, 600_000),
            row("SELECT b", Some("SELECT a FROM t WHERE b = 5"), 1, 600_000),
            row("SELECT `c`", Some("SELECT c FROM t WHERE d = 'unfinis..."), 1, 0),
        ],
    );
    let class = digest.class(b"select a from t where b = ?").unwrap();
    assert_eq!((class.count(), class.metric(Attribute::QUERY_TIME).unwrap().exact_sum()), (2, 1));
    assert!(digest.class(b"select `c`").is_some());
}

#[test]
fn lost_rows_other_schemas_and_an_emptied_table_are_told() {
    let other = Row { schema: b"other".to_vec(), ..row("SELECT ?", None, 3, 1) };
    let lost = Row { digest: None, ..row("", None, 9, 2_000_000_000_000) };
    let anew = Row { first_seen: b"later".to_vec(), ..row("SELECT `x`", None, 6, 1) };
    let digest = digest(vec![row("SELECT `x`", None, 5, 1)], vec![other, lost, anew]);
    assert_eq!((digest.events, digest.unselected), (6, 3));
    let notes = digest.notes.join("\n");
    assert!(notes.contains("9 more statements (2.000000 s)") && notes.contains("was emptied"), "{notes}");
}

#[test]
fn reports_say_sums_and_invent_no_spread() {
    let digest = digest(vec![], vec![row("SELECT `a` FROM `t`", None, 4, 4_000_000_000_000)]);
    let options = report::Options::default();
    let human = human::render(&digest, &options);
    assert!(
        human.contains("4 queries take 4.00 s: 1.00 s each.") && human.contains("0.4 at a time"),
        "{human}"
    );
    assert!(
        !human.contains("--show-literals") && !human.contains("the worst") && !human.contains("95 % at most"),
        "{human}"
    );
    let json: serde_json::Value = serde_json::from_str(&json::render(&digest, &options)).unwrap();
    let time = &json["classes"][0]["metrics"]["Query_time"];
    assert_eq!((time["sum"].as_str(), time.get("min"), time.get("pct_95")), (Some("4.000000"), None, None));
    assert_eq!(json["classes"][0]["quantiles"], serde_json::json!({}));
    let toolkit = toolkit::render(&digest, &options);
    assert!(
        toolkit.contains("# Exec time    100      4s       –       –      1s       –       –       –"),
        "{toolkit}"
    );
    assert!(toolkit.contains("V/M = –") && !toolkit.contains("distribution"), "{toolkit}");
    assert!(markdown::render(&digest, &options).contains("| 1.00 s | – |"));
    let saved = crate::saved::save(&digest, crate::saved::Samples::Redacted).unwrap();
    assert!(!crate::saved::load(&saved).unwrap().total().metric(Attribute::QUERY_TIME).unwrap().has_spread());
}
