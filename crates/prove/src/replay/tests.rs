#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const SITE: &str = "https://shop.example/";
const TIME: &str = "[21/Nov/2026:10:00:00 +0000]";

fn line(request: &str) -> String {
    format!("192.0.2.7 - - {TIME} \"{request}\" 200 612 \"-\" \"Mozilla/5.0 \\\"x\\\"\"\n")
}

fn replay(log: &[u8]) -> Replay {
    requests(log, SITE, &[]).unwrap()
}

fn urls(replay: &Replay) -> Vec<&str> {
    replay.requests.iter().map(|request| request.url.as_str()).collect()
}

#[test]
fn requests_keep_their_order_and_go_to_the_site() {
    let log =
        [line("GET /b?page=2 HTTP/1.1"), line("HEAD / HTTP/2.0"), line("GET /b?page=2 HTTP/1.0")].concat();
    let replay = replay(log.as_bytes());
    assert_eq!(
        urls(&replay),
        ["https://shop.example/b?page=2", "https://shop.example/", "https://shop.example/b?page=2"]
    );
    assert_eq!(replay.requests[1].method, "HEAD");
    assert_eq!(replay.skipped, Skipped::default());
}

#[test]
fn what_is_not_sent_is_counted_by_why() {
    let mut log = Vec::new();
    for request in [
        "POST /login HTTP/1.1",
        "DELETE /basket/1 HTTP/1.1",
        "GET http://elsewhere.example/ HTTP/1.1",
        "GET /\\xFF\\xFE HTTP/1.1",
        "\\x16\\x03\\x01\\x02",
        "GET /no-version",
        "GET /a\\x22b<c> HTTP/1.1",
        "",
    ] {
        log.extend(line(request).into_bytes());
    }
    log.extend_from_slice(b"\n192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET /torn HTTP/1.1\" 20");
    let skipped = replay(&log).skipped;
    let wanted = Skipped {
        other_methods: 2,
        torn: 4,
        not_utf8: 1,
        absolute_form: 1,
        not_an_address: 1,
        beyond_the_most: 0,
    };
    assert_eq!(skipped, wanted);
    assert_eq!(skipped.counts()[0], (2, "of other methods than GET and HEAD"));
}

#[test]
fn apaches_formats_with_a_server_name_and_without_an_agent_are_read() {
    let log = format!(
        "shop.example:443 192.0.2.7 - - {TIME} \"GET /vhost HTTP/1.1\" 304 - \"-\" \"-\"\n\
         192.0.2.7 - anna {TIME} \"GET /common HTTP/1.1\" 200 5\n\
         192.0.2.7 - a\\\"b {TIME} \"GET /quoted HTTP/1.1\" 200 5\n"
    );
    let paths = ["/vhost", "/common", "/quoted"].map(|path| format!("https://shop.example{path}"));
    assert_eq!(urls(&replay(log.as_bytes())), paths);
}

#[test]
fn a_compressed_log_is_read_also_when_two_were_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log.2.gz");
    let mut bytes = Vec::new();
    for request in ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"] {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(line(request).as_bytes()).unwrap();
        bytes.extend(packed.finish().unwrap());
    }
    std::fs::write(&path, bytes).unwrap();
    let replay = read(&path, SITE, &[("Host".into(), "x".into())]).unwrap();
    assert_eq!(urls(&replay), ["https://shop.example/1", "https://shop.example/2"]);
    assert_eq!(replay.requests[0].headers.len(), 1);
    let missing = read(&folder.path().join("none"), SITE, &[]).unwrap_err().to_string();
    assert!(missing.contains("access log") && missing.contains("No such file"), "{missing}");
}

#[test]
fn a_line_without_end_takes_no_memory_and_the_next_one_is_read() {
    let mut log = vec![b'x'; 3 * 64 * 1024];
    log.push(b'\n');
    log.extend(line("GET /after HTTP/1.1").into_bytes());
    let replay = replay(&log);
    assert_eq!((urls(&replay), replay.skipped.torn), (vec!["https://shop.example/after"], 1));
}

proptest! {
    #[test]
    fn every_line_is_a_request_or_counted(log in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let replay = replay(&log);
        let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
        let skipped: u64 = replay.skipped.counts().iter().map(|(count, _)| count).sum();
        prop_assert_eq!(lines.count() as u64, replay.requests.len() as u64 + skipped);
    }

    #[test]
    fn a_target_as_nginx_escapes_it_is_sent_as_it_came(target in "/[a-zA-Z0-9%&=?;:@!$'()*+,./~_|\\\\-]{0,60}") {
        let escaped = target.replace('\\', "\\x5C");
        let replay = replay(line(&format!("GET {escaped} HTTP/1.1")).as_bytes());
        let sent = format!("https://shop.example{target}");
        if hyper::Uri::try_from(&sent).is_ok() {
            prop_assert_eq!(urls(&replay), vec![sent.as_str()]);
        } else {
            prop_assert_eq!(replay.skipped.not_an_address, 1);
        }
    }

    #[test]
    fn a_line_cut_anywhere_before_its_status_is_torn(at in 1_usize..70) {
        let whole = line("GET /a?b=c HTTP/1.1");
        let end = whole.find(" 200").unwrap();
        let replay = replay(&whole.as_bytes()[..at.min(end)]);
        prop_assert_eq!((replay.requests.len(), replay.skipped.torn), (0, 1));
    }
}
