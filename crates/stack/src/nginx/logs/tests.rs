//! Logs from bytes to facts.

use host::Tree;
use proptest::prelude::*;

use super::*;
use crate::nginx::{Directive, ErrorKind};

fn plain(name: &str, arguments: &[&str]) -> Directive {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Directive { name: name.to_owned(), arguments, ..Directive::default() }
}

fn http(inside: Vec<Directive>) -> Configuration {
    let http = Directive { block: Some(inside), ..plain("http", &[]) };
    Configuration { directives: vec![http], ..Configuration::default() }
}

const TIMED: &str = r#"$msec $status "$request" $body_bytes_sent $request_time "$upstream_response_time" "$upstream_header_time" "$upstream_connect_time" $upstream_cache_status $upstream_addr"#;

fn timed() -> Format {
    Format::compile("timed", "default", TIMED)
}

fn counted(formats: &[Format], text: &str) -> AccessLog {
    let mut tally = AccessTally::new(formats, last_time(formats, text.as_bytes()).unwrap_or_default());
    tally.add(text.as_bytes());
    tally.finish("/log")
}

#[test]
fn an_access_log_is_counted_by_status_time_cache_and_path() {
    let log = counted(
        &[timed()],
        r#"1700000000.100 200 "GET /a?key=secret HTTP/1.1" 100 0.300 "0.200" "0.150" "0.001" MISS unix:/run/a.sock
1700000000.200 200 "GET /a HTTP/2.0" 100 0.000 "-" "-" "-" HIT -
1700000003.000 502 "POST /wp-cron.php?doing_wp_cron=1 HTTP/1.1" 150 0.001 "0.000, 0.001" "-, -" "-, -" - unix:/run/a.sock
1700000003.000 504 "GET /b HTTP/1.1" 160 60.004 "60.001" "-" "0.000" BYPASS unix:/run/a.sock
nonsense
1700000004.500 200 "GET / HT"#,
    );
    assert_eq!((log.requests, log.unparsed, log.span_s), (4, 1, 2.9));
    assert_eq!(log.last_unix_s, Some(1_700_000_003.0));
    assert_eq!(log.status.into_iter().collect::<Vec<_>>(), [(200, 2), (502, 1), (504, 1)]);
    assert_eq!(
        log.cache.into_iter().collect::<Vec<_>>(),
        [("BYPASS".into(), 1), ("HIT".into(), 1), ("MISS".into(), 1)]
    );
    let response = log.upstream_response_time_s.unwrap();
    assert_eq!((response.count, response.max), (3, 60.001));
    assert_eq!(log.request_time_s.unwrap().count, 4);
    assert_eq!(log.upstream_header_time_s.unwrap().max, 0.15);
    assert_eq!(log.upstream_connect_time_s.unwrap().count, 2);
    assert_eq!(log.body_bytes.unwrap().count, 3, "the answer from the cache had no upstream");
    let paths: Vec<_> = log.top.iter().map(|one| (one.path.as_str(), one.requests, one.errors)).collect();
    assert_eq!(paths, [("/b", 1, 1), ("/a", 2, 0), ("/wp-cron.php", 1, 1)]);
    assert_eq!(log.wp_cron.unwrap().requests, 1);
    let [first, second] = log.seconds[..] else { panic!("two seconds") };
    assert_eq!(
        (first.unix_s, first.requests, first.longest_s, first.asked_upstream),
        (1_700_000_000, 2, Some(0.2), 1)
    );
    assert_eq!((second.bad_gateway, second.gateway_timeout, second.asked_upstream), (1, 1, 2));
}

#[test]
fn only_the_last_minutes_count() {
    let line = |second: i64| format!("{second}.000 200 \"GET / HTTP/1.1\" 1 0.1 \"-\" \"-\" \"-\" - -\n");
    let text: String = [0, 1_000_000, 1_000_100, 1_000_950, 1_001_000].map(line).concat();
    let log = counted(&[timed()], &text);
    assert_eq!((log.requests, log.span_s, log.seconds.len()), (3, 900.0, 3));
}

#[test]
fn a_log_in_two_formats_is_counted_in_both() {
    let text = r#"::1 - - [14/Nov/2023:22:13:20 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"
1700000003.000 504 "GET /b HTTP/1.1" 160 60.004 "60.001" "-" "0.000" BYPASS unix:/run/a.sock
"#;
    let log = counted(&[Format::combined(), timed()], text);
    assert_eq!((log.requests, log.unparsed, log.zone_s), (2, 0, Some(0)));
    assert_eq!(log.format, "combined, timed");
}

#[test]
fn logs_are_read_from_the_host_and_a_missing_one_says_why() {
    let mut tree = Tree::in_memory(1);
    let line = |second: u32| {
        format!("::1 - - [14/Nov/2023:23:13:{second:02} +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl\"\n")
    };
    tree.put(0, "/var/log/nginx/access.log", line(30));
    tree.put(0, "/var/log/nginx/access.log.1", line(10) + &line(20));
    tree.put(0, "/var/log/nginx/error.log", include_str!("fixtures/hand-made.log"));
    let server = Directive { block: Some(vec![plain("access_log", &["/none.log"])]), ..plain("server", &[]) };
    let configuration = http(vec![Directive { block: Some(vec![]), ..plain("server", &[]) }, server]);
    let (access, error) = read(&tree.at(0), &configuration);
    assert_eq!((access[0].requests, access[0].span_s), (3, 20.0), "the log before it is counted with it");
    assert!(access[1].unread.as_ref().unwrap().why.contains("/none.log does not exist"));
    assert_eq!((error[0].zone_s, error[0].level.as_deref()), (Some(3600), Some("error")));
    let kinds: Vec<_> =
        error[0].kinds.iter().map(|one| (one.kind, one.upstream.as_deref(), one.count)).collect();
    let fpm = Some("fastcgi://unix:/run/php/php8.2-fpm.sock:");
    assert_eq!(
        kinds,
        [
            (ErrorKind::QueueFull, fpm, 2),
            (ErrorKind::AnswerTimedOut, Some("http://127.0.0.1:8080"), 1),
            (ErrorKind::PhpMessage, fpm, 1),
        ]
    );
    assert_eq!((error[0].others, error[0].span_s), (1, 60.0));
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let bits = proptest::sample::select(vec![
        "\n",
        "\"",
        "\\",
        "?",
        "/",
        " ",
        "-",
        ":",
        ", ",
        "[",
        "]",
        "200",
        "502",
        "1700000000.123",
        "9999999999999999999.9",
        "14/Nov/2023:22:13:20 +0000",
        "2023/11/14 22:13:20",
        "99999/99/99 99:99:99",
        "GET /a?b HTTP/1.1",
        "0.1, 0.2 : 0.3",
        "connect() failed (11: x) while connecting to upstream",
        ", client: ",
        ", upstream: \"http://unix:",
        "failed (",
        "FastCGI sent in stderr: \"",
        "worker_connections are not enough",
        "é",
    ]);
    let bit = prop_oneof![
        4 => bits.prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(bit, 0..200).prop_map(|bits| bits.concat())
}

proptest! {
    #[test]
    fn hostile_logs_are_counted_without_panic(bytes in hostile(), format in "[ -~$]{0,40}") {
        let formats = [Format::combined(), timed(), Format::compile("any", "json", &format)];
        let mut tally = AccessTally::new(&formats, last_time(&formats, &bytes).unwrap_or_default());
        tally.add(&bytes);
        let log = tally.finish("/log");
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        prop_assert!(log.requests + log.unparsed <= lines);
        prop_assert!(log.seconds.len() <= RECENT_SLOTS);
        let errors = error_log("/log", &bytes);
        let counted: u64 = errors.kinds.iter().map(|one| one.count).sum();
        prop_assert!(counted + errors.others <= lines);
    }

    #[test]
    fn whole_lines_of_any_values_are_counted_where_they_belong(
        status in 100_u16..600, ms in 0_u32..100_000, path in "/[a-z0-9/]{0,30}", bytes in 0_u64..1 << 40,
    ) {
        let seconds = f64::from(ms) / 1000.0;
        let line = format!("1700000000.1{:02} {status} \"GET {path}?x HTTP/1.1\" {bytes} {seconds:.3} \"{seconds:.3}\" \"-\" \"-\" - a\n", ms % 100);
        let log = counted(&[timed()], &line);
        prop_assert_eq!((log.requests, log.unparsed), (1, 0));
        prop_assert_eq!(log.status.get(&status), Some(&1));
        prop_assert!((log.request_time_s.unwrap().max - seconds).abs() < 1e-9);
    }
}
