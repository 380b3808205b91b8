use proptest::prelude::*;

use super::*;
use crate::attribute::{Attribute, Unit};
use crate::event::Value;
use crate::time::Time;

fn event<'a>(attributes: &'a [(Attribute, Value<'a>)]) -> Event<'a> {
    Event {
        command: crate::Command::Query,
        query: b"SELECT * FROM wp_options WHERE autoload = 'yes'",
        query_length: 47,
        record_bytes: 47,
        user: b"shop",
        host: b"web1",
        ip: b"",
        db: b"wp_shop",
        time: Time::from_civil((2024, 3, 1), (10, 0, 0)),
        timestamp: None,
        connection: Some(7),
        offset: 0,
        attributes,
    }
}

fn is_true(expression: &str) -> bool {
    let attributes = [
        (Attribute::QUERY_TIME, Value::Number(1_500_000, Unit::Microseconds)),
        (Attribute::ROWS_SENT, Value::Number(10, Unit::Count)),
        (Attribute::ROWS_EXAMINED, Value::Number(20_000, Unit::Count)),
        (Attribute::of("Full_scan").unwrap(), Value::Flag(true)),
        (Attribute::of("Filesort").unwrap(), Value::Flag(false)),
        (Attribute::of("Last_errno").unwrap(), Value::Text(b"1205")),
    ];
    Filter::compile(expression).unwrap_or_else(|error| panic!("{error}")).is_true(&event(&attributes))
}

#[test]
fn expressions_mean_what_they_say() {
    for yes in [
        "rows_examined > 1000 * rows_sent",
        "Query_time >= 1500ms and Query_time = 1.5s",
        "query_time > 1s && rows_sent < 1k",
        "not (rows_sent > 10 or db = 'other')",
        "query ~ 'WP_OPTIONS' and query !~ 'wp_posts'",
        "db ~ 'wp_*' and host ~ 'web?'",
        "full_scan and not filesort",
        "Full_scan = 1",
        "user = \"shop\" and bytes = 47 and thread_id = 7",
        "-rows_sent + 2 * 10 = rows_sent % 100",
        "Last_errno = '1205'",
        "rows_examined / rows_sent = 2_000",
        "rows_sent > 5 or merge_passes > 5",
    ] {
        assert!(is_true(yes), "{yes}");
    }
    for no in
        ["rows_sent > 10", "db = 'WP_SHOP'", "query ~ 'wp_posts'", "rows_sent / 0 > 1", "user != 'shop'"]
    {
        assert!(!is_true(no), "{no}");
    }
}

#[test]
fn what_an_event_does_not_say_is_unknown_and_not_false() {
    assert!(!is_true("merge_passes = 0"));
    assert!(!is_true("not merge_passes = 0"));
    assert!(!is_true("ip = '10.0.0.1'") && !is_true("ip != '10.0.0.1'"));
    assert!(!is_true("`Never_heard_of` > 1"));
}

#[test]
fn faults_are_shown_where_they_are() {
    for (expression, at, says) in [
        ("rows_examind > 5", 0, "did you mean Rows_examined?"),
        ("rows_sent > 5 rows", 14, "`and` is missing"),
        ("rows_sent >", 11, "missing here"),
        ("(rows_sent > 5", 14, "a `)` is missing"),
        ("db = 5", 0, "`db` is text"),
        ("rows_sent = '5'", 0, "is a number"),
        ("db > 'a'", 0, "text has no order"),
        ("query_time > 5 parsecs", 15, "is missing here"),
        ("query_time > 5pc", 14, "`pc` is no unit"),
        ("db = 'x", 5, "never closed"),
        ("ä = 5 ; x", 6, "`;` means nothing"),
        ("rows_sent", 0, "compare `rows_sent` with something"),
        ("5 < rows_sent < 10", 14, "two comparisons"),
        ("", 0, "missing here"),
        ("query ~ 5", 8, "a pattern in quotes"),
    ] {
        let error = Filter::compile(expression).expect_err(expression);
        assert!(error.message.contains(says), "{expression}: {error}");
        assert_eq!(error.at, at, "{expression}: {error}");
    }
    let shown = Filter::compile("db = 5").unwrap_err().to_string();
    assert!(shown.ends_with("\n  db = 5\n  ^"), "{shown}");
}

#[test]
fn times_are_compared_as_the_log_writes_them_or_as_instants() {
    let east = |_: i64| 7200;
    let now_us = 1_709_287_200_000_000; // 2024-03-01T10:00:00Z
    let moment = |text: &str| Moment::parse(text, now_us, east);
    assert_eq!(moment("2024-03-01 10:00:00"), Ok(Moment::Clock(now_us)));
    assert_eq!(moment("240301 10:00:00"), moment("2024-03-01T10:00"));
    assert_eq!(moment("2024-03-01 10:00:00.5"), Ok(Moment::Clock(now_us + 500_000)));
    let instant = Moment::Instant { utc_us: now_us - 3_600_000_000, local_us: now_us + 3_600_000_000 };
    for same in ["-1h", "60m", "2024-03-01T09:00:00Z", "2024-03-01 11:00:00+02:00", "1709283600"] {
        assert_eq!(moment(same), Ok(instant), "{same}");
    }
    assert!(moment("yesterday").unwrap_err().contains("-1h"));
    assert!(moment("2024-13-01").is_err());

    let at_ten = event(&[]);
    let kept = |since: &str, until: &str| {
        Within { since: moment(since).ok(), until: moment(until).ok() }.keep(&at_ten)
    };
    assert!(kept("2024-03-01 10:00:00", "2024-03-01 10:00:01"));
    assert!(!kept("2024-03-01 09:00:00", "2024-03-01 10:00:00"));
    // The log says no zone: its clock is taken for this machine's, which is two hours ahead of UTC.
    assert!(!kept("-1h", "none") && kept("-3h", "none"));
    assert!(!Within { since: moment("-1h").ok(), until: None }.keep(&Event { time: None, ..at_ten }));
}

proptest! {
    #[test]
    fn no_expression_panics(expression in "[a-z_0-9 ()<>=~!'\"`+*/%.&|-]{0,60}") {
        if let Ok(filter) = Filter::compile(&expression) {
            let _ = filter.is_true(&event(&[]));
        }
    }

    #[test]
    fn no_time_panics(text in ".{0,30}", like in "[0-9T:+Zhd -]{0,30}") {
        let _ = (Moment::parse(&text, 0, |_| 0), Moment::parse(&like, 0, |_| 0));
    }

    #[test]
    fn globs_agree_with_the_slow_way(text in "[ab]{0,8}", pattern in "[ab*?]{0,6}") {
        fn slow(text: &[u8], pattern: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'*', rest)) => (0..=text.len()).any(|from| slow(&text[from..], rest)),
                Some((byte, rest)) => text.split_first().is_some_and(|(first, after)| (*byte == b'?' || byte == first) && slow(after, rest)),
            }
        }
        let expression = format!("db ~ '{pattern}'");
        let pattern = pattern.as_bytes();
        if pattern.iter().any(|b| matches!(b, b'*' | b'?')) && !text.is_empty() {
            let filter = Filter::compile(&expression).unwrap();
            prop_assert_eq!(filter.is_true(&Event { db: text.as_bytes(), ..event(&[]) }), slow(text.as_bytes(), pattern));
        }
    }
}
